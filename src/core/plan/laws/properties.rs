//! The laws themselves.

use super::history::{Act, history};
use super::*;

fn live(acts: &[Act]) -> World {
    let mut world = World::new();
    for act in acts {
        world.act(act);
    }
    world
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, max_shrink_iters: 20_000, ..config() })]

    #[test]
    fn every_history_ends_where_nothing_is_to_be_done(acts in history()) {
        let mut world = live(&acts);
        world.settle();
        // Whatever refused has long stopped refusing, and is asked again.
        world.wait(3 * 3600);
        world.settle();
        world.hold_to_outcome();
        // Who starts anew finds nothing to do either.
        let before = world.server.objects.clone();
        world.operator.restart(&world.server);
        world.rest();
        prop_assert_eq!(before, world.server.objects);
    }
}
