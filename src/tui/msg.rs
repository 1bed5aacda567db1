//! What reaches the app, and what it answers.

use crossterm::event::{KeyEvent, MouseEvent};
use jiff::Timestamp;
use kgents_store::Batch;
use kgents_store::request::{Reply, Request};

use crate::app::Look;

/// Something that happened.
#[derive(Debug)]
pub enum Msg {
    /// A key was pressed.
    Key(KeyEvent),
    /// A text was pasted.
    Paste(String),
    /// The mouse did something.
    Mouse(MouseEvent),
    /// The terminal has another size: columns and rows.
    Resize(u16, u16),
    /// Word from the sources.
    Batch(Batch),
    /// An answer to something that was asked for.
    Reply(Reply),
    /// From now on the sources tell of another terrarium.
    Elsewhere,
    /// The settings are others, or what is wrong with them is.
    Settings(Box<Look>, Option<String>),
    /// A moment has come that was asked for.
    Wake,
}

/// Something only the runtime can do.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// End, and restore the terminal.
    Quit,
    /// Stop until the shell brings us back.
    Suspend,
    /// Draw every cell anew.
    Repaint,
    /// Ask a source. Every change of the cluster goes this way, once.
    Ask(Request),
    /// Put a text into the terminal's clipboard.
    Copy(String),
}

/// What an update asks for.
#[derive(Debug, Default, PartialEq)]
pub struct Update {
    /// Something visible may have changed.
    pub redraw: bool,
    /// What the runtime is to do, in this order.
    pub effects: Vec<Effect>,
    /// When the state changes by itself, whether or not it shows. What shows
    /// says its own next change when it is drawn (`HitMap::wake_at`).
    pub wake_at: Option<Timestamp>,
}
