//! How everything stands: every layer asked side by side, within one limit.
//!
//! Nothing in here fails: what cannot be learned says why. What comes out is
//! plain data.

mod cortex;
mod ghost;

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kgents_store::Layer;
use kgents_store::planned::Operator;
use kgents_store::watch::Scene;
use tokio::time::Instant;

pub use ghost::GhostCheck;

use crate::error::SourceError;
use crate::kube;
use crate::ladder::{Answer, Ladder};
use crate::options::Options;

/// How everything stands.
#[derive(Debug)]
pub struct Checkup {
    /// What is looked at, as far as the kubeconfig says so.
    pub scene: Option<Scene>,
    /// The layers, in the order in which they are asked.
    pub layers: Vec<LayerCheck>,
    /// The layer that a view would show; `None` if it would show nothing.
    pub speaks: Option<Layer>,
    /// What we may do, as the API server says; empty if it was not asked.
    pub rights: Vec<Right>,
    /// Our CRDs as the API server has them; empty if it was not asked.
    pub crds: Vec<CrdCheck>,
    /// Who makes the cluster what the custom resources say; `None` if the API
    /// server was not asked or did not answer.
    pub operator: Option<OperatorCheck>,
    /// Whose clock ours was compared with, and what came of it; `None` if
    /// nobody live was asked.
    pub clock: Option<Result<Skew, SourceError>>,
    /// What there is on disk.
    pub ghost: GhostCheck,
}

/// How one layer stands.
#[derive(Debug)]
pub struct LayerCheck {
    /// Which.
    pub layer: Layer,
    /// Where it is, or is looked for; empty if nobody knows.
    pub address: String,
    /// The context that it looks at.
    pub context: Option<String>,
    /// Whether it answers.
    pub standing: Standing,
    /// What is odd about it that stops nobody.
    pub notes: Vec<String>,
}

/// Whether a layer answers.
#[derive(Debug)]
pub enum Standing {
    /// Another layer is the only one that may be asked.
    NotAsked,
    /// It answers.
    Up {
        /// How long it took.
        latency: Duration,
        /// What it says that it is; empty if it does not say.
        version: String,
        /// Which start of a Cortex this is.
        instance: Option<String>,
    },
    /// It does not, or not with anything of use.
    Down(SourceError),
}

/// Whether we may do something.
#[derive(Debug)]
pub struct Right {
    /// The resource with its group, and a subresource behind a slash.
    pub resource: String,
    /// The verb, as RBAC names it.
    pub verb: &'static str,
    /// Where; `None` for the whole cluster.
    pub namespace: Option<String>,
    /// Whether we may, or why that is not known.
    pub answer: Result<bool, SourceError>,
    /// The command that asks the same.
    pub check: String,
}

/// One of our CRDs as the API server has it.
#[derive(Debug)]
pub struct CrdCheck {
    /// Its name.
    pub name: String,
    /// The CRD, `None` if it is not installed, or why that is not known.
    pub answer: Result<Option<Box<CustomResourceDefinition>>, SourceError>,
    /// Whether its resource is served, which everybody may know.
    pub is_served: Option<bool>,
}

/// How the operator stands.
#[derive(Debug)]
pub struct OperatorCheck {
    /// What its Lease says.
    pub operator: Operator,
    /// When that was read, by the clock of the API server where that is known.
    pub at: Timestamp,
}

/// How our clock differs from another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Skew {
    /// Whose clock that is.
    pub of: Layer,
    /// Ours less theirs: negative if ours is behind.
    pub by: SignedDuration,
}

/// Asks everything that may be asked, and waits no longer than the limit.
pub async fn checkup(options: &Options, limit: Duration) -> Checkup {
    let until = clock() + limit;
    // Everything else needs to know what is looked at. It is a file, or a few.
    let aim = kube::aim(options, limit / 4).await;
    let scene = aim.scene.clone();
    let is_asked = |layer| options.asks(layer);
    let (cortex, server, ghost) = tokio::join!(
        async {
            if is_asked(Layer::Grpc) {
                Some(cortex::examine(options, scene.as_ref().ok(), until, limit).await)
            } else {
                None
            }
        },
        async { if is_asked(Layer::Kube) { Some(kube::examine(options, aim, until, limit).await) } else { None } },
        ghost::examine(options, scene.clone(), until, limit),
    );
    let of_kube = server.as_ref().and_then(|server| server.clock.clone());
    let of_cortex = cortex.as_ref().and_then(|cortex| cortex.clock);
    let clock = match (of_kube, of_cortex) {
        (Some(Err(_)) | None, Some(skew)) => Some(Ok(skew)),
        (of_kube, _) => of_kube,
    };
    let scene = scene.ok();
    let context = scene.as_ref().map(|scene| scene.context.clone()).filter(|context| !context.is_empty());
    let (rights, crds, standing, operator) = match server {
        Some(server) => (server.rights, server.crds, server.standing, server.operator),
        None => (Vec::new(), Vec::new(), Standing::NotAsked, None),
    };
    let layers = vec![
        cortex.map_or_else(|| not_asked(Layer::Grpc), |cortex| cortex.check),
        LayerCheck {
            layer: Layer::Kube,
            address: scene.as_ref().map(|scene| scene.server.clone()).unwrap_or_default(),
            context: context.clone(),
            standing,
            notes: Vec::new(),
        },
        ghost.layer(is_asked(Layer::Ghost)),
    ];
    let speaks = speaks(options.layer, &layers);
    Checkup { scene, layers, speaks, rights, crds, operator, clock, ghost }
}

fn not_asked(layer: Layer) -> LayerCheck {
    LayerCheck { layer, address: String::new(), context: None, standing: Standing::NotAsked, notes: Vec::new() }
}

/// Which layer would speak: the ladder says so. That each answers on and on as
/// it did now is assumed, so each answer counts twice.
fn speaks(pinned: Option<Layer>, layers: &[LayerCheck]) -> Option<Layer> {
    let mut ladder = Ladder::new(pinned);
    for check in layers {
        let answer = match &check.standing {
            Standing::NotAsked => continue,
            Standing::Up { latency, .. } => Answer::Good(*latency),
            Standing::Down(_) => Answer::Bad,
        };
        ladder.hear(check.layer, answer);
        ladder.hear(check.layer, answer);
    }
    // Who answers and refuses is no reason to believe a memory instead.
    let is_refused = |check: &LayerCheck| {
        check.layer.is_live() && matches!(&check.standing, Standing::Down(error) if !error.is_silence())
    };
    ladder.speaks().filter(|layer| layer.is_live() || !layers.iter().any(is_refused))
}

/// Ours less theirs, for a clock that was read between two moments of ours.
fn skew(of: Layer, sent: Timestamp, received: Timestamp, theirs: Timestamp) -> Skew {
    let middle = sent + received.duration_since(sent) / 2;
    Skew { of, by: middle.duration_since(theirs) }
}

/// The same for a clock that is told in whole seconds, rounded down.
pub(crate) fn skew_in_seconds(of: Layer, sent: Timestamp, received: Timestamp, theirs: Timestamp) -> Skew {
    skew(of, sent, received, theirs + SignedDuration::from_millis(500))
}

#[allow(clippy::disallowed_methods, reason = "a limit is kept by the monotonic clock")]
pub(crate) fn clock() -> Instant {
    Instant::now()
}

#[cfg(test)]
mod tests;
