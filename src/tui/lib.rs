//! The window: what is known of the terrarium, on a terminal.
//!
//! [`app::App`] holds the state and changes only by `update`; [`draw`] turns
//! it into cells; [`run`] is the loop around them and the only thing here that
//! knows a clock and a terminal.

pub mod action;
pub mod app;
#[cfg(test)]
mod behaviour;
pub mod draw;
pub mod field;
#[cfg(test)]
mod frames;
pub mod hit;
pub mod layout;
pub mod msg;
mod runtime;
pub mod select;
mod snapshot;
mod terminal;
#[cfg(test)]
mod testing;
pub mod text;
pub mod theme;

pub use runtime::run;
pub use snapshot::snapshot;
pub use theme::{ColourLevel, colour_level};

use jiff::tz::TimeZone;

/// How the window is to look and behave.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// The mouse is ours: clicks and the wheel work, the terminal's own
    /// selection does not.
    pub mouse: bool,
    /// Times are shown in UTC instead of the local zone.
    pub utc: bool,
    /// How many colours there are.
    pub colour: ColourLevel,
    /// Only ASCII is drawn.
    pub ascii: bool,
}

impl Options {
    fn look(self) -> app::Look {
        let zone = if self.utc { TimeZone::UTC } else { TimeZone::system() };
        app::Look { theme: theme::Theme::new(self.colour, self.ascii), zone }
    }
}
