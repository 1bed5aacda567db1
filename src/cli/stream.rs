//! What is told of each turn to those who follow without a window.

pub(crate) mod json;
pub(crate) mod plain;

use kgents_store::{Terrarium, Thought};

/// The thoughts that have been heard since `last`, in the order of hearing,
/// and the number of the newest.
fn new_thoughts(terrarium: &Terrarium, last: u64) -> (Vec<&Thought>, u64) {
    let thoughts = terrarium.thoughts();
    let mut new: Vec<&Thought> = thoughts.iter().filter(|thought| thought.seq > last).collect();
    new.sort_by_key(|thought| thought.seq);
    (new, thoughts.heard())
}

#[cfg(test)]
mod tests;
