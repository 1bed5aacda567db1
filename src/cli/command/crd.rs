//! `kgents crd`: the custom resource definitions.

use std::sync::LazyLock;
use std::time::Duration;

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition as Crd;
use kgents_source::Client;

use crate::args::Global;
use crate::failure::{Code, Failure};
use crate::io::Io;
use crate::runtime::block_on;
use crate::value;

mod compare;

use compare::Difference;

const HELP: &str = "\
Examples:
  kgents crd install                   # and wait until they are established
  kgents crd verify                    # does the cluster have what this build needs?
  kgents crd diff
  kgents crd print agents | kubectl apply --server-side -f -";

/// What can be said to it.
#[derive(clap::Args, Debug)]
#[command(after_help = HELP)]
pub(crate) struct Args {
    #[command(subcommand)]
    action: Action,
}

/// What is done.
#[derive(clap::Subcommand, Debug)]
enum Action {
    /// Print them as YAML.
    #[command(after_help = "Examples:\n  kgents crd print\n  kgents crd print agents proposals")]
    Print {
        /// Which ones, such as agents, Agent, ag or agents.kgents.io [default: all].
        #[arg(value_name = "NAME", value_parser = find)]
        names: Vec<String>,
    },
    /// Install or update them, and wait until they are established.
    #[command(after_help = "Examples:\n  kgents crd install\n  kgents crd install --wait-limit 1m")]
    Install {
        /// How long to wait until they are established.
        #[arg(long, value_name = "DURATION", default_value = "30s", value_parser = value::duration)]
        wait_limit: Duration,
    },
    /// Check that all are installed, established and as this build has them.
    #[command(
        after_help = "Examples:\n  kgents crd verify\n\nExit codes: 0 when all is well, 1 when something differs."
    )]
    Verify,
    /// Print how those of the cluster differ from ours.
    #[command(
        after_help = "Examples:\n  kgents crd diff\n\nEach line is `crd: path: ours → cluster`. Exit codes: 0 when nothing differs, else 1."
    )]
    Diff,
}

impl Args {
    /// Whether nobody is asked.
    pub(crate) const fn is_print(&self) -> bool {
        matches!(self.action, Action::Print { .. })
    }
}

/// Prints, installs or compares.
pub(crate) fn run(args: &Args, global: &Global, io: &mut Io<'_>) -> Result<Code, Failure> {
    match &args.action {
        Action::Print { names } => print(names, io),
        Action::Install { wait_limit } => block_on(install(global, *wait_limit, io)),
        Action::Verify => block_on(verify(global, io)),
        Action::Diff => block_on(diff(global, io)),
    }
}

/// The name of the CRD that is meant by a plural, singular, kind or short name.
fn find(text: &str) -> Result<String, String> {
    let all = kgents_api::crd::all();
    let is_meant = |crd: &&Crd| {
        let names = &crd.spec.names;
        let spellings = [Some(&names.plural), Some(&names.kind), names.singular.as_ref()];
        let short = names.short_names.iter().flatten();
        spellings.into_iter().flatten().chain(short).any(|name| name.eq_ignore_ascii_case(text)) || name(crd) == text
    };
    let found = all.iter().find(is_meant).map(|crd| name(crd).to_owned());
    found.ok_or_else(|| {
        let plurals: Vec<&str> = all.iter().map(|crd| crd.spec.names.plural.as_str()).collect();
        format!("there is {}", plurals.join(", "))
    })
}

fn name(crd: &Crd) -> &str {
    crd.metadata.name.as_deref().unwrap_or_default()
}

fn print(names: &[String], io: &mut Io<'_>) -> Result<Code, Failure> {
    for crd in kgents_api::crd::all() {
        if names.is_empty() || names.iter().any(|wanted| wanted == name(&crd)) {
            let yaml = kgents_api::crd::to_yaml(&crd).map_err(Failure::new)?;
            write!(io.out, "---\n{yaml}")?;
        }
    }
    Ok(Code::Ok)
}

async fn install(global: &Global, limit: Duration, io: &mut Io<'_>) -> Result<Code, Failure> {
    let client = Client::connect(&global.source()).await?;
    let before = client.crds().await?;
    let ours = kgents_api::crd::all();
    for crd in &ours {
        client.install_crd(crd).await?;
    }
    for crd in client.crds().await? {
        let was = before.iter().find(|was| name(was) == name(&crd));
        writeln!(io.out, "{} {}", name(&crd), became(was, &crd))?;
    }
    writeln!(io.out, "waiting until they are established")?;
    io.out.flush()?;
    let names: Vec<String> = ours.iter().map(|crd| name(crd).to_owned()).collect();
    client.wait_established(&names, limit).await?;
    writeln!(io.out, "all {} are established", names.len())?;
    Ok(Code::Ok)
}

/// What became of a CRD. The resource version says nothing: the API server
/// writes conditions all the time.
fn became(was: Option<&Crd>, is: &Crd) -> &'static str {
    let Some(was) = was else { return "created" };
    let (was, is) = (&was.metadata, &is.metadata);
    let same = was.uid == is.uid
        && was.generation == is.generation
        && was.labels == is.labels
        && was.annotations == is.annotations;
    if same { "unchanged" } else { "updated" }
}

/// How one of ours stands in the cluster.
pub(crate) struct Verdict {
    name: String,
    /// Where the two differ.
    pub(crate) differences: Vec<Difference>,
    /// What else is wrong with it.
    pub(crate) trouble: Option<String>,
}

impl Verdict {
    /// Whether it is as this build needs it.
    pub(crate) fn is_good(&self) -> bool {
        self.differences.is_empty() && self.trouble.is_none()
    }

    /// Whether all that is wrong is that something of ours is not there: an
    /// older build installed it.
    pub(crate) fn lacks_only(&self) -> bool {
        self.differences.iter().all(Difference::is_lack)
    }
}

/// How the one of ours with this name stands; `found` is the cluster's. `None`
/// if we have none of that name.
pub(crate) fn verdict(wanted: &str, found: Option<&Crd>) -> Option<Verdict> {
    // Making them costs milliseconds each, and every one is asked for.
    static OURS: LazyLock<Vec<Crd>> = LazyLock::new(kgents_api::crd::all);
    OURS.iter().find(|crd| name(crd) == wanted).map(|ours| judge(ours, found))
}

async fn verdicts(global: &Global) -> Result<Vec<Verdict>, Failure> {
    let client = Client::connect(&global.source()).await?;
    let cluster = client.crds().await?;
    let find = |ours: &Crd| cluster.iter().find(|theirs| name(theirs) == name(ours));
    Ok(kgents_api::crd::all().iter().map(|crd| judge(crd, find(crd))).collect())
}

fn judge(ours: &Crd, theirs: Option<&Crd>) -> Verdict {
    let name = name(ours).to_owned();
    let Some(theirs) = theirs else {
        return Verdict { name, differences: Vec::new(), trouble: Some("not installed".to_owned()) };
    };
    let conditions = theirs.status.iter().flat_map(|status| status.conditions.iter().flatten());
    let established =
        conditions.clone().any(|condition| condition.type_ == "Established" && condition.status == "True");
    let trouble = (!established).then(|| {
        let said =
            conditions.filter(|condition| condition.status == "False").find_map(|condition| condition.message.clone());
        format!("not established{}", said.map(|said| format!(": {said}")).unwrap_or_default())
    });
    Verdict { name, differences: compare::specs(ours, theirs), trouble }
}

async fn verify(global: &Global, io: &mut Io<'_>) -> Result<Code, Failure> {
    let verdicts = verdicts(global).await?;
    for verdict in &verdicts {
        let mut said: Vec<String> = verdict.trouble.clone().into_iter().collect();
        match verdict.differences.len() {
            0 => {}
            1 => said.push("differs from ours in 1 place".to_owned()),
            count => said.push(format!("differs from ours in {count} places")),
        }
        let said = if said.is_empty() { "established, as ours".to_owned() } else { said.join("; ") };
        writeln!(io.out, "{}: {said}", verdict.name)?;
    }
    ended(&verdicts)
}

async fn diff(global: &Global, io: &mut Io<'_>) -> Result<Code, Failure> {
    let verdicts = verdicts(global).await?;
    for verdict in &verdicts {
        if let Some(trouble) = &verdict.trouble {
            writeln!(io.out, "{}: {trouble}", verdict.name)?;
        }
        for Difference { path, ours, theirs } in &verdict.differences {
            writeln!(io.out, "{}: {path}: {ours} → {theirs}", verdict.name)?;
        }
    }
    ended(&verdicts)
}

fn ended(verdicts: &[Verdict]) -> Result<Code, Failure> {
    let bad = verdicts.iter().filter(|verdict| !verdict.is_good()).count();
    match bad {
        0 => Ok(Code::Ok),
        _ => Err(Failure::new(format!("{bad} of {} CRDs are not as this build needs them", verdicts.len()))
            .hint("kgents crd install")),
    }
}

#[cfg(test)]
mod tests;
