//! The terrarium as last known, and the bus that feeds it.
//!
//! Sources hand raw objects to [`object::decode`], which cleans and reads
//! them, and send the result down the [`bus`]. One reader drains the bus into
//! a [`Terrarium`], which keeps state by key, tells what changed, and turns
//! changes into [`thought`]s. No IO; time comes in as an argument.

pub mod act;
pub mod answer;
pub mod bus;
pub mod heartbeat;
pub mod key;
mod narrate;
pub mod object;
pub mod past;
pub mod planned;
pub mod request;
pub mod sanitize;
pub mod terrarium;
pub mod thought;
pub mod timeline;
pub mod view;
pub mod watch;

pub use answer::{Answer, answer};
pub use bus::{Batch, Bus, Change, Control, Novelty, Rung};
pub use key::{Key, Kind};
pub use object::Object;
pub use past::{Past, Then};
pub use planned::Planned;
pub use terrarium::{Delta, Terrarium};
pub use thought::Thought;
pub use watch::{Layer, WatchState};
