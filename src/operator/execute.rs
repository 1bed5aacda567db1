//! Does what a plan says.
//!
//! One pass over a key plans, writes, lays the answers over the world and
//! plans again until nothing is left to write. The status comes from the last
//! of these plans, so that it tells what is, not what was about to be. No
//! child is written twice in a pass: if a plan wants that, somebody fights or
//! something is wrong, and the key waits.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use kgents_api::PheromoneType;
use kgents_core::plan::{self, Apply, Cause, Child, Config, Delete, Fault, Plan, Resource};
use kgents_source::{backoff, clock};
use kube::core::Status;
use serde_json::Value;
use tokio::time::Instant;

use crate::call::{Caller, Failure, status_of};
use crate::classify::Verdict;
use crate::events::Recorder;
use crate::intake;
use crate::key::{Key, Kind, Subject};
use crate::pace::Pace;
use crate::queue::End;
use crate::schedule::Schedule;
use crate::unreadable;
use crate::world::{Seen, Source, World};

/// How often one child is tried in a pass: again after a conflict that told
/// what stands there.
const TRIES: u32 = 2;
/// How often a pass plans at most: each child may conflict once.
const ROUNDS: usize = 32;
/// How long an object is believed of which no watch tells.
const BELIEVED: SignedDuration = SignedDuration::from_secs(60);
/// How long until what the API server does not take is tried again.
const INVALID_AGAIN: SignedDuration = SignedDuration::from_mins(10);
/// The longest pause between two writes of a child in a fight.
const LONGEST_PAUSE: Duration = Duration::from_secs(300);
/// The longest pause between two writes of a status.
const STATUS_PAUSE: Duration = Duration::from_secs(1);
/// How many errors are remembered.
const ERRORS: usize = 100;

/// Does what plans say.
pub(crate) struct Executor {
    world: Arc<World>,
    schedule: Arc<Schedule>,
    caller: Caller,
    recorder: Recorder,
    config: Config,
    /// When CHAOS took a pod last. Held while one plans, so that no two take
    /// one in the same minute.
    chaos: tokio::sync::Mutex<Timestamp>,
    paces: Mutex<Paces>,
    memory: Mutex<Remembered>,
}

struct Paces {
    children: Pace<Child>,
    statuses: Pace<Key>,
}

#[derive(Default)]
struct Remembered {
    /// The problem of each unreadable object that an Event told of.
    told: HashMap<Key, String>,
    /// For which generation of a key it was asked what no watch tells of.
    looked: HashMap<Key, i64>,
    /// The last error of each key, the oldest dropped.
    errors: HashMap<Key, (Timestamp, String)>,
    /// Writes that were answered well, by verb and resource.
    writes: BTreeMap<String, u64>,
}

/// What became of the writes of one plan.
enum Step {
    /// All is as planned. Whether anything had to be written.
    Done { wrote: bool },
    /// Something stood in the way; it is known now, and can be planned with.
    Learned,
    /// No use to go on in this pass; to be done again at this moment.
    Later(Timestamp),
    /// No use to go on in this pass.
    Stop,
}

/// One pass over a key.
struct Pass<'a> {
    key: &'a Key,
    tries: HashMap<Child, u32>,
    written: Vec<Child>,
    statuses: u32,
    said: Vec<plan::Event>,
    failed: bool,
}

impl<'a> Pass<'a> {
    fn new(key: &'a Key) -> Self {
        let (tries, written, said) = (HashMap::new(), Vec::new(), Vec::new());
        Self { key, tries, written, statuses: 0, said, failed: false }
    }
}

impl Executor {
    pub(crate) fn new(
        world: Arc<World>,
        schedule: Arc<Schedule>,
        caller: Caller,
        recorder: Recorder,
        config: Config,
    ) -> Self {
        let paces = Paces { children: Pace::new(LONGEST_PAUSE), statuses: Pace::new(STATUS_PAUSE) };
        Self {
            world,
            schedule,
            caller,
            recorder,
            config,
            chaos: tokio::sync::Mutex::new(clock::now()),
            paces: Mutex::new(paces),
            memory: Mutex::default(),
        }
    }

    /// From now on this replica writes: nobody knows when another took a pod.
    pub(crate) async fn led(&self) {
        *self.chaos.lock().await = clock::now();
    }

    /// Works on a key until nothing is left to write, or nothing can be.
    pub(crate) async fn work(&self, key: &Key) -> End {
        let mut pass = Pass::new(key);
        for _ in 0..ROUNDS {
            let Some(seen) = self.world.observe(key) else {
                self.forget(key);
                return End::Well(None);
            };
            if let Some(end) = self.reread(key, &seen).await {
                return end;
            }
            let Some(mut seen) = self.world.observe(key) else { continue };
            let chaos = match &seen.subject {
                Ok(Subject::Pheromone(pheromone)) if pheromone.spec.type_ == PheromoneType::Chaos => {
                    let last = self.chaos.lock().await;
                    seen.observed.last_chaos = Some(*last);
                    Some(last)
                }
                _ => None,
            };
            let now = clock::now();
            let plan = self.plan(key, &seen, now);
            let step = self.writes(&mut pass, &seen, &plan).await;
            if let Some(mut last) = chaos
                && plan.delete.iter().any(|delete| delete.child.resource == Resource::Pod)
            {
                *last = now;
            }
            match step {
                Step::Done { wrote: true } => self.say(&mut pass, &seen, &plan),
                Step::Learned => {}
                Step::Later(at) => return End::Well(Some(at)),
                Step::Stop => return End::Badly(retry_at(&seen)),
                Step::Done { wrote: false } => match self.status(&mut pass, &seen, &plan).await {
                    Step::Done { wrote } => {
                        self.say(&mut pass, &seen, &plan);
                        if !wrote {
                            return self.end(&pass, &seen, &plan, now);
                        }
                    }
                    Step::Learned => {}
                    Step::Later(at) => return End::Well(Some(at)),
                    Step::Stop => return End::Badly(retry_at(&seen)),
                },
            }
        }
        tracing::warn!(%key, rounds = ROUNDS, "a pass does not come to an end; the key waits");
        End::Badly(None)
    }

    /// What has to be done for a key.
    pub(crate) fn plan(&self, key: &Key, seen: &Seen, now: Timestamp) -> Plan {
        match &seen.subject {
            Ok(subject) => plan::plan(subject.plan(), &seen.observed, now, &self.config),
            Err(problem) => unreadable::plan(key.controller, problem, now),
        }
    }

    /// Nothing is left to write.
    fn end(&self, pass: &Pass<'_>, seen: &Seen, plan: &Plan, now: Timestamp) -> End {
        let generation = generation(seen);
        // A fault that stands in nobody's way any more: its time has come, and
        // no plan wants that write.
        self.world.forgive(pass.key, |child| {
            let mut faults = seen.observed.faults.iter();
            faults.any(|fault| fault.child == *child && fault.stands(generation, now))
        });
        let moments = [plan.requeue_at, retry_at(seen), seen.unwatched.iter().map(|(_, until)| *until).min()];
        let next = moments.into_iter().flatten().min();
        if !pass.failed {
            self.lock_memory().errors.remove(pass.key);
        }
        End::Well(next)
    }

    /// Asks again for what no watch tells of, once it was believed for long, or
    /// the subject is wanted otherwise.
    async fn reread(&self, key: &Key, seen: &Seen) -> Option<End> {
        if seen.unwatched.is_empty() {
            return None;
        }
        let (now, generation) = (clock::now(), generation(seen));
        let is_new = self.lock_memory().looked.insert(key.clone(), generation) != Some(generation);
        for (child, until) in &seen.unwatched {
            if (is_new || *until <= now)
                && let Err(failure) = self.look(child).await
            {
                tracing::debug!(%child, %failure, "what stands there cannot be seen");
                self.lock_memory().looked.remove(key);
                return Some(End::Badly(None));
            }
        }
        None
    }

    /// Asks what stands at the place of a child, and remembers it.
    async fn look(&self, child: &Child) -> Result<(), Failure> {
        self.look_at(Kind::Of(child.resource), &child.namespace, &child.name).await
    }

    async fn look_at(&self, kind: Kind, namespace: &str, name: &str) -> Result<(), Failure> {
        match self.caller.get(kind, namespace, name).await {
            Ok(object) => {
                self.lay(kind, object, None);
                Ok(())
            }
            Err(Failure::Refused(status)) if is_no_such_object(&status, name) => {
                if let Some(uid) = self.world.uid(kind, namespace, name) {
                    self.schedule.add(self.world.bury(kind, namespace, name, &uid));
                }
                Ok(())
            }
            Err(failure) => Err(failure),
        }
    }

    /// Lays an answer over the world. All who look at it plan again but the
    /// one who is being worked on and does so anyway.
    fn lay(&self, kind: Kind, object: Value, working: Option<&Key>) {
        match intake::read(kind, object) {
            Ok(object) => {
                let until = clock::now().saturating_add(BELIEVED).unwrap_or(Timestamp::MAX);
                let keys = self.world.put(kind, object, Source::Answered { until });
                self.schedule.add(keys.into_iter().filter(|key| Some(key) != working));
            }
            Err(problem) => tracing::warn!(resource = kind.plural(), problem, "an answer cannot be read"),
        }
    }

    /// Writes the children of a plan.
    async fn writes(&self, pass: &mut Pass<'_>, seen: &Seen, plan: &Plan) -> Step {
        let generation = generation(seen);
        let mut wrote = false;
        for apply in &plan.apply {
            match self.apply(pass, generation, apply).await {
                Step::Done { .. } => wrote = true,
                step => return step,
            }
        }
        for delete in &plan.delete {
            match self.delete(pass, generation, delete).await {
                Step::Done { .. } => wrote = true,
                step => return step,
            }
        }
        Step::Done { wrote }
    }

    async fn apply(&self, pass: &mut Pass<'_>, generation: i64, apply: &Apply) -> Step {
        let child = &apply.child;
        if let Some(step) = self.may(pass, generation, child) {
            return step;
        }
        match self.caller.apply(apply).await {
            Ok(object) => {
                tracing::info!(%child, why = apply.why, "applied");
                self.lay(Kind::Of(child.resource), object, Some(pass.key));
                self.wrote(pass, generation, child, "patch");
                Step::Done { wrote: true }
            }
            Err(failure) => self.refused(pass, generation, child, failure).await,
        }
    }

    async fn delete(&self, pass: &mut Pass<'_>, generation: i64, delete: &Delete) -> Step {
        let Delete { child, uid, resource_version: _, why } = delete;
        if let Some(step) = self.may(pass, generation, child) {
            return step;
        }
        let kind = Kind::Of(child.resource);
        let is_gone = match self.caller.delete(delete).await {
            Ok(left) if left["kind"] == "Status" => true,
            Ok(left) => {
                self.lay(kind, left, Some(pass.key));
                false
            }
            Err(Failure::Refused(status)) if is_no_such_object(&status, &child.name) => true,
            Err(failure) => return self.refused(pass, generation, child, failure).await,
        };
        tracing::info!(%child, why, "deleted");
        if is_gone {
            let keys = self.world.bury(kind, &child.namespace, &child.name, uid);
            self.schedule.add(keys.into_iter().filter(|key| key != pass.key));
        }
        self.wrote(pass, generation, child, "delete");
        Step::Done { wrote: true }
    }

    /// Whether a child may be written now; why not otherwise.
    fn may(&self, pass: &mut Pass<'_>, generation: i64, child: &Child) -> Option<Step> {
        if pass.written.contains(child) {
            tracing::debug!(%child, "it was just written and is wanted again");
            return Some(Step::Stop);
        }
        let wait = self.lock_paces().children.wait(child, generation, Instant::now());
        if wait > Duration::ZERO {
            tracing::warn!(%child, seconds = wait.as_secs_f64(), "it is changed again and again; its turn comes later");
            return Some(Step::Later(after(clock::now(), wait)));
        }
        *pass.tries.entry(child.clone()).or_default() += 1;
        None
    }

    fn wrote(&self, pass: &mut Pass<'_>, generation: i64, child: &Child, verb: &str) {
        pass.written.push(child.clone());
        self.count(verb, child.resource.plural());
        self.lock_paces().children.wrote(child.clone(), generation, Instant::now());
        self.world.well(pass.key, child);
    }

    /// A write of a child failed: remembers it, to be planned with.
    async fn refused(&self, pass: &mut Pass<'_>, generation: i64, child: &Child, failure: Failure) -> Step {
        if matches!(failure, Failure::NotNow) {
            return Step::Stop;
        }
        let mut verdict = failure.verdict();
        if verdict.cause == Cause::Conflict {
            // Our cache is behind: what stands there decides what to do.
            let looked = self.look(child).await;
            self.lock_memory().looked.insert(pass.key.clone(), generation);
            match looked {
                Ok(()) if pass.tries.get(child).is_none_or(|tries| *tries < TRIES) => return Step::Learned,
                Ok(()) => {}
                Err(other) => verdict = other.verdict(),
            }
        }
        self.remember(pass, &format!("{child}: {failure}"));
        let Verdict { cause, said, retry_after } = verdict;
        tracing::warn!(%child, cause = cause.reason(), %failure, "it cannot be written");
        let now = clock::now();
        let fault = Fault { child: child.clone(), cause, said, generation, since: now, retry_at: now };
        self.world.fail(pass.key, fault, |row| retry(cause, row, retry_after, now, fastrand::u64(..)));
        // Who is away takes no status either.
        if cause == Cause::Unavailable { Step::Stop } else { Step::Learned }
    }

    /// Writes the status of a plan.
    async fn status(&self, pass: &mut Pass<'_>, seen: &Seen, plan: &Plan) -> Step {
        let Some(status) = &plan.status else { return Step::Done { wrote: false } };
        let generation = generation(seen);
        if pass.statuses >= TRIES {
            tracing::debug!("the status was just written and is wanted otherwise again");
            return Step::Stop;
        }
        let wait = self.lock_paces().statuses.wait(pass.key, generation, Instant::now());
        if wait > Duration::ZERO {
            return Step::Later(after(clock::now(), wait));
        }
        pass.statuses += 1;
        let kind = Kind::from(pass.key.controller);
        match self.caller.status(pass.key, &seen.uid, &status.body).await {
            Ok(object) => {
                let changes: Vec<String> = status.changes.iter().map(ToString::to_string).collect();
                tracing::debug!(changes = changes.join(", "), "status written");
                self.count("patch", status_of(kind));
                self.lay(kind, object, Some(pass.key));
                self.lock_paces().statuses.wrote(pass.key.clone(), generation, Instant::now());
                Step::Done { wrote: true }
            }
            Err(Failure::NotNow) => Step::Stop,
            // The object of this uid is gone, or another one has its name, or
            // somebody on the way says so: only what stands there tells.
            Err(Failure::Refused(refused)) if is_no_such_object(&refused, &pass.key.name) || refused.code == 409 => {
                let (namespace, name) = (&pass.key.namespace, &pass.key.name);
                match self.look_at(kind, namespace, name).await {
                    Ok(()) => Step::Learned,
                    Err(_) => Step::Stop,
                }
            }
            Err(failure) => {
                self.remember(pass, &format!("status: {failure}"));
                let verdict = failure.verdict();
                tracing::warn!(cause = verdict.cause.reason(), %failure, "the status cannot be written");
                if verdict.cause.is_transient() {
                    return Step::Stop;
                }
                let now = clock::now();
                Step::Later(now.saturating_add(INVALID_AGAIN).unwrap_or(Timestamp::MAX))
            }
        }
    }

    /// Says what a plan has to say, once what it tells of is done.
    fn say(&self, pass: &mut Pass<'_>, seen: &Seen, plan: &Plan) {
        if let Err(problem) = &seen.subject {
            let mut memory = self.lock_memory();
            if memory.told.get(pass.key) == Some(&problem.problem) {
                return;
            }
            memory.told.insert(pass.key.clone(), problem.problem.clone());
        }
        for event in &plan.events {
            // The next plan of this pass may have the same to say.
            if !pass.said.contains(event) {
                self.recorder.say(&pass.key.about(&seen.uid), event);
                pass.said.push(event.clone());
            }
        }
    }

    fn forget(&self, key: &Key) {
        let mut memory = self.lock_memory();
        memory.told.remove(key);
        memory.looked.remove(key);
        memory.errors.remove(key);
    }

    fn remember(&self, pass: &mut Pass<'_>, error: &str) {
        pass.failed = true;
        let mut memory = self.lock_memory();
        memory.errors.insert(pass.key.clone(), (clock::now(), error.to_owned()));
        if memory.errors.len() > ERRORS
            && let Some(oldest) = memory.errors.iter().min_by_key(|(_, (at, _))| *at).map(|(key, _)| key.clone())
        {
            memory.errors.remove(&oldest);
        }
    }

    fn count(&self, verb: &str, resource: &str) {
        *self.lock_memory().writes.entry(format!("{verb} {resource}")).or_default() += 1;
    }

    /// Writes that were answered well, by verb and resource.
    pub(crate) fn writes_made(&self) -> BTreeMap<String, u64> {
        self.lock_memory().writes.clone()
    }

    /// The last errors, the newest first.
    pub(crate) fn errors(&self) -> Vec<(Timestamp, Key, String)> {
        let memory = self.lock_memory();
        let mut errors: Vec<_> =
            memory.errors.iter().map(|(key, (at, error))| (*at, key.clone(), error.clone())).collect();
        errors.sort_by_key(|(at, ..)| std::cmp::Reverse(*at));
        errors
    }

    fn lock_paces(&self) -> MutexGuard<'_, Paces> {
        self.paces.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lock_memory(&self) -> MutexGuard<'_, Remembered> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The generation that is worked for; 0 for one that cannot be read.
fn generation(seen: &Seen) -> i64 {
    seen.subject.as_ref().map_or_else(|problem| problem.generation, Subject::generation)
}

/// When the next failed write may be tried again.
fn retry_at(seen: &Seen) -> Option<Timestamp> {
    seen.observed.faults.iter().map(|fault| fault.retry_at).min()
}

fn after(now: Timestamp, wait: Duration) -> Timestamp {
    SignedDuration::try_from(wait).ok().and_then(|wait| now.saturating_add(wait).ok()).unwrap_or(Timestamp::MAX)
}

/// Whether a 404 speaks of the object, and not of its kind or namespace: an
/// API server that starts knows some kinds late.
fn is_no_such_object(status: &Status, name: &str) -> bool {
    let details = status.details.as_ref();
    status.code == 404 && details.is_some_and(|details| details.name == name && details.kind != "namespaces")
}

/// When a write that failed `row` times before for the same cause may be
/// tried again.
fn retry(cause: Cause, row: u32, retry_after: Option<Duration>, now: Timestamp, random: u64) -> Timestamp {
    const QUICK: Duration = Duration::from_millis(5);
    const SLOW: Duration = Duration::from_secs(2);
    const LONGEST: Duration = Duration::from_secs(5 * 60);
    let wait = match cause {
        Cause::Invalid | Cause::Stranger => {
            return now.saturating_add(INVALID_AGAIN).unwrap_or(Timestamp::MAX);
        }
        Cause::Conflict | Cause::Throttled | Cause::Unavailable => {
            // What is asked of all alike is a little more for each.
            let asked = retry_after.unwrap_or_default();
            let asked = asked + backoff::jitter(asked / 2, random);
            backoff::jitter(backoff::ceiling(QUICK, LONGEST, row), random).max(asked)
        }
        // Somebody has to do something first: at least half of the delay, so
        // that jitter does not make it none.
        Cause::RightMissing
        | Cause::QuotaExceeded
        | Cause::NamespaceTerminating
        | Cause::AdmissionDenied
        | Cause::Missing => {
            let ceiling = backoff::ceiling(SLOW, LONGEST, row);
            ceiling / 2 + backoff::jitter(ceiling / 2, random)
        }
    };
    after(now, wait)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_can_pass_by_itself_is_tried_soon_and_what_cannot_is_not() {
        let now: Timestamp = "2026-08-01T12:00:00Z".parse().unwrap();
        let wait = |cause, row, after: Option<u64>, random| {
            let at = retry(cause, row, after.map(Duration::from_secs), now, random);
            at.duration_since(now).as_millis()
        };
        assert_eq!(wait(Cause::Unavailable, 0, None, u64::MAX), 5);
        assert_eq!(wait(Cause::Unavailable, 0, None, 0), 0);
        assert_eq!(wait(Cause::Throttled, 0, Some(7), 0), 7_000);
        assert_eq!(wait(Cause::Throttled, 0, Some(7), u64::MAX), 10_500);
        assert_eq!(wait(Cause::Conflict, 30, None, u64::MAX), 300_000);
        assert_eq!(wait(Cause::QuotaExceeded, 0, None, 0), 1_000);
        assert_eq!(wait(Cause::RightMissing, 30, None, u64::MAX), 300_000);
        assert_eq!(wait(Cause::Invalid, 0, None, 0), 600_000);
    }

    #[test]
    fn only_a_404_of_the_object_itself_says_that_it_is_gone() {
        let status = |details: Value| -> Status {
            serde_json::from_value(json!({ "code": 404, "reason": "NotFound", "details": details })).unwrap()
        };
        assert!(is_no_such_object(&status(json!({ "name": "b", "kind": "deployments", "group": "apps" })), "b"));
        assert!(!is_no_such_object(&status(json!({ "name": "b", "kind": "namespaces" })), "b"));
        assert!(!is_no_such_object(&status(Value::Null), "b"));
        assert!(!is_no_such_object(&status(json!({})), "b"));
    }
}
