//! How fast plans are made; the figures are printed, and nobody is held to them.

use super::*;

/// Seconds of CPU that this thread has had: other work on the machine does not count.
fn spent() -> f64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    text.split(' ').next().unwrap().parse::<f64>().unwrap() / 1e9
}

/// Run in an optimised build: `cargo test --release -p kgents-core speed -- --ignored --nocapture`.
#[test]
#[ignore = "prints figures"]
fn speed_of_a_plan_when_nothing_is_to_be_done() {
    use super::super::{Plan, plan};
    let mut world = World::new();
    let spec = json!({
        "genus": "B", "replicas": 2, "paused": false, "mode": "FULL",
        "config": {"A": "1", "B": "2", "C": "3"}, "networkPolicy": {"allowEgress": true, "allowedPeers": ["x", "genus:D"]},
    });
    world.put("Agent", "a", &spec);
    world.settle();
    for kind in ["Agent", "Memory", "Umwelt"] {
        let name = if kind == "Agent" { "a".to_owned() } else { format!("a-{}", kind.to_lowercase()) };
        let (ours, observed) = world.operator.seen(&(kind.to_owned(), name)).unwrap();
        let rounds = 5_000_u32;
        let begun = spent();
        for _ in 0..rounds {
            let done = plan(ours.subject(), &observed, world.server.now, &world.operator.config);
            assert!(Plan::is_empty(&done), "{done:#?}");
        }
        let each = (spent() - begun) / f64::from(rounds);
        println!(
            "{kind}: {:.1} us of CPU, {:.0} plans/s, {} children",
            each * 1e6,
            1.0 / each,
            observed.children.len()
        );
    }
}
