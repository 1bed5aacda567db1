//! Where the terrarium is heard from, and how well.

use jiff::Timestamp;
use serde::{Serialize, Serializer};

/// Who answers, the best first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Layer {
    /// The Cortex daemon, over gRPC.
    Grpc,
    /// The Kubernetes API.
    Kube,
    /// The last known state, on disk.
    Ghost,
    /// A recorded tree that is played. It is nobody's cluster.
    Fixture,
}

impl Layer {
    /// The layers that can be asked, in the order in which they are.
    pub const ASKED: [Self; 3] = [Self::Grpc, Self::Kube, Self::Ghost];

    /// The word in JSON and on the command line.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Grpc => "grpc",
            Self::Kube => "kube",
            Self::Ghost => "ghost",
            Self::Fixture => "fixture",
        }
    }

    /// The badge in the window's header.
    pub const fn badge(self) -> &'static str {
        match self {
            Self::Grpc => "LIVE",
            Self::Kube => "K8S",
            Self::Ghost => "GHOST",
            Self::Fixture => "FIXTURE",
        }
    }

    /// Whether what it says is true now, as far as anybody knows.
    pub const fn is_live(self) -> bool {
        matches!(self, Self::Grpc | Self::Kube)
    }
}

impl std::fmt::Display for Layer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.as_str())
    }
}

impl Serialize for Layer {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// How one kind is heard at the moment. Where a kind is watched in several
/// namespaces, this is the worst of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum WatchState {
    /// Nothing was asked yet.
    Waiting,
    /// The first list is under way.
    Listing,
    /// Listed, and changes are followed.
    Live,
    /// The API server does not know the resource: its CRD is not installed.
    Missing,
    /// The API server refuses.
    Forbidden {
        /// What was asked: list or watch.
        verb: String,
        /// The resource with its group, as RBAC names it.
        resource: String,
        /// Where; `None` for the whole cluster.
        namespace: Option<String>,
    },
    /// No answer, or no useful one. What was known stays.
    Failing {
        /// When it stopped answering.
        since: Timestamp,
        /// Why, in words.
        error: String,
    },
}

impl WatchState {
    /// Whether what is shown is followed as it changes.
    pub const fn is_live(&self) -> bool {
        matches!(self, Self::Live)
    }

    /// Whether the first question has had an answer, good or bad.
    pub const fn is_settled(&self) -> bool {
        !matches!(self, Self::Waiting | Self::Listing)
    }
}

/// How one kind is heard, and since when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Watch {
    /// How it is heard.
    #[serde(flatten)]
    pub state: WatchState,
    /// When a live answer was last verified; `None` if there was none.
    pub as_of: Option<Timestamp>,
    /// Namespaces that may not be read, where others may.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub refused: Vec<String>,
}

impl Default for Watch {
    fn default() -> Self {
        Self { state: WatchState::Waiting, as_of: None, refused: Vec::new() }
    }
}

/// What is looked at: where the API server is and how much of it is read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Scene {
    /// Name of the kubeconfig context; empty within a cluster.
    pub context: String,
    /// URL of the API server.
    pub server: String,
    /// The one namespace that is read; `None` for all that may be read.
    pub namespace: Option<String>,
}

/// How the connection to a layer stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum Link {
    /// Nothing has answered yet.
    Connecting,
    /// It answers.
    Up {
        /// Its version, as it says it; of a Cortex, that of its API server.
        version: String,
    },
    /// It does not answer.
    Down {
        /// Since when.
        since: Timestamp,
        /// Why, in words.
        error: String,
        /// What to type next.
        hint: String,
    },
}
