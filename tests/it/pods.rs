//! Agents in real pods: what only a kubelet proves.
//!
//! `life` is what must hold of an agent, whoever has made its objects; each
//! [`Gardener`] makes them in another way.

mod by_hand;
mod life;

use serde_json::Value;

use crate::support::case::{Case, cases};
use crate::support::node::Node;

/// The tests of this module.
pub fn cases() -> Vec<Case> {
    cases![
        by_hand_an_agent_runs_and_can_be_looked_into,
        by_hand_a_value_outlives_its_pod,
        by_hand_what_takes_too_much_memory_is_killed_and_says_so,
    ]
}

/// Who makes agents run.
trait Gardener {
    /// Makes an agent of this name, of genus B and with one replica, and
    /// returns at once. What is laid over the spec of an Agent is `changes`.
    fn plant(&self, node: &Node, name: &str, changes: &Value);

    /// Changes how many pods it has, and returns at once.
    fn scale(&self, node: &Node, name: &str, replicas: u32);
}

fn by_hand_an_agent_runs_and_can_be_looked_into(node: &Node) {
    life::runs_and_can_be_looked_into(node, &by_hand::ByHand);
}

fn by_hand_a_value_outlives_its_pod(node: &Node) {
    life::a_value_outlives_its_pod(node, &by_hand::ByHand);
}

fn by_hand_what_takes_too_much_memory_is_killed_and_says_so(node: &Node) {
    life::what_takes_too_much_memory_is_killed_and_says_so(node, &by_hand::ByHand);
}
