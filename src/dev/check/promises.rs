//! What each world is for.

use std::collections::BTreeSet;

use kgents_api::agent::AgentPhase;
use kgents_api::proposal::{ProposalPhase, RiskLevel};
use kgents_api::{Genus, PheromoneType};
use kgents_core::activity::AgentState;
use kgents_core::attention::Need;
use kgents_store::sanitize::is_unsafe;
use kgents_store::view;

use super::*;
use crate::huge::{BURST, BURST_MS};

#[test]
fn the_busy_world_shows_who_needs_a_person_first() {
    let world = of("busy");
    let terrarium = opened(&world);
    let proposals = view::proposals(&terrarium, world.now);
    let rows = view::agents(&terrarium, &proposals, world.now);
    let first: Vec<_> = rows.iter().take(4).map(|row| (row.key.name(), row.bid.need)).collect();
    let expected =
        [("omega-gent", Need::Decide), ("k-gent", Need::Decide), ("q-gent", Need::Broken), ("l-gent", Need::Ask)];
    assert_eq!(first, expected);
    assert_eq!(rows.len(), 14);
    let states: BTreeSet<AgentState> = rows.iter().map(|row| row.state).collect();
    for state in [AgentState::Busy, AgentState::Active, AgentState::Idle, AgentState::Dream, AgentState::Waiting] {
        assert!(states.contains(&state), "nobody is {state}");
    }
    let q_gent = rows.iter().find(|row| row.key.name() == "q-gent").unwrap();
    assert_eq!(q_gent.bid.reason, "CrashLoopBackOff: the logic ends with OOMKilled each time");
    let pods: Vec<_> = terrarium.pods_of(&q_gent.key).map(|(_, pod)| pod.clone()).collect();
    assert_eq!(pods.len(), 1);
    assert_eq!((pods[0].restarts, pods[0].ready), (8, 0));
    assert_eq!(pods[0].last_end.as_ref().map(|end| end.reason.as_str()), Some("OOMKilled"));
    let counts = view::counts(&terrarium, world.now);
    let phases: Vec<_> = counts.agents_by_phase.into_iter().collect();
    assert_eq!(phases, [("Degraded".into(), 1), ("Pending".into(), 1), ("Running".into(), 12)]);
    assert!(terrarium.agents().values().any(|agent| agent.held.object.spec.paused));
    assert!(terrarium.agents().values().any(|agent| agent.held.object.spec.replicas == 0));
}

#[test]
fn the_busy_world_smells_of_much() {
    let world = of("busy");
    let terrarium = opened(&world);
    let alive = view::alive(&terrarium, world.now);
    let types: BTreeSet<PheromoneType> = alive.iter().map(|(_, held, _)| held.held.object.spec.type_).collect();
    assert!(alive.len() >= 30 && types.len() >= 8, "{} of {} types", alive.len(), types.len());
    for (low, high) in [(0.0, 0.1), (0.1, 0.3), (0.3, 0.5), (0.5, 0.7), (0.7, 1.0)] {
        let count = alive.iter().filter(|(_, _, strength)| (low..high).contains(strength)).count();
        assert!(count >= 2, "{count} between {low} and {high}");
    }
    assert!(alive.iter().all(|(_, held, _)| held.held.object.spec.payload.is_some()));
    assert_eq!(alive.len(), terrarium.pheromones().len(), "what has faded is deleted");
}

#[test]
fn the_busy_world_asks_for_changes_of_every_risk() {
    let world = of("busy");
    let terrarium = opened(&world);
    let rows = view::proposals(&terrarium, world.now);
    let open: BTreeSet<RiskLevel> = rows.iter().filter(|row| row.phase.is_open()).map(|row| row.risk.level).collect();
    assert_eq!(open.into_iter().collect::<Vec<_>>(), RiskLevel::ALL);
    let phases: BTreeSet<ProposalPhase> = rows.iter().map(|row| row.phase).collect();
    for phase in [ProposalPhase::Merged, ProposalPhase::Rejected, ProposalPhase::RolledBack] {
        assert!(phases.contains(&phase), "none is {phase}");
    }
    assert!(rows.iter().filter(|row| !row.estimated).count() > rows.len() / 2);
    assert!(rows.iter().any(|row| row.bid.reason.contains("expires in 38m")));
    for held in terrarium.proposals().values() {
        let status = held.object.status.clone().unwrap_or_default();
        let Some(level) = status.risk.as_ref().map(|risk| risk.level) else { continue };
        // What was merged had the approvals that its risk asks for.
        if matches!(status.phase, Some(ProposalPhase::Merged | ProposalPhase::RolledBack)) {
            assert!(
                kgents_core::approval::missing(&held.object, level).is_nothing(),
                "{:?}",
                held.object.metadata.name
            );
        }
        assert!(held.object.spec.reason.is_some());
    }
}

#[test]
fn the_busy_day_goes_on_for_five_minutes_and_ends_well() {
    let world = of("busy");
    assert!((200..=350).contains(&world.timeline.len()), "{}", world.timeline.len());
    let last = world.timeline.last().unwrap().offset_ms;
    assert!((290_000..=300_000).contains(&last), "{last}");
    let mut busiest = 0.0_f64;
    let mut down = false;
    let end = played(&world, |terrarium, now| {
        let proposals = view::proposals(terrarium, now);
        for row in view::agents(terrarium, &proposals, now) {
            busiest = busiest.max(row.level);
            down |= row.state == AgentState::Down;
        }
    });
    assert!(busiest > kgents_core::activity::BUSY_FROM && down);
    for agent in end.agents().values() {
        assert_eq!(agent.held.object.status.as_ref().unwrap().phase, Some(AgentPhase::Running));
    }
    let now = moment(&world, world.timeline.last().unwrap());
    let counts = view::counts(&end, now);
    assert_eq!((counts.proposals_open, counts.agents), (3, 14));
    let gone = world
        .timeline
        .iter()
        .filter(|step| matches!(&step.change, StepChange::Gone { kind, .. } if *kind == Kind::Pheromone));
    assert!(gone.count() >= 2, "something fades meanwhile");
    // Bursts and silence: a human rhythm.
    let offsets: Vec<u64> = world.timeline.iter().map(|step| step.offset_ms).collect();
    assert!(offsets.windows(2).any(|pair| pair[1] - pair[0] > 9_000), "no silence");
    assert!(offsets.windows(20).any(|steps| steps[19] - steps[0] < 5_000), "no burst");
}

#[test]
fn only_the_wide_world_says_what_a_terminal_must_not_see() {
    for world in all() {
        let hostile = |text: &str| text.contains(|c| is_unsafe(c) && c != '\n');
        let said = world.thoughts.iter().any(|thought| hostile(&thought.text));
        assert_eq!(said, world.name == "wide-unicode", "{}", world.name);
    }
}

#[test]
fn the_wide_world_has_every_phase_and_every_form_of_genus() {
    let world = of("wide-unicode");
    let terrarium = opened(&world);
    let agents = || terrarium.agents().values().map(|agent| &agent.held.object);
    assert_eq!(agents().count(), 9);
    let phases: BTreeSet<Option<AgentPhase>> =
        agents().map(|agent| agent.status.as_ref().and_then(|status| status.phase)).collect();
    assert!(phases.contains(&None) && AgentPhase::ALL.iter().all(|phase| phases.contains(&Some(*phase))), "{phases:?}");
    let genera: BTreeSet<Genus> = agents().map(|agent| agent.spec.genus).collect();
    assert!(genera.contains(&Genus::Psi) && genera.contains(&Genus::Omega) && genera.contains(&Genus::Z));
    let types: BTreeSet<PheromoneType> =
        terrarium.pheromones().values().map(|held| held.held.object.spec.type_).collect();
    assert_eq!(types.len(), PheromoneType::ALL.len());
    assert_eq!(terrarium.pheromones().values().filter(|held| held.fade.is_err()).count(), 3);
    let text = bytes(&world);
    for (what, c) in [
        ("a joiner", '\u{200d}'),
        ("a skin tone", '\u{1f3fd}'),
        ("a combining mark", '\u{301}'),
        ("a zero-width space", '\u{200b}'),
        ("an override", '\u{202e}'),
        ("Arabic", 'ا'),
        ("Hebrew", 'א'),
        ("Devanagari", 'क'),
        ("Thai", 'ก'),
        ("Chinese", '账'),
        ("a character of four bytes", '𠮷'),
    ] {
        assert!(text.contains(c), "there is no {what}");
    }
}

#[test]
fn the_stale_world_is_three_days_old_and_stands_still() {
    let world = of("stale");
    assert_eq!(NOW.duration_since(world.now), SignedDuration::from_hours(72));
    assert!(world.timeline.is_empty());
    assert_eq!(opened(&world).agents().len(), 5);
}

#[test]
fn the_empty_world_is_empty() {
    let World { objects, thoughts, timeline, .. } = of("empty");
    assert_eq!((objects.len(), thoughts.len(), timeline.len()), (0, 0, 0));
}

#[test]
fn what_is_torn_is_there_before() {
    let world = of("corrupt");
    let terrarium = opened(&world);
    for torn in TEARS {
        let file = torn.path.rsplit('/').next().unwrap();
        let stem = file.split('.').next().unwrap();
        let found = match torn.path.split('/').next().unwrap() {
            "agents" => terrarium.agents().contains_key(&Key::new(kgents_api::NAMESPACE_AGENTS, stem)),
            "pheromones" => view::alive(&terrarium, world.now)
                .iter()
                .any(|(_, held, _)| held.held.object.spec.type_.as_str() == stem),
            "proposals" => view::proposals(&terrarium, world.now).iter().any(|row| {
                let area = if row.phase.is_open() { "pending".to_owned() } else { row.phase.as_str().to_lowercase() };
                area == stem
            }),
            "thoughts" => !world.thoughts.is_empty(),
            area => area == "_meta",
        };
        assert!(found, "there is no {}", torn.path);
    }
    let whole = ["psi-gent", "omega-gent"];
    assert!(whole.iter().all(|name| TEARS.iter().all(|torn| !torn.path.contains(name))), "somebody stays whole");
}

#[test]
fn the_huge_world_is_as_large_as_stated_and_its_objects_are_small() {
    let world = of("huge");
    let terrarium = opened(&world);
    let count = |kind| terrarium.count(kind);
    assert_eq!((count(Kind::Agent), count(Kind::Pheromone), count(Kind::Proposal)), (500, 2_500, 250));
    assert_eq!((count(Kind::Pod), world.thoughts.len()), (0, 1_000));
    assert_eq!(view::alive(&terrarium, world.now).len(), 2_500);
    let namespaces: BTreeSet<&str> = terrarium.agents().keys().map(Key::namespace).collect();
    assert_eq!(namespaces.len(), 20);
    for (kind, object) in world.objects.iter().filter(|(kind, _)| *kind == Kind::Agent) {
        let length = object.to_string().len();
        assert!(length < 700, "{kind} {} has {length} bytes", key(object));
    }
    let burst = BURST_MS as u64..=BURST_MS as u64 + 2_000;
    let within = world.timeline.iter().filter(|step| burst.contains(&step.offset_ms)).count();
    assert!(within as u64 >= BURST, "{within}");
    let last = world.timeline.last().unwrap().offset_ms;
    assert!((59_000..60_000).contains(&last), "{last}");
}
