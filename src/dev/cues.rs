//! The cues of a script that mean the same in every world.

use kgents_store::{Key, Kind};

use crate::stage::Stage;
use crate::{cluster, petition};

/// Does what the words say, about the agent or, for a decision, in its name.
/// A cue that is not known does nothing; false then.
pub(crate) fn play(stage: &mut Stage, agent: &Key, words: &str) -> bool {
    let (cue, rest) = words.split_once(' ').unwrap_or((words, ""));
    let (first, more) = rest.split_once(' ').unwrap_or((rest, ""));
    // Proposals are made where agents live.
    let proposal = Key::new(agent.namespace(), first);
    match cue {
        "rollout" => cluster::roll_out(stage, agent),
        "ready" => cluster::all_ready(stage, agent),
        "podready" => {
            let pods = cluster::pods_of(stage, agent);
            if let Some(pod) = pods.get(first.parse::<usize>().unwrap_or(0)) {
                cluster::ready(stage, pod);
            }
            cluster::observe(stage, agent);
        }
        "crash" => {
            for pod in cluster::pods_of(stage, agent) {
                cluster::crash(stage, &pod, first, more.parse().unwrap_or(1));
            }
        }
        "start" => {
            for pod in cluster::pods_of(stage, agent) {
                cluster::restart(stage, &pod);
            }
        }
        "scale" => cluster::scale(stage, agent, first.parse().unwrap_or(0)),
        "mind" => cluster::mind(stage, agent, first, more),
        "terminate" => cluster::terminate(stage, agent),
        "vanish" => cluster::vanish(stage, agent),
        "weigh" => petition::weigh(stage, &proposal),
        "approve" => {
            let who = user(stage, agent);
            petition::approve(stage, &proposal, &who, more);
        }
        "reject" => {
            let who = user(stage, agent);
            petition::reject(stage, &proposal, &who, more);
        }
        "phase" => petition::phase(stage, &proposal, more),
        "hold" => petition::hold(stage, &proposal, more),
        "merge" => petition::merge(stage, &proposal, more),
        "rollback" => petition::roll_back(stage, &proposal, more),
        _ => return false,
    }
    true
}

/// Who somebody is to the API server: an agent comes with its service account,
/// a person with a name.
fn user(stage: &Stage, who: &Key) -> String {
    if stage.get(Kind::Agent, who).is_some() {
        format!("system:serviceaccount:{}:{}", who.namespace(), who.name())
    } else {
        who.name().to_owned()
    }
}
