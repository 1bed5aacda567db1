//! What happens in a world, as a script: one line each, in order.
//!
//! `14:03:12 b-gent . text` is a thought (`.` information, `?` asks, `!`
//! warns, `x` is an error), `%` is what Kubernetes says of the agent's newest
//! pod, `~ TYPE intensity half-life target payload` is a pheromone (`-` where
//! the default holds), `* words` is a cue for what changes objects. An agent
//! outside the usual namespace is written with it. Empty lines and those that
//! begin with `#` are for the reader.

use kgents_api::NAMESPACE_AGENTS;
use kgents_store::thought::Severity;
use kgents_store::{Key, Kind};
use serde_json::{Value, json};

use crate::stage::Stage;

/// The second of the day at which every world stands: 14:30.
const MOMENT: i64 = (14 * 60 + 30) * 60;

/// How many milliseconds a line may come later than it says: nobody acts on
/// the full second.
const LATE_MS: u64 = 900;

/// The reasons of Events that are no warning.
const ORDINARY: [&str; 5] = ["Created", "Pulled", "Pulling", "Scheduled", "Started"];

/// What a cue does: the stage, the agent, the words.
pub(crate) type Cues = fn(&mut Stage, &Key, &str);

/// Acts a script out. A line that cannot be read is left out; a test counts
/// them.
pub(crate) fn play(stage: &mut Stage, script: &str, cues: Cues) {
    for line in lines(script) {
        let Some(beat) = Beat::read(line) else { continue };
        beat.play(stage, cues);
    }
}

/// The lines that say something.
pub(crate) fn lines(script: &str) -> impl Iterator<Item = &str> {
    script.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'))
}

/// One line of a script.
pub(crate) struct Beat<'a> {
    /// Seconds after the world's moment.
    second: i64,
    agent: Key,
    act: Act<'a>,
}

enum Act<'a> {
    Thinks(Severity, &'a str),
    Event(&'a str),
    Emits(Signal<'a>),
    Cue(&'a str),
}

/// A pheromone as it is written.
pub(crate) struct Signal<'a> {
    pub(crate) type_: &'a str,
    pub(crate) intensity: Option<f64>,
    pub(crate) half_life: Option<f64>,
    pub(crate) target: Option<&'a str>,
    pub(crate) payload: Option<&'a str>,
}

/// The next word and what follows it.
fn word(text: &str) -> Option<(&str, &str)> {
    let text = text.trim_start();
    let (word, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    (!word.is_empty()).then(|| (word, rest.trim()))
}

impl<'a> Beat<'a> {
    /// Reads a line; `None` when it is no line of a script.
    pub(crate) fn read(line: &'a str) -> Option<Self> {
        let (time, rest) = word(line)?;
        let (who, rest) = word(rest)?;
        let (mark, rest) = word(rest)?;
        let act = match mark {
            "." => Act::Thinks(Severity::Info, rest),
            "?" => Act::Thinks(Severity::Asks, rest),
            "!" => Act::Thinks(Severity::Warn, rest),
            "x" => Act::Thinks(Severity::Error, rest),
            "%" => Act::Event(rest),
            "~" => Act::Emits(Signal::read(rest)?),
            "*" => Act::Cue(rest),
            _ => return None,
        };
        let (namespace, name) = who.split_once('/').unwrap_or((NAMESPACE_AGENTS, who));
        Some(Self { second: second(time)? - MOMENT, agent: Key::new(namespace, name), act })
    }

    /// The words of a cue, if it is one.
    #[cfg(test)]
    pub(crate) fn cue(&self) -> Option<&'a str> {
        match self.act {
            Act::Cue(words) => Some(words),
            _ => None,
        }
    }

    fn play(self, stage: &mut Stage, cues: Cues) {
        let late = stage.rng.below(LATE_MS) as i64;
        let due = if self.second == 0 { 0 } else { self.second * 1_000 + late };
        stage.until(due.max(stage.offset().saturating_add(1)));
        let agent = &self.agent;
        match self.act {
            Act::Thinks(severity, text) => stage.think(agent, None, severity, text),
            Act::Event(text) => {
                let pod = newest_pod(stage, agent);
                let ordinary = ORDINARY.iter().any(|reason| text.starts_with(reason));
                stage.think(agent, pod, if ordinary { Severity::Info } else { Severity::Warn }, text);
            }
            Act::Emits(signal) => emit(stage, agent, &signal),
            Act::Cue(words) => cues(stage, agent, words),
        }
    }
}

impl<'a> Signal<'a> {
    fn read(text: &'a str) -> Option<Self> {
        let (type_, rest) = word(text)?;
        let (intensity, rest) = word(rest)?;
        let (half_life, rest) = word(rest)?;
        let (target, payload) = word(rest)?;
        let figure = |word: &str| (word != "-").then(|| word.parse().ok()).flatten();
        Some(Self {
            type_,
            intensity: figure(intensity),
            half_life: figure(half_life),
            target: (target != "-").then_some(target),
            payload: (!payload.is_empty()).then_some(payload),
        })
    }
}

/// Emits a pheromone now.
pub(crate) fn emit(stage: &mut Stage, source: &Key, signal: &Signal<'_>) {
    let mut spec = json!({ "type": signal.type_, "source": source.name(), "emittedAt": stage.clock().to_string() });
    if let Some(intensity) = signal.intensity {
        spec["initialIntensity"] = json!(intensity);
    }
    if let Some(half_life) = signal.half_life {
        spec["halfLifeMinutes"] = json!(half_life);
    }
    if let Some(target) = signal.target {
        spec["target"] = json!(target);
    }
    if let Some(payload) = signal.payload {
        spec["payload"] = serde_json::from_str(payload).unwrap_or_else(|_| Value::from(payload));
    }
    let type_ = signal.type_.to_ascii_lowercase().replace('_', "-");
    let name = format!("{}-{type_}-{}", source.name(), stage.rng.letters(5));
    let labels = json!({ "app.kubernetes.io/part-of": "kgents", "kgents.io/agent": source.name() });
    stage.make(Kind::Pheromone, &Key::new(source.namespace(), &name), &labels, json!({ "spec": spec }));
}

/// The pod of an agent that was made last.
pub(crate) fn newest_pod(stage: &Stage, agent: &Key) -> Option<Key> {
    stage
        .all(Kind::Pod)
        .filter(|(key, pod)| {
            key.namespace() == agent.namespace() && pod["metadata"]["labels"][kgents_api::LABEL_AGENT] == agent.name()
        })
        .max_by_key(|(_, pod)| pod["metadata"]["creationTimestamp"].as_str().unwrap_or_default())
        .map(|(key, _)| key.clone())
}

/// `14:03:12` as a second of the day.
fn second(time: &str) -> Option<i64> {
    let mut parts = time.split(':').map(str::parse::<i64>);
    let (Some(Ok(hours)), Some(Ok(minutes)), Some(Ok(seconds)), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return None;
    };
    Some((hours * 60 + minutes) * 60 + seconds)
}
