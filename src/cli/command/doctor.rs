//! `kgents doctor`: how everything stands, and what to type next.

use std::path::PathBuf;
use std::time::Duration;

use kgents_source::checkup::{Checkup, checkup};

use crate::args::Global;
use crate::command::version::OURS;
use crate::failure::{Code, Failure};
use crate::io::{self, Io};
use crate::output::{self, Format};
use crate::runtime::block_on;
use crate::settings::lenient::Reading;

mod findings;
mod json;
mod limits;
mod page;
mod terminal;

use findings::{Finding, Severity};
use limits::Limits;
use terminal::Terminal;

const HELP: &str = "\
Examples:
  kgents doctor                        # is all well, and if not, what to type
  kgents doctor --json
  kgents doctor --layer kube           # ask only the Kubernetes API
  kgents doctor -n kgents-agents       # may I read this namespace?

It asks everything at once and takes less than a second, whatever hangs. What
looks like a secret is not printed.

Exit codes: 0 a live layer answers and nothing is in the way of reading; 1 one
answers, but something is (CRDs are missing, our kinds may not be listed, the
configuration is wrong); 3 only the Ghost would answer; 4 nothing would.";

/// What can be said to it.
#[derive(clap::Args, Debug)]
#[command(after_help = HELP)]
pub(crate) struct Args {
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// How long the configuration may take to be read.
const READING: Duration = Duration::from_millis(150);
/// How long each layer may take. With [`READING`] this leaves time for all
/// else within a second.
const LIMIT: Duration = Duration::from_millis(700);

/// Everything that was found.
struct Facts {
    checkup: Checkup,
    config: Reading,
    /// Where logs go, or why nowhere.
    log: Result<PathBuf, String>,
    terminal: Terminal,
    limits: Limits,
    /// The only layer that is asked, if one was named.
    pinned: Option<&'static str>,
}

/// Looks at everything and says how it stands.
pub(crate) fn run(args: &Args, global: &Global, io: &mut Io<'_>) -> Result<Code, Failure> {
    let config = crate::settings::lenient::read_within(global, READING)?;
    let mut global = global.clone();
    global.set(config.settings.clone());
    let options = global.source();
    let limit = LIMIT.min(options.timeout());
    let checkup = block_on(async { Ok(Box::pin(checkup(&options, limit)).await) })?;
    let env = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let facts = Facts {
        checkup,
        log: crate::log::place(&global),
        terminal: Terminal::of(&env, io::is_terminal(), terminal::size()),
        limits: Limits::read(std::path::Path::new("/proc")),
        pinned: options.layer.map(kgents_store::Layer::as_str),
        config,
    };
    let findings = findings::all(&facts);
    let safe = Safe { token: global.settings().cortex_token().filter(|token| token.len() >= 4) };
    if args.json {
        let mut answer = json::answer(&facts, &findings);
        safe.value(&mut answer);
        output::data(io.out, Format::Json, &answer)?;
    } else {
        let glyphs = facts.terminal.is_drawn_on && facts.terminal.is_unicode && !global.settings().window.ascii;
        page::write(io.out, &facts, &findings, glyphs, |text| safe.text(text))?;
    }
    Ok(code(&facts, &findings))
}

/// The exit code: what a reader may count on.
fn code(facts: &Facts, findings: &[Finding]) -> Code {
    match facts.checkup.speaks {
        None => Code::Unreachable,
        Some(layer) if !layer.is_live() => Code::Ghost,
        Some(_) if findings.iter().any(|finding| finding.blocks) => Code::Failed,
        Some(_) => Code::Ok,
    }
}

/// Makes text fit to be shown to anybody: on one line, without what a terminal
/// would obey, and without secrets.
struct Safe<'a> {
    /// A secret that we know.
    token: Option<&'a str>,
}

impl Safe<'_> {
    fn text(&self, text: &str) -> String {
        let text = kgents_store::sanitize::text(text);
        let text = kgents_source::redact::text(&text);
        match self.token {
            Some(token) => text.replace(token, kgents_source::redact::MARK),
            None => text,
        }
    }

    fn value(&self, value: &mut serde_json::Value) {
        use serde_json::Value;
        match value {
            Value::String(text) => *text = self.text(text),
            Value::Array(items) => items.iter_mut().for_each(|item| self.value(item)),
            Value::Object(map) => map.values_mut().for_each(|item| self.value(item)),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests;
