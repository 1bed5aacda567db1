//! Keeps the Kubernetes layer going: reads the kubeconfig, connects, starts the
//! tasks of a connection, notices when one dies or the kubeconfig changes.

use std::any::Any;
use std::collections::HashMap;
use std::convert::Infallible;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use kgents_store::watch::Scene;
use kgents_store::{Bus, Control, Kind, Layer};

use tokio::task::{Id, JoinError, JoinSet};
use tokio::time::{MissedTickBehavior, interval, sleep};
use tracing::Instrument;

use super::connect::{Patience, connect};
use super::events::EventLog;
use super::kubeconfig::{self, Target};
use super::session::Session;
use super::wire::Wire;
use super::{follow, plugin, probe, words};
use crate::backoff::Backoff;
use crate::clock;
use crate::error::SourceError;
use crate::rung::Teller;
use crate::stage::Desk;

/// How often the kubeconfig is looked at for changes.
const LOOK_EVERY: Duration = Duration::from_secs(3);
/// How long a page of a list may take. Probes notice sooner who answers nothing.
const ANSWER_LIMIT: Duration = Duration::from_secs(30);
/// After how long it is told that a credential plugin is still running.
const PLUGIN_PATIENCE: Duration = Duration::from_secs(5);
/// How long before a credential plugin that failed is run again. It may open
/// a browser each time.
const PLUGIN_AGAIN: Duration = Duration::from_secs(60);
/// How long before their end credentials are renewed.
const RENEW_BEFORE: Duration = Duration::from_secs(60);

/// What outlives connections.
pub(crate) struct Engine {
    desk: Desk,
    link: Arc<Teller>,
    events: Arc<EventLog>,
    scene: Option<Scene>,
}

impl Engine {
    pub(crate) fn new(desk: Desk) -> Self {
        let link = Arc::new(Teller::new(Layer::Kube, desk.bus.clone(), desk.reports.clone()));
        let events = Arc::new(EventLog::new(desk.bus.clone(), desk.boards.clone()));
        Self { desk, link, events, scene: None }
    }

    /// Follows what is there, for ever. It never fails: whatever goes wrong is
    /// told and tried again.
    pub(crate) async fn run(mut self) -> Infallible {
        // The scene alone first: what it needs is read in a moment, and it is
        // told even if the rest of the kubeconfig cannot be used.
        if let Ok(found) = kubeconfig::find(&self.desk.options, None) {
            self.tell_scene(&found.scene).await;
        }
        loop {
            let target = match self.target().await {
                Ok(target) => target,
                Err(error) => {
                    self.link.down(&error).await;
                    sleep(LOOK_EVERY).await;
                    continue;
                }
            };
            self.tell_scene(&target.scene).await;
            match self.connect_patiently(&target).await {
                Ok((wire, expires)) => self.session(target, wire, expires).await,
                Err(error) => {
                    self.link.down(&error).await;
                    let again = if plugin::command_of(&target.config).is_some() { PLUGIN_AGAIN } else { LOOK_EVERY };
                    let _ = tokio::time::timeout(again, changed(&target.files)).await;
                }
            }
        }
    }

    async fn tell_scene(&mut self, scene: &Scene) {
        if self.scene.as_ref() != Some(scene) {
            self.scene = Some(scene.clone());
            self.link.at(&words::scene(scene).server).await;
            self.desk.bus.control(Control::Scene(words::scene(scene))).await;
        }
    }

    /// Reads the kubeconfig, aside: its folder may be on a slow disk.
    async fn target(&self) -> Result<Target, SourceError> {
        let options = self.desk.options.clone();
        // The context is chosen once, whatever becomes the current one later.
        let chosen = self.scene.as_ref().map(|scene| scene.context.clone());
        match tokio::task::spawn_blocking(move || kubeconfig::target(&options, chosen.as_deref())).await {
            Ok(target) => target,
            Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
            Err(_) => std::future::pending().await,
        }
    }

    /// Connects, and says so when a credential plugin keeps us waiting.
    async fn connect_patiently(&self, target: &Target) -> Result<(Wire, Option<Timestamp>), SourceError> {
        let mut connected = std::pin::pin!(connect(target, Patience::Watch(ANSWER_LIMIT)));
        let waiting = sleep(PLUGIN_PATIENCE);
        tokio::select! {
            biased;
            connected = &mut connected => return connected,
            () = waiting => {}
        }
        if let Some(command) = plugin::command_of(&target.config) {
            let problem = "it is still running; perhaps it waits for you in a browser".to_owned();
            self.link.down(&SourceError::Plugin { command, problem }).await;
        }
        connected.await
    }

    /// One connection, until the kubeconfig says that it is to another server
    /// or another part of it.
    async fn session(&self, mut target: Target, wire: Wire, expires: Option<Timestamp>) {
        let session = Arc::new(Session::new(
            wire,
            target.scope.clone(),
            target.own_namespace.clone(),
            self.link.clone(),
            self.desk.boards.clone(),
            self.events.clone(),
        ));
        let mut crew = Crew::new(session.clone(), self.desk.bus.clone());
        let mut wanted = self.desk.wanted.clone();
        let mut held = None;
        let mut renew_at = expires.map(renewal);
        let mut connected_at = clock::now();
        let mut stamps = stamps(&target.files).await;
        let mut look = interval(LOOK_EVERY);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            // Who follows holds the floor, so that nobody else tells what is there.
            if !wanted.borrow_and_update().kube {
                crew.rest().await;
                held = None;
            }
            let mut renew = tokio::select! {
                // The sender lives as long as we do.
                _ = wanted.changed() => continue,
                mut floor = self.desk.floor.clone().lock_owned(), if held.is_none() && wanted.borrow().kube => {
                    *floor = Some(Layer::Kube);
                    held = Some(floor);
                    self.desk.boards.restart(target.scope.one()).await;
                    crew.follow();
                    continue;
                }
                () = crew.keep() => false,
                // Without a plugin there is nothing new to be had but from files.
                () = session.renew.notified() => {
                    plugin::can_renew(&target.config) && clock::now() >= later(connected_at, PLUGIN_AGAIN)
                }
                _ = look.tick() => false,
            };
            let now = self::stamps(&target.files).await;
            let touched = now != stamps;
            stamps = now;
            renew |= renew_at.is_some_and(|at| at <= clock::now());
            if !touched && !renew {
                continue;
            }
            let next = match self.target().await {
                Ok(next) => next,
                // Perhaps half written. What was good stays.
                Err(error) => {
                    tracing::warn!(%error, "the kubeconfig changed and cannot be used; the old one stays");
                    continue;
                }
            };
            if next.scene != target.scene {
                return;
            }
            if !renew && next.identity == target.identity {
                continue;
            }
            tracing::info!(server = %next.origin(), "new credentials");
            connected_at = clock::now();
            match connect(&next, Patience::Watch(ANSWER_LIMIT)).await {
                Ok((wire, expires)) => {
                    session.wire.send_replace(wire);
                    renew_at = expires.map(renewal);
                    session.nudge.notify_one();
                }
                Err(error) => {
                    tracing::warn!(%error, "no new credentials; the old ones stay");
                    renew_at = renew_at.map(|_| later(clock::now(), PLUGIN_AGAIN));
                }
            }
            stamps = self::stamps(&next.files).await;
            target = next;
        }
    }
}

fn later(time: Timestamp, by: Duration) -> Timestamp {
    time.saturating_add(by).unwrap_or(Timestamp::MAX)
}

/// When to renew what ends at `end`: a while before, but not all the time.
fn renewal(end: Timestamp) -> Timestamp {
    let before = end.saturating_sub(RENEW_BEFORE).unwrap_or(Timestamp::MIN);
    before.max(later(clock::now(), PLUGIN_AGAIN))
}

type Stamps = Vec<Option<(SystemTime, u64)>>;

/// When these files were last written.
async fn stamps(files: &[PathBuf]) -> Stamps {
    let files = files.to_vec();
    let stamps = move || files.iter().map(|file| kubeconfig::stamp(file)).collect();
    tokio::task::spawn_blocking(stamps).await.unwrap_or_default()
}

/// Waits until one of these files is written.
async fn changed(files: &[PathBuf]) {
    let before = stamps(files).await;
    loop {
        sleep(LOOK_EVERY).await;
        if stamps(files).await != before {
            return;
        }
    }
}

/// What a task does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Role {
    Probe,
    Follow(Kind),
}

impl Role {
    fn name(self) -> String {
        match self {
            Self::Probe => "kube/probe".to_owned(),
            Self::Follow(kind) => format!("kube/{}", kind.plural()),
        }
    }

    async fn run(self, session: Arc<Session>) {
        match self {
            Self::Probe => probe::run(&session).await,
            Self::Follow(kind) => follow::run(&session, kind).await,
        }
    }
}

/// The tasks of a connection. They end with it.
struct Crew {
    session: Arc<Session>,
    bus: Bus,
    probe: JoinSet<()>,
    followers: JoinSet<()>,
    roles: HashMap<Id, Role>,
    deaths: HashMap<Role, Backoff>,
    /// A death that the bus has not been told of yet.
    notice: Option<Control>,
}

impl Crew {
    /// Probes, and follows nothing yet.
    fn new(session: Arc<Session>, bus: Bus) -> Self {
        let mut crew = Self {
            session,
            bus,
            probe: JoinSet::new(),
            followers: JoinSet::new(),
            roles: HashMap::new(),
            deaths: HashMap::new(),
            notice: None,
        };
        crew.start(Role::Probe, Duration::ZERO, None);
        crew
    }

    /// Follows every kind.
    fn follow(&mut self) {
        for kind in Kind::ALL {
            self.start(Role::Follow(kind), Duration::ZERO, None);
        }
    }

    /// Follows nothing any more. Comes back when nobody does.
    async fn rest(&mut self) {
        if !self.followers.is_empty() {
            self.followers.shutdown().await;
            self.roles.retain(|_, role| *role == Role::Probe);
        }
    }

    fn start(&mut self, role: Role, after: Duration, death: Option<String>) {
        let session = self.session.clone();
        let task = async move {
            // Until it runs again, nobody follows the kind.
            if let (Role::Follow(kind), Some(death)) = (role, death) {
                session.boards.of(kind).orphan(&format!("our own task died: {death}")).await;
            }
            sleep(after).await;
            role.run(session).await;
        };
        let span = tracing::info_span!("task", name = role.name());
        let set = if role == Role::Probe { &mut self.probe } else { &mut self.followers };
        let id = set.spawn(task.instrument(span)).id();
        self.roles.insert(id, role);
    }

    /// Waits for a death and starts the task again after a while. The death is
    /// told first thing in the next call, so that nothing is lost if this one
    /// is dropped while it waits.
    async fn keep(&mut self) {
        if let Some(notice) = &self.notice {
            self.bus.control(notice.clone()).await;
            self.notice = None;
        }
        let ended = tokio::select! {
            Some(ended) = self.probe.join_next_with_id() => ended,
            Some(ended) = self.followers.join_next_with_id() => ended,
            // There is always the probe.
            else => return std::future::pending().await,
        };
        let (id, error) = match ended {
            Ok((id, ())) => (id, "it ended".to_owned()),
            Err(error) => (error.id(), last_words(error)),
        };
        let Some(role) = self.roles.remove(&id) else { return };
        let task = role.name();
        tracing::error!(task, error, "a task died");
        let after = self.deaths.entry(role).or_default().next_delay();
        self.start(role, after, Some(error.clone()));
        self.notice = Some(Control::TaskDied { task, error });
    }
}

fn last_words(error: JoinError) -> String {
    if !error.is_panic() {
        return error.to_string();
    }
    let payload: Box<dyn Any + Send> = error.into_panic();
    let text = payload.downcast_ref::<&str>().map(|text| (*text).to_owned());
    let text = text.or_else(|| payload.downcast_ref::<String>().cloned());
    words::clean(&text.unwrap_or_else(|| "it panicked".to_owned()))
}

#[cfg(test)]
mod tests;
