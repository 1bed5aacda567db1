//! Which layer speaks: health in, layer out. Pure.
//!
//! - A layer is climbed to after two good answers in a row, and left after one
//!   failure. An answer that took longer than the layer's budget is a failure.
//! - Of those that are climbable the best speaks: gRPC, then the Kubernetes
//!   API. Where none is, the Ghost speaks if it knows anything.
//! - The Ghost is never live, so it needs no second answer.

use std::time::Duration;

use kgents_store::Layer;

/// How many good answers in a row it takes to climb to a layer.
const CLIMB: u8 = 2;

/// How long a layer may take to answer.
pub const fn budget(layer: Layer) -> Duration {
    match layer {
        Layer::Grpc => Duration::from_millis(500),
        Layer::Kube => Duration::from_secs(2),
        // Files are there or not.
        Layer::Ghost | Layer::Fixture => Duration::MAX,
    }
}

/// What came of asking a layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It answered, after so long.
    Good(Duration),
    /// It did not, or with something that is of no use.
    Bad,
}

/// The three layers, and which of them speaks.
#[derive(Clone, Debug)]
pub struct Ladder {
    /// The only one that may speak.
    pinned: Option<Layer>,
    /// Good answers in a row, by layer, up to [`CLIMB`]; `None` before the
    /// first answer.
    good: [Option<u8>; Layer::ASKED.len()],
    speaks: Option<Layer>,
}

impl Ladder {
    /// A ladder on which nobody has answered yet; with `pinned` only that
    /// layer will ever speak.
    pub fn new(pinned: Option<Layer>) -> Self {
        Self { pinned, good: [None; Layer::ASKED.len()], speaks: None }
    }

    /// Takes in what came of asking a layer.
    pub fn hear(&mut self, layer: Layer, answer: Answer) {
        let Some(place) = Layer::ASKED.iter().position(|other| *other == layer) else { return };
        let before = self.good[place].unwrap_or(0);
        self.good[place] = Some(match answer {
            Answer::Good(took) if took <= budget(layer) => (before + 1).min(CLIMB),
            _ => 0,
        });
        self.speaks = Layer::ASKED.into_iter().find(|layer| self.may_speak(*layer));
    }

    /// Which layer speaks; `None` while none can.
    pub fn speaks(&self) -> Option<Layer> {
        self.speaks
    }

    /// Whether a layer has answered, well or not.
    pub fn is_known(&self, layer: Layer) -> bool {
        self.count(layer).is_some()
    }

    /// Whether a layer may be asked at all.
    pub fn is_asked(&self, layer: Layer) -> bool {
        self.pinned.is_none_or(|pinned| pinned == layer)
    }

    fn count(&self, layer: Layer) -> Option<u8> {
        Layer::ASKED.iter().position(|other| *other == layer).and_then(|place| self.good[place])
    }

    fn may_speak(&self, layer: Layer) -> bool {
        let needed = if layer.is_live() { CLIMB } else { 1 };
        self.is_asked(layer) && self.count(layer).is_some_and(|count| count >= needed)
    }
}

#[cfg(test)]
mod tests;
