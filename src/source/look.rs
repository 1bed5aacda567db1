//! One look through the best layer that answers within its time.
//!
//! The two live layers are asked side by side. The Cortex is preferred as long
//! as it has not failed and little time has passed. Where nothing live answers,
//! the Ghost is read. No hysteresis: this is one question.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures::future::{Either, join_all, select};
use kgents_store::bus::{Batch, Change, Control};
use kgents_store::object::Decoded;
use kgents_store::watch::{Link, Scene, Watch, WatchState};
use kgents_store::{Kind, Layer, Novelty, Rung};
use kgents_wire::cortex as wire;
use tokio::time::{sleep, timeout};

use crate::clock;
use crate::error::SourceError;
use crate::ghost::Memory;
use crate::grpc::{self, Event, deaf};
use crate::kube::{self, Client};
use crate::options::Options;
use crate::recall::recall;

/// How long an answer of the Kubernetes API is held back for the Cortex, which
/// is asked first. One that is well answers in a few milliseconds.
const PREFERENCE: Duration = Duration::from_millis(250);

/// How many objects one answer may hold.
const MAX_OBJECTS: usize = 200_000;
/// How many odd things are told of an answer.
const MAX_NOTES: usize = 5;

/// What is to be looked at.
#[derive(Clone, Debug)]
pub struct Ask<'a> {
    /// The kinds to list; the first is the one that matters.
    pub kinds: &'a [Kind],
    /// A label selector for the first kind, for those who can filter. What the
    /// others answer holds more.
    pub selector: Option<&'a str>,
    /// Ask for the API server's version as well.
    pub version: bool,
    /// How long a live answer is waited for; each request has its own limit
    /// besides.
    pub limit: Option<Duration>,
}

/// What one look found.
#[derive(Debug, Default)]
pub struct Look {
    /// Who answered; `None` if nobody did.
    pub layer: Option<Layer>,
    /// The objects, the thoughts, and how everything stands, for a terrarium.
    pub batch: Batch,
    /// The kinds that could not be listed by who answered, and why.
    pub errors: BTreeMap<Kind, SourceError>,
    /// The layers that did not answer, and why, in the order in which they
    /// were asked.
    pub failures: Vec<(Layer, SourceError)>,
}

/// An answer of one layer.
struct Answer {
    changes: Vec<Change>,
    thoughts: Vec<kgents_store::Thought>,
    watches: Vec<(Kind, Watch)>,
    errors: BTreeMap<Kind, SourceError>,
    address: String,
    version: String,
    notes: Vec<String>,
    scene: Scene,
}

/// Looks once.
pub async fn look(options: &Options, ask: &Ask<'_>) -> Look {
    let scene = kube::scene(options);
    let (live, mut failures) = Box::pin(live(options, ask, scene.as_ref().ok())).await;
    if let Some((layer, answer)) = live {
        return found(layer, answer, failures);
    }
    // Who answers and refuses is no reason to believe a memory instead.
    let refused = failures.iter().any(|(_, error)| !error.is_silence());
    if !refused && options.asks(Layer::Ghost) {
        match recall(options, scene.clone()).await {
            Ok((path, memory)) => {
                let answer = from_memory(path.display().to_string(), memory, ask.kinds, scene.ok().as_ref());
                return found(Layer::Ghost, answer, failures);
            }
            Err(error) => failures.push((Layer::Ghost, error)),
        }
    }
    nothing(scene.unwrap_or_default(), failures)
}

type Failures = Vec<(Layer, SourceError)>;

/// The two live layers, of which the Cortex is preferred for a while.
async fn live(options: &Options, ask: &Ask<'_>, scene: Option<&Scene>) -> (Option<(Layer, Answer)>, Failures) {
    let mut failures = Vec::new();
    let kube = match options.layer {
        Some(Layer::Grpc) => {
            return finish(Layer::Grpc, cortex(options, ask, scene).await, failures);
        }
        Some(Layer::Kube) => api(options, ask).await,
        Some(_) => return (None, failures),
        None => {
            let hold = pin!(sleep(PREFERENCE));
            let (grpc, kube) = (pin!(cortex(options, ask, scene)), pin!(api(options, ask)));
            let (grpc, kube) = match select(grpc, kube).await {
                Either::Left((Ok(answer), _)) => return (Some((Layer::Grpc, answer)), failures),
                Either::Left((Err(error), kube)) => (Some(Err(error)), kube.await),
                Either::Right((Err(error), grpc)) => (Some(grpc.await), Err(error)),
                Either::Right((answer, grpc)) => match select(grpc, hold).await {
                    Either::Left((grpc, _)) => (Some(grpc), answer),
                    Either::Right(_) => (None, answer),
                },
            };
            match grpc {
                Some(Ok(answer)) => return (Some((Layer::Grpc, answer)), failures),
                Some(Err(error)) => failures.push((Layer::Grpc, error)),
                None => failures.push((Layer::Grpc, grpc::slow(options, PREFERENCE))),
            }
            kube
        }
    };
    finish(Layer::Kube, kube, failures)
}

fn finish(
    layer: Layer,
    answer: Result<Answer, SourceError>,
    mut failures: Failures,
) -> (Option<(Layer, Answer)>, Failures) {
    match answer {
        Ok(answer) => (Some((layer, answer)), failures),
        Err(error) => {
            failures.push((layer, error));
            (None, failures)
        }
    }
}

/// An answer within a limit, if there is one; else an error.
async fn within<T>(
    limit: Option<Duration>,
    answer: impl Future<Output = Result<T, SourceError>>,
    late: impl FnOnce(Duration) -> SourceError,
) -> Result<T, SourceError> {
    match limit {
        Some(limit) => timeout(limit, answer).await.unwrap_or_else(|_| Err(late(limit))),
        None => answer.await,
    }
}

/// What the Cortex has: its stream, up to where it is whole.
async fn cortex(options: &Options, ask: &Ask<'_>, scene: Option<&Scene>) -> Result<Answer, SourceError> {
    let limit = ask.limit.unwrap_or_else(|| options.timeout());
    within(Some(limit), stream(options, ask, scene), |limit| grpc::slow(options, limit)).await
}

async fn stream(options: &Options, ask: &Ask<'_>, scene: Option<&Scene>) -> Result<Answer, SourceError> {
    let cortex = grpc::dial(options, scene).await?;
    if let Some(error) = deaf(&cortex, &cortex.hearing.link) {
        return Err(error);
    }
    let namespace = scene.map_or_else(|| options.namespace.clone(), |scene| scene.namespace.clone());
    let mut kinds: Vec<String> = ask.kinds.iter().map(|kind| kind.as_str().to_owned()).collect();
    // Events come as thoughts.
    if ask.kinds.contains(&Kind::Event) {
        kinds.retain(|kind| kind != Kind::Event.as_str());
        kinds.push("Thought".to_owned());
    }
    let request = wire::WatchRequest { kinds, namespace: namespace.clone().unwrap_or_default(), ..Default::default() };
    let mut stream = cortex.watch(request).await?;
    let mut objects: BTreeMap<(Kind, kgents_store::Key), Decoded> = BTreeMap::new();
    let (mut thoughts, mut notes, mut synced) = (Vec::new(), cortex.notes(), false);
    let mut hearing = Box::new(cortex.hearing.clone());
    // One that has just started may still be listing.
    while !synced || !hearing.is_whole(ask.kinds) {
        match grpc::next(&cortex, &mut stream, options.timeout()).await?.1 {
            Event::Begin { .. } => {}
            Event::Put(kind, object) => {
                if objects.len() < MAX_OBJECTS {
                    objects.insert((kind, object.key.clone()), *object);
                }
            }
            Event::Gone(kind, key) => drop(objects.remove(&(kind, key))),
            Event::Thought(thought) => thoughts.push(*thought),
            Event::Synced => synced = true,
            Event::Heard(heard) => {
                hearing = heard;
                if let Some(error) = deaf(&cortex, &hearing.link) {
                    return Err(error);
                }
            }
            Event::Strange(problem) => {
                if !notes.contains(&problem) && notes.len() < MAX_NOTES {
                    notes.push(problem);
                }
            }
        }
    }
    let watches: Vec<(Kind, Watch)> = hearing.kinds.into_iter().filter(|(kind, _)| ask.kinds.contains(kind)).collect();
    let scene = scene.cloned().unwrap_or_else(|| Scene { namespace, ..cortex.scene.clone() });
    Ok(Answer {
        changes: objects.into_iter().map(|((kind, _), object)| initial(kind, object)).collect(),
        thoughts,
        errors: watches.iter().filter_map(|(kind, watch)| Some((*kind, refusal(*kind, watch)?))).collect(),
        watches,
        address: cortex.address.place(),
        version: match hearing.link {
            Link::Up { version } => version,
            _ => String::new(),
        },
        notes,
        scene,
    })
}

/// Why a Cortex could not list a kind, if it could not.
fn refusal(kind: Kind, watch: &Watch) -> Option<SourceError> {
    match &watch.state {
        WatchState::Missing => Some(SourceError::Missing { resource: kind.resource() }),
        WatchState::Forbidden { verb, resource, namespace } => Some(SourceError::Forbidden {
            origin: Arc::default(),
            verb: verb.clone(),
            resource: resource.clone(),
            namespace: namespace.clone(),
            detail: "the Cortex may not".to_owned(),
        }),
        _ => None,
    }
}

/// What the API server has: its lists.
async fn api(options: &Options, ask: &Ask<'_>) -> Result<Answer, SourceError> {
    let late = |limit| kube::late(options, limit);
    within(ask.limit, lists(options, ask), late).await
}

async fn lists(options: &Options, ask: &Ask<'_>) -> Result<Answer, SourceError> {
    let client = Client::connect(options).await?;
    let main = ask.kinds.first().copied();
    let lists = ask.kinds.iter().map(|kind| client.list(*kind, ask.selector.filter(|_| Some(*kind) == main)));
    let version = async { if ask.version { client.server_version().await } else { Ok(String::new()) } };
    let (version, lists) = tokio::join!(version, join_all(lists));
    let now = clock::now();
    let version = match version {
        Ok(version) => version,
        // That it keeps its version to itself is no trouble.
        Err(error) if !error.is_silence() => String::new(),
        Err(error) => return Err(error),
    };
    let mut answer = Answer {
        changes: Vec::new(),
        thoughts: Vec::new(),
        watches: Vec::new(),
        errors: BTreeMap::new(),
        address: client.scene().server.clone(),
        version,
        notes: Vec::new(),
        scene: client.scene().clone(),
    };
    for (kind, list) in ask.kinds.iter().copied().zip(lists) {
        let watch = match list {
            Ok(listed) => {
                answer.changes.extend(listed.items.into_iter().map(|object| initial(kind, object)));
                Watch { state: WatchState::Live, as_of: Some(listed.as_of), refused: listed.refused }
            }
            Err(error) => {
                let watch = Watch { state: kube::state_of(&error, now), ..Watch::default() };
                answer.errors.insert(kind, error);
                watch
            }
        };
        answer.watches.push((kind, watch));
    }
    // An answer without what matters is none.
    match main.and_then(|main| answer.errors.get(&main)) {
        Some(error) if error.is_silence() => Err(error.clone()),
        _ => Ok(answer),
    }
}

fn initial(kind: Kind, object: Decoded) -> Change {
    Change { kind, key: object.key.clone(), now: Some(object), novelty: Novelty::Initial }
}

/// What is remembered, as an answer.
fn from_memory(address: String, memory: Memory, kinds: &[Kind], scene: Option<&Scene>) -> Answer {
    let mut answer = Answer {
        changes: Vec::new(),
        thoughts: memory.thoughts,
        watches: Vec::new(),
        errors: BTreeMap::new(),
        address,
        version: String::new(),
        notes: memory.problems.iter().map(ToString::to_string).collect(),
        scene: scene.cloned().unwrap_or(memory.scene),
    };
    for (kind, remembered) in memory.kinds {
        if kinds.contains(&kind) {
            let watch = Watch { state: WatchState::Waiting, as_of: Some(remembered.as_of), refused: Vec::new() };
            answer.watches.push((kind, watch));
            answer.changes.extend(remembered.objects.into_iter().map(|object| initial(kind, object)));
        }
    }
    answer
}

/// What was found, with how each layer stands.
fn found(layer: Layer, answer: Answer, failures: Failures) -> Look {
    let link = Link::Up { version: answer.version };
    let mut control = vec![Control::Scene(answer.scene), Control::Speaks(Some(layer))];
    control.extend(failures.iter().map(|(layer, error)| Control::Rung(*layer, down(error))));
    control.push(Control::Rung(layer, Rung { address: answer.address, link, notes: answer.notes }));
    control.extend(answer.watches.into_iter().map(|(kind, watch)| Control::Watch(kind, watch)));
    let batch = Batch { control, changes: answer.changes, thoughts: answer.thoughts, ..Batch::default() };
    Look { layer: Some(layer), batch, errors: answer.errors, failures }
}

fn nothing(scene: Scene, failures: Failures) -> Look {
    let rungs = failures.iter().map(|(layer, error)| Control::Rung(*layer, down(error)));
    let control = std::iter::once(Control::Scene(scene)).chain(rungs).collect();
    Look { batch: Batch { control, ..Batch::default() }, failures, ..Look::default() }
}

fn down(error: &SourceError) -> Rung {
    let link = Link::Down { since: clock::now(), error: error.to_string(), hint: error.hint().unwrap_or_default() };
    Rung { address: String::new(), link, notes: Vec::new() }
}
