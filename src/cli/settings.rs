//! The configuration: defaults, then a file, then the environment, then flags;
//! who comes later wins.
//!
//! The structs on this page are the only place where keys, types, defaults and
//! descriptions stand. What the file is checked against, the names of the
//! variables, `kgents config schema` and `kgents config show` follow from them.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::failure::{Code, Failure};
use crate::themes;

pub(crate) mod environment;
pub(crate) mod file;
pub(crate) mod keys;
pub(crate) mod layers;
pub(crate) mod lenient;
mod reload;
#[cfg(test)]
mod tests;
mod types;

#[cfg(test)]
pub(crate) use layers::merge;
pub(crate) use layers::{load, of_flags};
pub(crate) use reload::Reload;
pub(crate) use types::{Address, Chords, Filter, KeymapName, LayerName, Limit, MetricsAddr, Token, Workers};

/// What `kgents` reads from its configuration file. Every key is optional.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(title = "The configuration of kgents")]
pub(crate) struct Settings {
    /// Ask only this layer [default: all three, the best that answers].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) layer: Option<LayerName>,
    /// The Kubernetes API.
    pub(crate) kube: Kube,
    /// The Cortex, which answers gRPC.
    pub(crate) cortex: Cortex,
    /// The Ghost, the last known state on disk.
    pub(crate) ghost: Ghost,
    /// The window of `kgents observe`.
    pub(crate) window: Window,
    /// Keys of your own for the window, by what they do.
    pub(crate) keys: Chords,
    /// What is logged, and where.
    pub(crate) log: Log,
    /// The operator of `kgents operator run`.
    pub(crate) operator: Operator,
    #[serde(skip)]
    origins: BTreeMap<String, Origin>,
    /// What stands in `cortex.token_file`.
    #[serde(skip)]
    secret: Option<Token>,
}

/// The Kubernetes API.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Kube {
    /// The kubeconfig to use [default: $KUBECONFIG, else ~/.kube/config, else in-cluster].
    /// A `$KUBECONFIG` that is set counts more than this key in the file.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1), extend("format" = "path"), example = "~/.kube/config")]
    pub(crate) kubeconfig: Option<PathBuf>,
    /// The context of the kubeconfig to use [default: its current one].
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub(crate) context: Option<String>,
    /// The namespace to look at [default: that of the context, else all that you may read].
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1), example = "kgents-agents")]
    pub(crate) namespace: Option<String>,
    /// Look at all namespaces.
    pub(crate) all_namespaces: bool,
    /// How long one request may take, such as 5s, 500ms or 1m.
    #[schemars(length(min = 1), example = "5s")]
    pub(crate) request_timeout: Limit,
}

/// The Cortex, which answers gRPC.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Cortex {
    /// Where the Cortex is: HOST:PORT, unix:PATH or a URL [default: its socket, else 127.0.0.1:50051].
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1), example = "127.0.0.1:50051", extend("x-variable" = "KGENTS_CORTEX"))]
    pub(crate) address: Option<Address>,
    /// The token that is sent to it. It is never printed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1), extend("writeOnly" = true))]
    pub(crate) token: Option<Token>,
    /// The file that holds the token, instead of `token`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1), extend("format" = "path"), example = "~/.kgents/token")]
    pub(crate) token_file: Option<PathBuf>,
}

/// The Ghost, the last known state on disk.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Ghost {
    /// The folder of the Ghost [default: ~/.kgents/ghost].
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1), extend("format" = "path"), example = "~/.kgents/ghost")]
    pub(crate) dir: Option<PathBuf>,
    /// Keep the Ghost current while something live is shown.
    pub(crate) keep: bool,
}

impl Default for Ghost {
    fn default() -> Self {
        Self { dir: None, keep: true }
    }
}

/// The window of `kgents observe`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Window {
    /// Clicks and the wheel work; the terminal's own selection does not.
    pub(crate) mouse: bool,
    /// Times in UTC instead of local ones.
    pub(crate) utc: bool,
    /// Only ASCII for lines and bars.
    pub(crate) ascii: bool,
    /// The colours: auto, which follows the terminal's background, or a theme of `kgents config themes`.
    #[schemars(length(min = 1), example = &"light")]
    pub(crate) theme: String,
    /// Changes may be sent from the start; `:write` in the window forbids and allows them.
    pub(crate) write: bool,
    /// The keys to begin with; `[keys]` sets others over them.
    pub(crate) keymap: KeymapName,
    /// Nothing moves but what changes [default: true over SSH, else false].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) reduce_motion: Option<bool>,
}

impl Default for Window {
    fn default() -> Self {
        Self {
            mouse: true,
            utc: false,
            ascii: false,
            theme: themes::AUTO.to_owned(),
            write: false,
            keymap: KeymapName::Default,
            reduce_motion: None,
        }
    }
}

/// What is logged, and where.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Log {
    /// What is logged, such as debug, or warn,kube=trace for some parts.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1), example = &"debug", extend("x-variable" = "KGENTS_LOG"))]
    pub(crate) level: Option<Filter>,
    /// Log to this file instead of a daily one in the state directory.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1), extend("format" = "path"))]
    pub(crate) file: Option<PathBuf>,
}

/// The operator of `kgents operator run`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Operator {
    /// The image of agents that name none, and of our own sidecars [default: that of this version].
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1), example = "ghcr.io/kgents/kgents:0.1.0")]
    pub(crate) agent_image: Option<String>,
    /// Where agents find the Cortex [default: `http://cortex.kgents-system:50051`].
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1), example = "http://cortex.kgents-system:50051")]
    pub(crate) cortex_url: Option<String>,
    /// Where metrics and health are served: HOST:PORT, or none [default: 127.0.0.1:8383, in a pod 0.0.0.0:8383].
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1), example = "127.0.0.1:8383")]
    pub(crate) metrics_addr: Option<MetricsAddr>,
    /// How many objects are worked on at once.
    pub(crate) concurrency: Workers,
    /// The namespace of the operator's Lease [default: in a pod its own, else kgents-system].
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1), example = "kgents-system")]
    pub(crate) lease_namespace: Option<String>,
    /// CHAOS pheromones do what they say: they delete pods.
    pub(crate) allow_chaos: bool,
}

/// Where a value comes from, the weakest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// Nobody said anything.
    Default,
    /// A line of the file.
    File(PathBuf, usize),
    /// A variable of the environment.
    Variable(String),
    /// A flag.
    Flag(&'static str),
}

impl Origin {
    /// How much it counts.
    const fn rank(&self) -> u8 {
        match self {
            Self::Default => 0,
            Self::File(..) => 1,
            Self::Variable(_) => 2,
            Self::Flag(_) => 3,
        }
    }

    /// Its kind, in one word.
    pub(crate) const fn word(&self) -> &'static str {
        match self {
            Self::Default => "default",
            Self::File(..) => "file",
            Self::Variable(_) => "environment",
            Self::Flag(_) => "flag",
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File(path, line) => write!(f, "{}:{line}", shown(path)),
            Self::Variable(name) => f.write_str(name),
            Self::Flag(name) => f.write_str(name),
        }
    }
}

impl Settings {
    /// Reads the file that holds the token, if one is named.
    ///
    /// # Errors
    /// When it cannot be read, or holds no token.
    pub(crate) fn read_token(&mut self) -> Result<(), Failure> {
        let Some(path) = &self.cortex.token_file else { return Ok(()) };
        let wrong = |problem: String| {
            Failure::new(format!("cortex.token_file: {}: {problem}", shown(path)))
                .code(Code::Usage)
                .hint("kgents config show")
        };
        let text = std::fs::read_to_string(path).map_err(|error| wrong(error.to_string()))?;
        let token = Token::try_from(text.trim().to_owned()).map_err(wrong)?;
        if token.reveal().is_empty() {
            return Err(wrong("it is empty".to_owned()));
        }
        self.secret = Some(token);
        Ok(())
    }

    /// The token that is sent to the Cortex.
    pub(crate) fn cortex_token(&self) -> Option<&str> {
        self.cortex.token.as_ref().or(self.secret.as_ref()).map(Token::reveal)
    }

    /// Where the value of a key, such as `kube.context`, comes from.
    pub(crate) fn origin(&self, key: &str) -> &Origin {
        self.origins.get(key).unwrap_or(&Origin::Default)
    }
}

/// A path as it may be printed.
pub(crate) fn shown(path: &Path) -> String {
    kgents_store::sanitize::text(&path.display().to_string()).into_owned()
}
