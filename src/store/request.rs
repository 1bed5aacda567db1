//! What a window asks for beyond watching, and what it is told.
//!
//! Types alone: a window makes requests, a source fulfils them. A request is
//! fulfilled once and never tried again on another layer.

use jiff::Timestamp;
use kgents_api::PheromoneSpec;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::key::{Key, Kind};
use crate::object::EventFacts;
use crate::planned::Planned;

/// One request. Its replies carry its number, which is never used again.
#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    /// The number.
    pub id: u64,
    /// What is asked for.
    pub ask: Ask,
}

/// What can be asked for.
#[derive(Clone, Debug, PartialEq)]
pub enum Ask {
    /// Changes something in the cluster.
    Act(Act),
    /// As whom the API server knows us.
    WhoAmI,
    /// What a proposal's patch would make of its target, by a dry run of the
    /// API server.
    DryRun(Key),
    /// What an agent was made into: every object with its label.
    Children(Key),
    /// The Events about an object, the newest last.
    Events(Kind, Key),
    /// What an operator would do about an object.
    Plan(Kind, Key),
    /// Lines of a container, until [`Ask::Cancel`] where they are followed.
    Logs(Logs),
    /// The contexts of the kubeconfig. Asks nobody but the disk.
    Contexts,
    /// The namespaces that may be read.
    Namespaces,
    /// The last lines of talk with an agent.
    History(Key),
    /// Adds lines to the talk with an agent.
    Say(Key, Vec<ChatLine>),
    /// Writes a file into the working directory under a name like this one,
    /// never over another.
    Save {
        /// The wanted name; a number is added where it is taken.
        name: String,
        /// What stands in it.
        text: String,
    },
    /// Looks at another context or another namespace from now on.
    Switch {
        /// The context; `None` stays in the present one.
        context: Option<String>,
        /// The namespace; `None` is all of them.
        namespace: Option<String>,
    },
    /// No more replies to this request are wanted.
    Cancel(u64),
}

/// A change that a person causes.
#[derive(Clone, Debug, PartialEq)]
pub enum Act {
    /// Approves or rejects a proposal as who we are.
    Decide {
        /// The proposal.
        proposal: Key,
        /// What was looked at: another object or version is a conflict.
        seen: Seen,
        /// Approve, or reject.
        approve: bool,
        /// Why. A rejection has one.
        reason: Option<String>,
    },
    /// Emits a pheromone.
    Emit {
        /// Where.
        namespace: String,
        /// What. `emittedAt` is left to the API server's clock if `None`.
        spec: Box<PheromoneSpec>,
    },
    /// Sets how many pods an agent has.
    Scale {
        /// The agent.
        agent: Key,
        /// The number.
        replicas: i32,
    },
    /// Deletes an object.
    Delete {
        /// Its kind.
        kind: Kind,
        /// Its key.
        key: Key,
        /// What was looked at: another object is a conflict, another version is not.
        seen: Seen,
    },
}

/// Which object a person looked at when they decided.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// Its uid.
    pub uid: String,
    /// Its resource version.
    pub resource_version: String,
}

/// Which lines of which container.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Logs {
    /// The pod.
    pub pod: Key,
    /// The container; the first if `None`.
    pub container: Option<String>,
    /// Of the container that ran before.
    pub previous: bool,
    /// Only of the last so many seconds.
    pub since_seconds: Option<i64>,
    /// At most so many lines from the end.
    pub tail: i64,
    /// Goes on as lines are written.
    pub follow: bool,
}

/// One answer to a request.
#[derive(Clone, Debug, PartialEq)]
pub struct Reply {
    /// The number of the request.
    pub id: u64,
    /// What is answered.
    pub answer: Answer,
}

/// What can be answered.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// It was done; what the API server made of it, in words.
    Done(String),
    /// It was not done.
    Failed(Problem),
    /// As whom the API server knows us.
    You(String),
    /// What a patch would make of its target.
    DryRun(Box<DryRun>),
    /// What an agent was made into.
    Children(Vec<Child>),
    /// Events, the newest last.
    Events(Vec<EventFacts>),
    /// What would be done about an object.
    Plan(Box<Planned>),
    /// More lines of a container, cleaned for a terminal: at most 500, each of
    /// at most 64 KiB.
    Lines(Vec<Box<str>>),
    /// No more lines will come, and why in words.
    LinesEnd(String),
    /// The contexts of the kubeconfig, in its order.
    Contexts(Vec<ContextFacts>),
    /// Namespaces, sorted.
    Namespaces(Vec<String>),
    /// Lines of talk, the newest last.
    History(Vec<ChatLine>),
}

/// Why something was not done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// What failed, on what, in a sentence.
    pub said: String,
    /// The next command to type, if one helps.
    pub hint: Option<String>,
    /// Somebody else was faster (409): read again, then decide again.
    pub conflict: bool,
}

/// A target before and after a patch, as the API server has it.
#[derive(Clone, Debug, PartialEq)]
pub struct DryRun {
    /// Such as `kgents.io/v1 Agent b-gent`.
    pub target: String,
    /// As it is; `Null` where it would be made. Without status, without what
    /// differs between any two versions (managedFields, resourceVersion,
    /// generation), and without the values of a Secret. Cleaned.
    pub before: Value,
    /// As it would be; `Null` where it would be deleted.
    pub after: Value,
    /// When the API server said so.
    pub at: Timestamp,
}

/// An object that an agent was made into.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Child {
    /// Its kind, such as `Deployment`.
    pub kind: String,
    /// Its name; empty where objects of this kind cannot be listed, and `said` is why.
    pub name: String,
    /// How it stands, in a few words; empty where nothing is to be said.
    pub said: String,
    /// Whether something is wrong with it.
    pub trouble: bool,
    /// When it was made.
    pub made: Option<Timestamp>,
}

/// A context of the kubeconfig.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContextFacts {
    /// Its name.
    pub name: String,
    /// The server's address, without secrets; empty where the cluster is missing.
    pub server: String,
    /// The namespace that it names.
    pub namespace: Option<String>,
    /// Whether it is the current one.
    pub current: bool,
}

/// One line of talk with an agent, as it stands in the history.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChatLine {
    /// When it was said.
    pub at: Timestamp,
    /// Who said it: `you`, or the agent's name.
    pub who: String,
    /// What was said.
    pub text: String,
    /// The fields that an answer was read from, such as `status.phase`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub read: Vec<String>,
}
