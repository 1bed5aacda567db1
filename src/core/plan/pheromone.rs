//! Pheromone: one delete when it is gone, and no other write.

use jiff::{SignedDuration, Timestamp};
use kgents_api::{Pheromone, PheromoneType};

use super::{Child, Config, Delete, Event, Observed, Plan, Pod, Resource, single};
use crate::decay::Fade;

/// How long CHAOS waits from one pod to the next.
const CHAOS_PAUSE: SignedDuration = SignedDuration::from_mins(1);

pub(super) fn plan(pheromone: &Pheromone, observed: &Observed, now: Timestamp, config: &Config) -> Plan {
    let mut plan = Plan::default();
    let metadata = &pheromone.metadata;
    if metadata.deletion_timestamp.is_some() {
        plan.why.push("the pheromone is being deleted".to_owned());
        return plan;
    }
    let fade = match Fade::of(pheromone) {
        Ok(fade) => fade,
        Err(error) => {
            // There is no status to tell it in, and it is not ours to delete.
            let message = error.to_string();
            plan.why.push(message.clone());
            plan.events.push(Event { warning: true, reason: "Unreadable", action: "Fade", message });
            return plan;
        }
    };
    if fade.is_gone(now) {
        let why = format!("the pheromone was gone at {}", fade.gone_at());
        plan.why.push(why.clone());
        let child = single::child(Resource::Pheromone, metadata);
        // Who makes it stronger at the last moment must not lose it: the
        // version that is deleted is the one that was judged.
        let resource_version = metadata.resource_version.clone();
        match metadata.uid.clone() {
            Some(uid) => plan.delete.push(Delete { child, uid, resource_version, why }),
            None => plan.why.push("it has no uid: it is none of a cluster".to_owned()),
        }
        return plan;
    }
    if fade.gone_at() < Timestamp::MAX {
        plan.wake(fade.gone_at());
    }
    plan.why.push(format!("the pheromone is gone at {}", fade.gone_at()));
    if pheromone.spec.type_ == PheromoneType::Chaos {
        chaos(pheromone, observed, now, config, &mut plan);
    }
    plan
}

/// One pod a minute over all CHAOS pheromones, where the operator may.
fn chaos(pheromone: &Pheromone, observed: &Observed, now: Timestamp, config: &Config, plan: &mut Plan) {
    if !config.allow_chaos {
        plan.why.push("CHAOS does nothing: the operator was started without --allow-chaos".to_owned());
        return;
    }
    let namespace = pheromone.metadata.namespace.as_deref().unwrap_or_default();
    if !kgents_api::NAMESPACES.contains(&namespace) {
        let ours = kgents_api::NAMESPACES.join(", ");
        plan.why.push(format!("CHAOS does nothing in namespace {namespace}: only in {ours}"));
        return;
    }
    let next = observed.last_chaos.and_then(|last| last.saturating_add(CHAOS_PAUSE).ok());
    if let Some(next) = next.filter(|next| now < *next) {
        plan.why.push("CHAOS takes one pod a minute".to_owned());
        plan.wake(next);
        return;
    }
    plan.wake(now.saturating_add(CHAOS_PAUSE).unwrap_or(Timestamp::MAX));
    let Some(pod) = victim(pheromone, &observed.pods, now) else {
        plan.why.push("CHAOS finds no pod that is ready".to_owned());
        return;
    };
    let message = format!("pod {} is deleted by CHAOS pheromone of {}", pod.name, pheromone.spec.source);
    plan.why.push(message.clone());
    plan.delete.push(Delete {
        child: Child { resource: Resource::Pod, namespace: namespace.to_owned(), name: pod.name.clone() },
        uid: pod.uid.clone(),
        resource_version: None,
        why: message.clone(),
    });
    plan.events.push(Event { warning: true, reason: "Chaos", action: "Delete", message });
}

/// The pod that is hit in this minute: the same one whatever order they are
/// given in, and each as likely.
fn victim<'a>(pheromone: &Pheromone, pods: &'a [std::sync::Arc<Pod>], now: Timestamp) -> Option<&'a Pod> {
    let minute = now.as_second().div_euclid(CHAOS_PAUSE.as_secs());
    let uid = pheromone.metadata.uid.as_deref().unwrap_or_default();
    let lot = |pod: &&Pod| (single::hash(&[uid, &minute.to_string(), &pod.uid]), pod.uid.clone());
    pods.iter().map(AsRef::as_ref).filter(|pod: &&Pod| pod.ready && !pod.deleting).min_by_key(lot)
}

#[cfg(test)]
mod tests;
