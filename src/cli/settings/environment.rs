//! What the environment says.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;

use super::Origin;
use super::file::Problem;
use super::keys::{Key, Raw};
use super::layers::Layer;

/// What ours begin with.
const PREFIX: &str = "KGENTS_";
/// The variable that names the file.
const CONFIG: &str = "KGENTS_CONFIG";
/// Variables of ours that are no settings: those of tests, and those that an
/// agent's container is given.
const OTHERS: [&str; 7] = [
    CONFIG,
    "KGENTS_BLESS",
    "KGENTS_AGENT",
    "KGENTS_GENUS",
    "KGENTS_STATE_PATH",
    "KGENTS_SPEC_PATH",
    "KGENTS_SAFEMODE",
];
/// What more of them begin with.
const OTHER_PREFIXES: [&str; 2] = ["KGENTS_TEST_", "KGENTS_PTY_"];

/// The variables that we look at. A variable that is empty counts as none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Env {
    /// `$HOME`, if it is absolute.
    pub(crate) home: Option<PathBuf>,
    /// `$XDG_CONFIG_HOME`.
    pub(crate) config_home: Option<PathBuf>,
    /// `$KGENTS_CONFIG`.
    pub(crate) config: Option<OsString>,
    /// Whether we are at the far end of an SSH connection.
    pub(crate) ssh: bool,
    /// Whether `$KUBECONFIG` names a kubeconfig.
    pub(crate) kubeconfig: bool,
    /// Those that may be settings.
    settings: BTreeMap<String, OsString>,
}

impl Env {
    /// The environment of this process.
    pub(crate) fn system() -> Self {
        Self::of(std::env::vars_os())
    }

    /// An environment of these variables.
    pub(crate) fn of(variables: impl IntoIterator<Item = (OsString, OsString)>) -> Self {
        let mut env = Self::default();
        for (name, value) in variables {
            let Some(name) = name.to_str() else { continue };
            if value.is_empty() {
                continue;
            }
            match name {
                "HOME" => env.home = Some(value.into()).filter(|home: &PathBuf| home.is_absolute()),
                "XDG_CONFIG_HOME" => env.config_home = Some(value.into()),
                "KUBECONFIG" => env.kubeconfig = true,
                "SSH_CONNECTION" | "SSH_TTY" => env.ssh = true,
                CONFIG => env.config = Some(value),
                _ if is_setting(name) => {
                    env.settings.insert(name.to_owned(), value);
                }
                _ => {}
            }
        }
        env
    }

    /// Whether something may be a setting.
    pub(crate) fn says_anything(&self) -> bool {
        !self.settings.is_empty()
    }

    /// What is right in it; what is wrong; and the warnings.
    pub(crate) fn layer(&self, keys: &[Key]) -> (Layer, Vec<Problem>, Vec<String>) {
        let (mut layer, mut problems, mut warnings) = (Layer::default(), Vec::new(), Vec::new());
        for (name, value) in &self.settings {
            let own = keys.iter().find(|key| key.variable() == *name);
            let Some(key) = own.or_else(|| keys.iter().find(|key| key.alias.as_deref() == Some(name))) else {
                warnings.extend(nearest(name, keys).map(|near| format!("{name} means nothing; did you mean {near}?")));
                continue;
            };
            // Of two names the full one counts.
            if own.is_none() && self.settings.contains_key(&key.variable()) {
                continue;
            }
            let read = match value.to_str() {
                Some(text) => key.read(&raw(text, key)),
                None => Err("this is not UTF-8".to_owned()),
            };
            match read {
                Ok(given) => layer.set(key.full(), given, Origin::Variable(name.clone()), 0),
                Err(sentence) => problems.push(Problem::with_key(name.clone(), sentence)),
            }
        }
        let variable = |full: &str| match layer.origin(full) {
            Some(Origin::Variable(name)) => name.clone(),
            _ => full.to_owned(),
        };
        if let Some((_, sentence)) = layer.clash(variable) {
            problems.push(Problem::with_key("the environment".to_owned(), sentence));
        }
        (layer, problems, warnings)
    }
}

fn is_setting(name: &str) -> bool {
    name.starts_with(PREFIX) && !OTHERS.contains(&name) && !OTHER_PREFIXES.iter().any(|prefix| name.starts_with(prefix))
}

/// A variable is always text; where true or false or a number is wanted it is
/// read as that.
fn raw<'a>(text: &'a str, key: &Key) -> Raw<'a> {
    match text {
        "true" if key.is_flag() => Raw::Flag(true),
        "false" if key.is_flag() => Raw::Flag(false),
        _ if key.is_count() => Raw::Figure(text.to_owned()),
        _ if key.is_chord() => Raw::Texts(text.split_whitespace().map(str::to_owned).collect()),
        _ => Raw::Text(text),
    }
}

/// The variable that was most likely meant. Others may call theirs as they
/// like, so only what is written nearly alike counts.
fn nearest(name: &str, keys: &[Key]) -> Option<String> {
    let known = keys.iter().flat_map(|key| [Some(key.variable()), key.alias.clone()]).flatten();
    known
        .chain([CONFIG.to_owned()])
        .map(|known| (strsim::osa_distance(name, &known), known))
        .filter(|(distance, _)| *distance <= 2)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, known)| known)
}
