use kgents_store::object::{Object, decode};

use super::*;
use crate::testing::{noon, text, world};

fn event(about: &str, reason: &str) -> Arc<EventFacts> {
    let json = serde_json::json!({
        "metadata": { "namespace": "kgents-agents", "name": format!("{about}.{reason}") },
        "involvedObject": { "kind": "Agent", "namespace": "kgents-agents", "name": about },
        "reason": reason, "message": "over\ntwo lines", "type": "Warning", "count": 3,
        "lastTimestamp": "2026-01-01T11:55:00Z",
    });
    match decode(Kind::Event, &json.to_string()).unwrap().object {
        Object::Event(event) => event,
        other => panic!("{other:?}"),
    }
}

fn page(kind: Kind, name: &str) -> String {
    let world = world();
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let key = one(&world, kind, name).unwrap();
    let events = [event("c-gent", "BackOff"), event("b-gent", "Other")];
    let scene = Scene { terrarium: &world, events: &events, key: &key, now: noon() };
    scene.page(kind, &mut Io { out: &mut out, err: &mut err }).unwrap();
    text(out)
}

#[track_caller]
fn holds(page: &str, lines: &[&str]) {
    for line in lines {
        assert!(page.contains(line), "{line:?} is not in\n{page}");
    }
}

#[test]
fn an_agent_is_told_with_reasons_signals_and_events() {
    let broken = page(Kind::Agent, "c-gent");
    holds(
        &broken,
        &[
            "Agent kgents-agents/c-gent\n",
            "  Phase         Failed, 0/2 ready\n",
            "  Genus         B (banker)\n",
            "  Created       2026-01-01T11:00:00Z (1h ago)\n",
            "  Source        kube FRESH\n",
            "  Ready   False    ImagePullBackOff   30m     told by a test\n",
            "  5m    Warning   BackOff   Agent c-gent   over two lines (×3)\n",
        ],
    );
    assert!(!broken.contains("Other"), "{broken}");
    holds(
        &page(Kind::Agent, "kgents-agents/b-gent"),
        &["Proposals\n  b-gent-scale AGENT_SCALE of Agent b-gent, Pending"],
    );
}

#[test]
fn a_pheromone_is_told_with_its_fade() {
    holds(
        &page(Kind::Pheromone, "weak"),
        &[
            "  Intensity     0.25 now, 1.00 when it was emitted\n",
            "  Half-life     5m\n",
            "  Emitted       2026-01-01T11:50:00Z (10m ago)\n",
            "  Gone          2026-01-01T12:23:13Z (in 23m)\n",
            "  Falls to      0.2 in 1m, 0.1 in 6m\n",
            "  For           everyone\n",
            "Payload\n  disk\n  full\n",
        ],
    );
    holds(&page(Kind::Pheromone, "faded"), &["0: it has faded", "Gone          1970-01-01T00:33:13Z ("]);
    holds(&page(Kind::Pheromone, "timeless"), &["not known, it cannot fade: emittedAt is \"yesterday\""]);
}

#[test]
fn a_proposal_is_told_with_its_risk_and_patch() {
    holds(
        &page(Kind::Proposal, "b-gent-scale"),
        &[
            "  Phase         Pending: needs ",
            "  Change        AGENT_SCALE of Agent b-gent\n",
            "our own estimate: no operator has written one\n",
            "                base 0.",
            "  Expires       2026-01-02T11:00:00Z (in 23h)\n",
            "Patch (merge)\n  spec:\n    replicas: 5\n",
        ],
    );
}

#[test]
fn what_cannot_be_read_is_shown_as_it_is() {
    holds(&page(Kind::Agent, "strange"), &["  Cannot be read unknown variant `ZZ`", "    genus: ZZ\n"]);
}

#[test]
fn a_name_that_is_none_or_several_says_what_to_type() {
    let world = world();
    let said = |name: &str| {
        let mut err = Vec::new();
        one(&world, Kind::Agent, name).unwrap_err().report(&mut err);
        text(err)
    };
    assert_eq!(
        said("b-gent"),
        "error: there is more than one agent 'b-gent': in kgents-agents, other\nhint: kgents agents describe b-gent -n kgents-agents\n"
    );
    assert_eq!(
        said("c-gnt"),
        "error: there is no agent 'c-gnt' in any namespace; there is c-gent, b-gent\nhint: kgents agents describe c-gent\n"
    );
    assert_eq!(said("zzz"), "error: there is no agent 'zzz' in any namespace\nhint: kgents agents list\n");
}
