//! Answers about what is around an agent: signals, proposals, thoughts, peers,
//! umwelt, memory, other agents.

use kgents_api::agent::NetworkPolicy;
use kgents_api::memory::RetentionPolicy;
use kgents_api::{Memory, Umwelt};
use kgents_core::{approval, attention};

use super::said::{MAX_ITEMS, Said, Scene, and, are, clause, count, short};
use crate::key::{Key, Kind};
use crate::terrarium::{Held, HeldPheromone, Terrarium};
use crate::thought::Thought;
use crate::view::{self, ProposalRow};

/// How many names are told in one sentence.
const MAX_NAMES: usize = 12;

/// Names in a sentence, the first of many.
fn names<T: AsRef<str>>(all: &[T]) -> String {
    let told: Vec<String> = all.iter().take(MAX_NAMES).map(|name| short(name.as_ref())).collect();
    match all.len() - told.len() {
        0 => and(&told),
        more => format!("{} and {more} more", told.join(", ")),
    }
}

/// The signals that it emitted or that are meant for it, with strength and end.
pub(super) fn signals(said: &mut Said, scene: &Scene<'_>) {
    said.read(["pheromones"]);
    let name = scene.name();
    let signals = view::signals_of(scene.terrarium, scene.key, scene.now);
    let items: Vec<String> = signals.iter().map(|(_, held, strength)| signal(scene, held, *strength)).collect();
    if items.is_empty() {
        said.line(format!("No signal that can be sensed was emitted by {name} or is meant for it."));
    } else {
        said.line(format!(
            "{} {} {name}:",
            count(items.len() as i64, "signal"),
            if items.len() == 1 { "concerns" } else { "concern" }
        ));
        said.list(&items);
    }
    let broken = scene.terrarium.signals_of(scene.key).filter_map(|(key, held)| Some((key, held.fade.as_ref().err()?)));
    let broken: Vec<String> =
        broken.map(|(key, error)| format!("{} cannot fade: {}.", key.name(), clause(error))).collect();
    said.list(&broken);
    let common = scene.terrarium.pheromones().iter().filter(|(key, held)| {
        let spec = &held.held.object.spec;
        key.namespace() == scene.key.namespace()
            && spec.target.is_none()
            && spec.source != name
            && view::strength(held, scene.now).is_some()
    });
    let common = common.count() as i64;
    if common > 0 {
        said.line(format!("{} of others {} for everyone.", count(common, "more signal"), are(common)));
    }
}

fn signal(scene: &Scene<'_>, held: &HeldPheromone, strength: f64) -> String {
    let spec = &held.held.object.spec;
    let way = if spec.source == scene.name() {
        format!("from it to {}", spec.target.as_deref().map_or_else(|| "everyone".to_owned(), short))
    } else {
        format!("from {}", short(&spec.source))
    };
    let end = held.fade.as_ref().map(|fade| format!(", gone in {}", scene.until(fade.gone_at()))).unwrap_or_default();
    let payload =
        spec.payload.as_ref().map(|payload| format!(": {}", clause(&view::said(payload)))).unwrap_or_default();
    format!("{} {strength:.2} {way}{end}{payload}", spec.type_)
}

/// Proposals that it made or that would change it.
pub(super) fn proposals(said: &mut Said, scene: &Scene<'_>) {
    said.read(["proposals"]);
    let rows = view::proposals_of(scene.terrarium, scene.key, scene.now);
    let name = scene.name();
    if rows.is_empty() {
        said.line(format!("No proposal is by {name} or about it."));
        return;
    }
    let open = rows.iter().filter(|row| row.phase.is_open()).count();
    let told = match open {
        0 => "none of them open".to_owned(),
        open => format!("{open} open"),
    };
    let all = rows.len() as i64;
    said.line(format!("{} {} by {name} or about it, {told}:", count(all, "proposal"), are(all)));
    let items: Vec<String> = rows.iter().filter_map(|row| proposal(scene, row)).collect();
    said.list(&items);
}

fn proposal(scene: &Scene<'_>, row: &ProposalRow) -> Option<String> {
    let proposal = &*scene.terrarium.proposals().get(&row.key)?.object;
    let spec = &proposal.spec;
    let own = if row.estimated { ", our own estimate" } else { "" };
    let whose = if spec.proposer == scene.name() { String::new() } else { format!(" by {}", short(&spec.proposer)) };
    let risk = format!("risk {:.2} {}{own}", row.risk.total, row.risk.level);
    let mut parts = vec![format!(
        "{}: {} of {}{whose}, {}, {risk}",
        row.key.name(),
        spec.change_type,
        short(&spec.target.name),
        row.phase
    )];
    // A rejection or an end that no operator has seen yet shows in the bid;
    // where somebody is asked, what is missing is what counts.
    let missing = approval::missing(proposal, row.risk.level);
    if row.phase.is_open() && row.bid.need != attention::Need::None && !missing.is_nothing() {
        parts.push(missing.to_string());
    } else if !row.bid.reason.eq_ignore_ascii_case(row.phase.as_str()) {
        parts.push(clause(&row.bid.reason));
    }
    if let Some(end) = attention::expires_at(proposal).filter(|end| row.phase.is_open() && *end > scene.now) {
        parts.push(format!("expires in {}", scene.until(end)));
    }
    if let Some(reason) = spec.reason.as_deref().map(str::trim).filter(|reason| !reason.is_empty()) {
        parts.push(format!("“{}”", clause(reason)));
    }
    Some(parts.join("; "))
}

/// What was heard of it last, the newest first.
pub(super) fn thoughts(said: &mut Said, scene: &Scene<'_>) {
    said.read(["thoughts"]);
    let name = scene.name();
    let about = |thought: &&Thought| {
        (thought.kind == Kind::Agent && thought.key == *scene.key)
            || (&*thought.who == name && thought.key.namespace() == scene.key.namespace())
    };
    let newest = scene.terrarium.thoughts().iter().rev().filter(about).take(MAX_ITEMS);
    let items: Vec<String> =
        newest.map(|thought| format!("{}: {}", scene.ago(thought.at), short(&thought.text))).collect();
    if items.is_empty() {
        said.line(format!("Nothing was heard of {name} so far."));
        return;
    }
    said.line(format!("What was heard of {name} last, the newest first:"));
    said.list(&items);
}

/// Whom it may reach, and whether they name it back.
pub(super) fn peers(said: &mut Said, scene: &Scene<'_>) {
    said.read(["spec.networkPolicy.allowEgress", "spec.networkPolicy.allowedPeers"]);
    let policy = &scene.held.held.object.spec.network_policy;
    let name = scene.name();
    said.line(if policy.allow_egress {
        format!("{name} may reach public addresses.")
    } else {
        format!("{name} may reach no address outside the cluster.")
    });
    if policy.allowed_peers.is_empty() {
        said.line("It names no other agent as a peer, so it may talk to none.");
        return;
    }
    said.line("It names as peers, and both sides must name each other:");
    let items: Vec<String> = policy.allowed_peers.iter().map(|peer| self::peer(scene, peer)).collect();
    said.list(&items);
}

fn peer(scene: &Scene<'_>, peer: &str) -> String {
    if let Some(genus) = peer.strip_prefix("genus:") {
        return format!("every agent of genus {}", short(genus));
    }
    let key = Key::new(scene.key.namespace(), peer);
    let peer = short(peer);
    match scene.terrarium.agents().get(&key) {
        None => format!("{peer}, which is not known here"),
        Some(other) if names_back(&other.held.object.spec.network_policy, scene) => {
            format!("{peer}, which names it back")
        }
        Some(_) => format!("{peer}, which does not name it back: they cannot talk"),
    }
}

fn names_back(policy: &NetworkPolicy, scene: &Scene<'_>) -> bool {
    let genus = scene.held.held.object.spec.genus;
    policy
        .allowed_peers
        .iter()
        .any(|peer| peer == scene.name() || peer.strip_prefix("genus:").is_some_and(|word| word == genus.as_str()))
}

/// The umwelt that it lives in, if it is there: the one that it names, the one
/// that its status names, else the one that is made for it.
pub(super) fn umwelt_of<'a>(scene: &Scene<'a>) -> Option<(&'a Key, &'a Held<Umwelt>)> {
    let agent = &scene.held.held.object;
    let told = agent.status.as_ref().and_then(|status| status.umwelt_name.as_deref());
    let made = format!("{}-umwelt", scene.name());
    let name = agent.spec.umwelt.as_deref().or(told).unwrap_or(&made);
    scene.terrarium.umwelts().get_key_value(&Key::new(scene.key.namespace(), name))
}

/// The umwelt's name, and what it lets the agent sense and do.
pub(super) fn umwelt(said: &mut Said, scene: &Scene<'_>) {
    said.read(["spec.umwelt", "status.umweltName", "umwelts"]);
    let name = scene.name();
    let Some((key, held)) = umwelt_of(scene) else {
        said.line(match scene.held.held.object.spec.umwelt.as_deref() {
            Some(umwelt) => format!("{name} names the umwelt {}, which is not known here.", short(umwelt)),
            None => format!("{name} names no umwelt, and none that was made for it is known here."),
        });
        return;
    };
    let spec = &held.object.spec;
    said.line(format!("{name} lives in the umwelt {}; the work at hand is {}.", key.name(), spec.workload));
    said.line(match spec.affordances.as_slice() {
        [] => "It may do nothing by a path: no affordances are set.".to_owned(),
        all => format!("It may do: {}.", names(all)),
    });
    if let Some(sensitivity) = &spec.pheromone_sensitivity {
        let words =
            |types: &[kgents_api::PheromoneType]| -> Vec<&str> { types.iter().map(|type_| type_.as_str()).collect() };
        for (verb, types) in [("senses", &sensitivity.sense), ("may emit", &sensitivity.emit)] {
            if !types.is_empty() {
                said.line(format!("It {verb} {}.", names(&words(types))));
            }
        }
    }
}

/// The memory that it keeps.
pub(super) fn memory(said: &mut Said, scene: &Scene<'_>) {
    said.read(["spec.memory", "status.memoryName", "memories"]);
    let (name, agent) = (scene.name(), &scene.held.held.object);
    let told = agent.status.as_ref().and_then(|status| status.memory_name.as_deref());
    let made = format!("{name}-memory");
    let wanted = agent.spec.memory.as_deref().or(told);
    let key = Key::new(scene.key.namespace(), wanted.unwrap_or(&made));
    match (scene.terrarium.memories().get(&key), wanted) {
        (Some(held), _) => memory_object(said, scene, &key, &held.object),
        (None, Some(memory)) => {
            said.line(format!("{name} keeps the memory {}, which is not known here.", short(memory)));
        }
        (None, None) => said.line(format!("{name} names no memory, and none that was made for it is known here.")),
    }
}

fn memory_object(said: &mut Said, scene: &Scene<'_>, key: &Key, memory: &Memory) {
    let spec = &memory.spec;
    let real = memory.status.as_ref().and_then(|status| status.size.as_ref());
    said.line(format!(
        "{} keeps the memory {}: {}, {}. When its owner is gone, it is {}.",
        scene.name(),
        key.name(),
        spec.type_,
        short(&real.unwrap_or(&spec.size).0),
        match spec.retention_policy {
            RetentionPolicy::Delete => "deleted",
            RetentionPolicy::Retain => "kept",
            RetentionPolicy::Compost => "kept until it is swept",
        }
    ));
    if !spec.shared_with.is_empty() {
        said.line(format!("It is shared with {}.", names(&spec.shared_with)));
    }
    said.line("How full it is, is not known: nobody measures it yet.");
}

/// Which agents there are beside it.
pub(super) fn agents(said: &mut Said, terrarium: &Terrarium, key: &Key) {
    said.read(["agents"]);
    let own: Vec<&str> =
        terrarium.agents().keys().filter(|other| other.namespace() == key.namespace()).map(Key::name).collect();
    let number = own.len() as i64;
    let elsewhere = terrarium.agents().len() as i64 - number;
    said.line(match own.as_slice() {
        [] => format!("No agent is known in {}.", key.namespace()),
        own => format!("{} {} known in {}: {}.", count(number, "agent"), are(number), key.namespace(), names(own)),
    });
    if elsewhere > 0 {
        said.line(format!("{elsewhere} more in other namespaces."));
    }
}
