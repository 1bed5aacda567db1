//! What is wrong with a spec, found before anything is rendered.

use std::collections::{BTreeMap, BTreeSet};

use kgents_api::agent::AgentSpec;
use kgents_api::{Amount, Genus};

use super::About;
use super::env;
use crate::quantity::Quantity;

/// Something that is wrong with a spec.
pub(super) struct Problem {
    /// A word in CamelCase.
    pub(super) reason: &'static str,
    /// A sentence that names the field.
    pub(super) message: String,
}

/// What a spec says, read.
pub(super) struct Checked {
    /// The settings, by the names of their variables.
    pub(super) variables: BTreeMap<String, String>,
    /// The limits of the logic container.
    pub(super) cpu: Quantity,
    pub(super) memory: Quantity,
    /// Seconds between two probes.
    pub(super) period: i32,
    /// What the logic container runs instead of what its image says.
    pub(super) command: Option<Vec<String>>,
    /// Who may be talked to.
    pub(super) peers: BTreeSet<Peer>,
    /// What the agent reads of itself.
    pub(super) spec: String,
}

/// Somebody that an agent may talk to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Peer {
    /// The agent of this name.
    Name(String),
    /// All agents of this genus.
    Genus(Genus),
}

/// Reads the spec, or says all that is wrong with it.
pub(super) fn check(about: About<'_>) -> Result<Checked, Vec<Problem>> {
    let spec = &about.agent.spec;
    let mut problems = blanks(spec);
    let mut invalid = |message: String| problems.push(Problem { reason: "InvalidSpec", message });
    let cpu = amount("spec.resources.cpu", &spec.resources.cpu).unwrap_or_else(|message| {
        invalid(message);
        Quantity::default()
    });
    let memory = amount("spec.resources.memory", &spec.resources.memory).unwrap_or_else(|message| {
        invalid(message);
        Quantity::default()
    });
    let period = seconds(&spec.health.probe_interval).unwrap_or_else(|| {
        invalid(format!("spec.health.probeInterval: {:?} is no time such as 30s or 2m", spec.health.probe_interval));
        1
    });
    if spec.health.port.is_some_and(|port| !(1..=65535).contains(&port)) {
        invalid("spec.health.port is no port".to_owned());
    }
    if spec.replicas < 0 {
        invalid("spec.replicas is less than none".to_owned());
    }
    let command = spec.entrypoint.as_deref().map(|line| {
        words(line).unwrap_or_else(|| {
            invalid("spec.entrypoint: a quote is not closed".to_owned());
            Vec::new()
        })
    });
    let mut peers = BTreeSet::new();
    for word in &spec.network_policy.allowed_peers {
        match peer(word) {
            Ok(peer) => drop(peers.insert(peer)),
            Err(why) => invalid(format!("spec.networkPolicy.allowedPeers: {why}")),
        }
    }
    let text = read_by_the_agent(spec).unwrap_or_else(|why| {
        invalid(why);
        String::new()
    });
    let variables = env::variables(&spec.config).unwrap_or_else(|found| {
        problems.extend(found);
        BTreeMap::new()
    });
    if !problems.is_empty() {
        return Err(problems);
    }
    Ok(Checked { variables, cpu, memory: memory.whole(), period, command, peers, spec: text })
}

/// What is given and blank: an empty word is no default, it is a mistake.
fn blanks(spec: &AgentSpec) -> Vec<Problem> {
    let pod = spec.pod_template.as_ref();
    let given = [
        ("spec.image", &spec.image),
        ("spec.entrypoint", &spec.entrypoint),
        ("spec.umwelt", &spec.umwelt),
        ("spec.memory", &spec.memory),
        ("spec.sidecar.image", &spec.sidecar.image),
        ("spec.health.path", &spec.health.path),
        ("spec.podTemplate.priorityClassName", pod.map_or(&None, |pod| &pod.priority_class_name)),
    ];
    let is_blank = |word: &Option<String>| word.as_deref().is_some_and(|word| word.trim().is_empty());
    let blank = given.into_iter().filter(|(_, word)| is_blank(word));
    let problem = |field: &str| Problem {
        reason: "InvalidSpec",
        message: format!("{field} is blank: leave it out, or say what it should be"),
    };
    blank.map(|(field, _)| problem(field)).collect()
}

/// An amount, as the API server will keep it.
fn amount(field: &str, text: &Amount) -> Result<Quantity, String> {
    let unreadable = || format!("{field}: {:?} is no amount such as 100m or 256Mi", text.0);
    let amount = Quantity::parse(&text.0).map(Quantity::milli).ok_or_else(unreadable)?;
    // The API server cuts what is larger, and we would write it again and again.
    if (0..=i128::from(i64::MAX)).contains(&amount.units()) { Ok(amount) } else { Err(unreadable()) }
}

/// A time such as `1m30s` in whole seconds, rounded up, at least one: the
/// kubelet knows no finer ones.
fn seconds(text: &str) -> Option<i32> {
    let mut rest = text.trim();
    let mut milliseconds: i64 = 0;
    while !rest.is_empty() {
        let (number, after) = rest.split_at(rest.find(|c: char| !c.is_ascii_digit())?);
        let end = after.find(|c: char| c.is_ascii_digit()).unwrap_or(after.len());
        let (unit, after) = after.split_at(end);
        let unit = match unit {
            "ms" => 1,
            "s" => 1_000,
            "m" => 60_000,
            "h" => 3_600_000,
            _ => return None,
        };
        milliseconds = milliseconds.checked_add(number.parse::<i64>().ok()?.checked_mul(unit)?)?;
        rest = after;
    }
    if text.trim().is_empty() {
        return None;
    }
    i32::try_from(milliseconds / 1000 + i64::from(milliseconds % 1000 != 0)).ok().map(|seconds| seconds.max(1))
}

/// The words of a command line: parted by spaces, `'…'` and `"…"` hold
/// together, `\` takes the next character as it is (not within `'…'`). There
/// is no shell: images without one can be run, and nothing is read into what
/// is written. `$(NAME)` becomes the variable's value, as Kubernetes does.
/// `None` when a quote is not closed.
fn words(line: &str) -> Option<Vec<String>> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote: Option<char> = None;
    let mut rest = line.chars();
    while let Some(c) = rest.next() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (None, '\'' | '"') => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (None | Some('"'), '\\') => word.get_or_insert_default().push(rest.next()?),
            (None, c) if c.is_whitespace() => words.extend(word.take()),
            (_, c) => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    quote.is_none().then_some(words)
}

fn peer(word: &str) -> Result<Peer, String> {
    if let Some(genus) = word.strip_prefix("genus:") {
        return genus.parse().map(Peer::Genus).map_err(|_| format!("{word:?} names no genus"));
    }
    let is_part = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let is_name = word.len() <= 63
        && word.starts_with(|c: char| c.is_ascii_lowercase())
        && !word.ends_with('-')
        && word.chars().all(is_part);
    if is_name { Ok(Peer::Name(word.to_owned())) } else { Err(format!("{word:?} is no name of an agent, nor genus:X")) }
}

/// What the agent reads of itself in `/etc/kgents/spec.yaml`: its spec without
/// what is between us and the operator. How many pods there are is none of
/// it, so that scaling changes no file under a running agent.
fn read_by_the_agent(spec: &AgentSpec) -> Result<String, String> {
    /// A ConfigMap holds 1 MiB, with all that is around the text.
    const MOST: usize = 1_000_000;
    let mut value = serde_json::to_value(spec).map_err(|error| format!("the spec cannot be written: {error}"))?;
    if let Some(fields) = value.as_object_mut() {
        fields.retain(|field, _| !["replicas", "paused", "reconciliation"].contains(&field.as_str()));
    }
    let text = kgents_api::yaml::to_string(&value).map_err(|error| format!("the spec cannot be written: {error}"))?;
    if text.len() > MOST {
        return Err(format!("the spec is larger than the {MOST} bytes that its ConfigMap can hold"));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_rounded_up_to_whole_seconds() {
        for (text, wanted) in [
            ("30s", Some(30)),
            ("2m", Some(120)),
            ("1m30s", Some(90)),
            ("1h1m1s1ms", Some(3662)),
            ("1500ms", Some(2)),
            ("1ms", Some(1)),
            ("0s", Some(1)),
            ("", None),
            ("s", None),
            ("30", None),
            ("30x", None),
            ("-1s", None),
            ("99999999999999999999s", None),
            ("9223372036854775807h", None),
            ("2147483648s", None),
        ] {
            assert_eq!(seconds(text), wanted, "{text}");
        }
    }

    #[test]
    fn a_command_line_is_parted_without_a_shell() {
        let parted = |line: &str| words(line).map(|words| words.join("|"));
        for (line, wanted) in [
            ("python -m bank", "python|-m|bank"),
            ("  a   b ", "a|b"),
            ("sh -c 'a && b'", "sh|-c|a && b"),
            (r#"a "b \" c" d\ e"#, r#"a|b " c|d e"#),
            ("a '' b", "a||b"),
            (r"'\'", r"\"),
            ("a=$(KGENTS_AGENT)", "a=$(KGENTS_AGENT)"),
        ] {
            assert_eq!(parted(line).as_deref(), Some(wanted), "{line}");
        }
        for bad in ["'a", "\"a", "a\\"] {
            assert_eq!(parted(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_peer_is_a_name_or_a_genus() {
        assert_eq!(peer("b-gent"), Ok(Peer::Name("b-gent".to_owned())));
        assert_eq!(peer("genus:Psi"), Ok(Peer::Genus(Genus::Psi)));
        let long = "x".repeat(64);
        for bad in ["", "genus:", "genus:Banker", "B", "-a", "a-", "1a", "a.b", "a b", long.as_str()] {
            assert!(peer(bad).is_err(), "{bad}");
        }
    }
}
