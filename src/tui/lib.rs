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
pub mod edit;
mod encode;
pub mod field;
pub mod filter;
#[cfg(test)]
mod frames;
pub mod hit;
mod input;
pub mod kept;
pub mod keymap;
pub mod layout;
pub mod msg;
pub mod overlay;
pub mod palette;
mod query;
mod runtime;
pub mod select;
mod snapshot;
pub mod splits;
mod terminal;
#[cfg(test)]
mod testing;
pub mod text;
pub mod theme;
pub mod view;
mod world;

pub use kept::{Kept, Memory};
pub use runtime::{Wires, run};
pub use snapshot::snapshot;
pub use theme::{Background, ColourLevel, colour_level};

use std::sync::Arc;
use std::time::Duration;

use jiff::tz::TimeZone;

/// How the window is to look and behave.
#[derive(Clone, Debug, Default)]
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
    /// Which key causes what.
    pub keymap: keymap::Keymap,
    /// Changes may be sent from the start.
    pub write: bool,
    /// The colours; `None` for those that suit the terminal's background.
    pub palette: Option<Arc<theme::Palette>>,
    /// What the environment says of that background. Where it says nothing the
    /// terminal is asked, and taken for dark until it answers.
    pub background: Option<Background>,
    /// The layout of small terminals at any size.
    pub compact: bool,
    /// Nothing moves but what changes.
    pub reduce_motion: bool,
    /// How long the first frame may wait for what is remembered. Zero where
    /// nothing is.
    pub patience: Duration,
}

/// Settings that may change while the window is open.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// How it is to look. The mouse and the patience are as they were when it
    /// was opened.
    pub options: Options,
    /// What is wrong with what was set, and what holds instead, in sentences.
    pub problem: Option<String>,
}

impl Options {
    /// The look with these options, where the terminal answered this.
    fn look(&self, answer: Option<Background>) -> app::Look {
        let zone = if self.utc { TimeZone::UTC } else { local_zone() };
        let palette = self.palette.clone().unwrap_or_else(|| {
            let background = answer.or(self.background).unwrap_or_default();
            Arc::new(background.palette())
        });
        app::Look {
            theme: theme::Theme::of(palette, self.colour, self.ascii),
            zone,
            keymap: self.keymap.clone(),
            write: self.write,
            motion: !self.reduce_motion,
            compact: self.compact,
        }
    }

    /// Whether the terminal has to be asked for its background.
    fn wants_answer(&self) -> bool {
        self.palette.is_none() && self.background.is_none() && self.colour > ColourLevel::None
    }
}

/// The local zone. Where no `TZ` names another it is read straight from
/// `/etc/localtime`: looking its name up walks the whole zone database, which
/// takes longer than the first frame may.
fn local_zone() -> TimeZone {
    if std::env::var_os("TZ").is_some_and(|zone| !zone.is_empty()) {
        return TimeZone::system();
    }
    let local = std::fs::read("/etc/localtime").ok().and_then(|file| TimeZone::tzif("Local", &file).ok());
    local.unwrap_or_else(TimeZone::system)
}
