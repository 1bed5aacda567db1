//! What was found, judged: a line for each, with what to type next.

use kgents_source::SourceError;
use kgents_source::checkup::{LayerCheck, Standing};
use kgents_source::ladder;
use kgents_store::Layer;
use serde::{Serialize, Serializer};

use super::Facts;

pub(crate) mod cluster;
mod ghost;
mod machine;
pub(crate) mod operator;

/// How bad something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Severity {
    /// It is as it should be.
    Ok,
    /// Good to know.
    Note,
    /// Something should be done.
    Problem,
}

/// One line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Finding {
    pub(super) severity: Severity,
    /// Which part of the page it belongs to.
    pub(super) area: &'static str,
    /// What it is about.
    pub(super) name: String,
    pub(super) text: String,
    /// What is refused besides.
    pub(super) refused: Vec<&'static str>,
    /// What to type next.
    pub(super) next: Option<String>,
    /// Whether it is in the way of reading.
    pub(super) blocks: bool,
}

impl Finding {
    /// The text, with a cross or a word before what is refused.
    pub(super) fn said(&self, glyphs: bool) -> String {
        if self.refused.is_empty() {
            return self.text.clone();
        }
        let no = if glyphs { "✗" } else { "not:" };
        format!("{}  {no} {}", self.text, self.refused.join(" ")).trim_start().to_owned()
    }

    fn next(mut self, command: impl Into<String>) -> Self {
        self.next = Some(command.into());
        self
    }

    fn blocks(mut self) -> Self {
        self.blocks = true;
        self
    }
}

/// `{severity, area, text, next}`.
impl Serialize for Finding {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeStruct;
        let mut finding = serializer.serialize_struct("Finding", 4)?;
        finding.serialize_field("severity", &self.severity)?;
        finding.serialize_field("area", self.area)?;
        finding.serialize_field("text", &format!("{}: {}", self.name, self.said(false)))?;
        finding.serialize_field("next", &self.next)?;
        finding.end()
    }
}

fn finding(severity: Severity, area: &'static str, name: impl Into<String>, text: impl Into<String>) -> Finding {
    let (name, text) = (name.into(), text.into());
    Finding { severity, area, name, text, refused: Vec::new(), next: None, blocks: false }
}

/// Everything, in the order of the page.
pub(super) fn all(facts: &Facts) -> Vec<Finding> {
    let mut all = layers(facts);
    all.extend(cluster::rights(facts));
    all.extend(cluster::crds(facts));
    all.extend(operator::all(facts));
    all.extend(cluster::clock(facts));
    all.extend(ghost::all(facts));
    all.extend(machine::terminal(&facts.terminal));
    all.extend(machine::limits(&facts.limits));
    all.extend(config(facts));
    all
}

fn is_live(facts: &Facts) -> bool {
    facts.checkup.speaks.is_some_and(Layer::is_live)
}

/// Whether a layer was asked and does not answer.
fn is_silent(facts: &Facts, layer: Layer) -> bool {
    let check = facts.checkup.layers.iter().find(|check| check.layer == layer);
    check.is_some_and(|check| matches!(check.standing, Standing::Down(_)))
}

fn layers(facts: &Facts) -> Vec<Finding> {
    let mut found = Vec::new();
    for check in &facts.checkup.layers {
        found.push(layer(check, facts));
        found.extend(check.notes.iter().map(|note| finding(Severity::Note, "layers", check.layer.as_str(), note)));
    }
    found
}

fn layer(check: &LayerCheck, facts: &Facts) -> Finding {
    let of = |severity, text: String| finding(severity, "layers", check.layer.as_str(), text);
    match &check.standing {
        Standing::NotAsked => of(Severity::Note, format!("not asked: only {} is", facts.pinned.unwrap_or("another"))),
        Standing::Up { latency, version, instance } => {
            let mut said = vec![format!("{} in {} ms", check.address, latency.as_millis())];
            match check.layer {
                _ if version.is_empty() => {}
                Layer::Kube => said.push(format!("Kubernetes {version}")),
                _ => said.push(format!("kgents {version}")),
            }
            said.extend(instance.iter().map(|instance| format!("instance {instance}")));
            said.extend(check.context.iter().map(|context| format!("context {context}")));
            if *latency > ladder::budget(check.layer) {
                let budget = ladder::budget(check.layer).as_millis();
                said.push(format!("too slow: a view goes on without it after {budget} ms"));
                return of(Severity::Problem, said.join(", "));
            }
            of(Severity::Ok, said.join(", "))
        }
        Standing::Down(error) => {
            // Nobody needs a Cortex, and a Ghost makes itself.
            let dispensable = matches!(error, SourceError::NoCortex { .. } | SourceError::NoGhost { .. });
            let severity = if dispensable { Severity::Note } else { Severity::Problem };
            Finding { next: next(check.layer, error, facts), ..of(severity, error.to_string()) }
        }
    }
}

/// What to type next about a layer that is down.
pub(super) fn next(layer: Layer, error: &SourceError, facts: &Facts) -> Option<String> {
    let pinned = facts.pinned == Some(layer.as_str());
    match error {
        // The API server answers as well.
        SourceError::Cortex { .. } if !pinned && !is_silent(facts, Layer::Kube) => {
            Some("kgents status --layer kube".to_owned())
        }
        SourceError::NoCortex { .. } | SourceError::Cortex { .. } => Some("kgents cortex serve".to_owned()),
        SourceError::NoGhost { path, .. } if path.is_file() => {
            let path = path.display();
            Some(format!("mv {path} {path}.old"))
        }
        // It is filled by what is live.
        SourceError::NoGhost { .. } if !is_live(facts) && !pinned => None,
        error => error.hint(),
    }
}

fn config(facts: &Facts) -> Vec<Finding> {
    let config = &facts.config;
    let of = |severity, name: &str, text: String| finding(severity, "config", name, text);
    let path = config.place.as_ref().map(|place| crate::settings::shown(&place.path));
    let mut found = Vec::new();
    for problem in &config.problems {
        let next = problem.hint.unwrap_or("kgents config path");
        found.push(of(Severity::Problem, "wrong", problem.to_string()).next(next).blocks());
    }
    found.extend(config.warnings.iter().map(|warning| of(Severity::Note, "odd", warning.clone())));
    match (path, config.keys) {
        (None, _) => {
            found.push(of(Severity::Ok, "file", "there is none: there is no home; the defaults hold".to_owned()));
        }
        (Some(path), Some(1)) => found.push(of(Severity::Ok, "file", format!("{path} sets 1 key"))),
        (Some(path), Some(count)) => found.push(of(Severity::Ok, "file", format!("{path} sets {count} keys"))),
        (Some(path), None) if found.is_empty() => {
            found.push(of(Severity::Ok, "file", format!("{path} is not there: the defaults hold")));
        }
        (Some(path), None) => found.push(of(Severity::Note, "file", path)),
    }
    found.push(match &facts.log {
        Ok(path) => of(Severity::Ok, "logs", path.display().to_string()),
        Err(why) => {
            of(Severity::Note, "logs", format!("none are written: {why}")).next("kgents status --log-file FILE")
        }
    });
    found
}
