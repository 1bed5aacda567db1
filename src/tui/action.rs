//! The one table of what a person can do. Keymap, footer and help are read
//! from it.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

/// Everything a key can cause.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum Action {
    Down,
    Up,
    PageDown,
    PageUp,
    First,
    Last,
    Open,
    Back,
    NextTab,
    PreviousTab,
    FocusAgents,
    FocusPheromones,
    FocusProposals,
    FocusThoughts,
    FocusChat,
    FocusNext,
    FocusPrevious,
    Zoom,
    NextNeed,
    Freeze,
    Help,
    Redraw,
    Suspend,
    Quit,
}

/// Where an action makes sense.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Where {
    /// Everywhere.
    Everywhere,
    /// While no overlay is open.
    Panes,
    /// In an overlay.
    Overlay,
    /// In the thoughts pane.
    Thoughts,
}

/// A key with its modifiers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Chord(pub KeyCode, pub KeyModifiers);

const fn key(c: char) -> Chord {
    Chord(KeyCode::Char(c), KeyModifiers::NONE)
}

const fn ctrl(c: char) -> Chord {
    Chord(KeyCode::Char(c), KeyModifiers::CONTROL)
}

const fn plain(code: KeyCode) -> Chord {
    Chord(code, KeyModifiers::NONE)
}

/// One row of the table.
pub struct Row {
    /// What it causes.
    pub action: Action,
    /// The keys, the one that is shown first.
    pub keys: &'static [Chord],
    /// How the keys are shown.
    pub shown: &'static str,
    /// A word or two for the footer; empty keeps it out of the footer.
    pub short: &'static str,
    /// A sentence for the help.
    pub help: &'static str,
    /// Where it works.
    pub place: Where,
}

/// The table. Footer and help keep its order.
pub const TABLE: &[Row] = &[
    Row {
        action: Action::FocusAgents,
        keys: &[key('1')],
        shown: "1-5",
        short: "pane",
        help: "focus a pane by its number",
        place: Where::Panes,
    },
    Row { action: Action::FocusPheromones, keys: &[key('2')], shown: "", short: "", help: "", place: Where::Panes },
    Row { action: Action::FocusProposals, keys: &[key('3')], shown: "", short: "", help: "", place: Where::Panes },
    Row { action: Action::FocusThoughts, keys: &[key('4')], shown: "", short: "", help: "", place: Where::Panes },
    Row { action: Action::FocusChat, keys: &[key('5')], shown: "", short: "", help: "", place: Where::Panes },
    Row {
        action: Action::FocusNext,
        keys: &[plain(KeyCode::Tab)],
        shown: "⇥",
        short: "",
        help: "focus the next pane",
        place: Where::Panes,
    },
    Row {
        action: Action::FocusPrevious,
        keys: &[plain(KeyCode::BackTab)],
        shown: "⇧⇥",
        short: "",
        help: "focus the pane before",
        place: Where::Panes,
    },
    Row {
        action: Action::Down,
        keys: &[key('j'), plain(KeyCode::Down)],
        shown: "j k",
        short: "move",
        help: "move down and up (arrows too)",
        place: Where::Everywhere,
    },
    Row {
        action: Action::Up,
        keys: &[key('k'), plain(KeyCode::Up)],
        shown: "",
        short: "",
        help: "",
        place: Where::Everywhere,
    },
    Row {
        action: Action::PageDown,
        keys: &[plain(KeyCode::PageDown), ctrl('f')],
        shown: "pgdn pgup",
        short: "",
        help: "move by a page",
        place: Where::Everywhere,
    },
    Row {
        action: Action::PageUp,
        keys: &[plain(KeyCode::PageUp), ctrl('b')],
        shown: "",
        short: "",
        help: "",
        place: Where::Everywhere,
    },
    Row {
        action: Action::First,
        keys: &[key('g'), plain(KeyCode::Home)],
        shown: "g G",
        short: "",
        help: "go to the first and the last row",
        place: Where::Everywhere,
    },
    Row {
        action: Action::Last,
        keys: &[key('G'), plain(KeyCode::End)],
        shown: "",
        short: "",
        help: "",
        place: Where::Everywhere,
    },
    Row {
        action: Action::Open,
        keys: &[plain(KeyCode::Enter)],
        shown: "⏎",
        short: "open",
        help: "open what is selected",
        place: Where::Panes,
    },
    Row {
        action: Action::NextTab,
        keys: &[plain(KeyCode::Right), key('l'), plain(KeyCode::Tab)],
        shown: "← →",
        short: "tab",
        help: "the next and the previous tab",
        place: Where::Overlay,
    },
    Row {
        action: Action::PreviousTab,
        keys: &[plain(KeyCode::Left), key('h'), plain(KeyCode::BackTab)],
        shown: "",
        short: "",
        help: "",
        place: Where::Overlay,
    },
    Row {
        action: Action::Zoom,
        keys: &[key('z')],
        shown: "z",
        short: "zoom",
        help: "give the focused pane the whole screen, and back",
        place: Where::Panes,
    },
    Row {
        action: Action::NextNeed,
        keys: &[key('n')],
        shown: "n",
        short: "next that needs you",
        help: "go to the next agent or proposal that needs a person",
        place: Where::Panes,
    },
    Row {
        action: Action::Freeze,
        keys: &[key(' ')],
        shown: "␣",
        short: "freeze",
        help: "stop the thoughts, or follow them again",
        place: Where::Thoughts,
    },
    Row {
        action: Action::Back,
        keys: &[plain(KeyCode::Esc)],
        shown: "esc",
        short: "back",
        help: "back out of what is open",
        place: Where::Overlay,
    },
    Row {
        action: Action::Redraw,
        keys: &[ctrl('l')],
        shown: "ctrl-l",
        short: "",
        help: "draw the whole screen anew",
        place: Where::Everywhere,
    },
    Row {
        action: Action::Suspend,
        keys: &[ctrl('z')],
        shown: "ctrl-z",
        short: "",
        help: "suspend; fg comes back",
        place: Where::Everywhere,
    },
    Row {
        action: Action::Help,
        keys: &[key('?')],
        shown: "?",
        short: "help",
        help: "this help",
        place: Where::Everywhere,
    },
    Row {
        action: Action::Quit,
        keys: &[key('q'), ctrl('c')],
        shown: "q",
        short: "quit",
        help: "quit (ctrl-c too)",
        place: Where::Everywhere,
    },
];

/// Where the keys go at the moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// An overlay is open.
    pub overlay: bool,
    /// A page stands where the panes would be.
    pub bare: bool,
    /// The thoughts pane has the focus.
    pub thoughts: bool,
}

impl Row {
    /// Whether the action makes sense in a place.
    pub fn works(&self, place: Place) -> bool {
        match self.place {
            Where::Everywhere => true,
            Where::Panes => !place.overlay && !place.bare,
            Where::Overlay => place.overlay,
            Where::Thoughts => !place.overlay && !place.bare && place.thoughts,
        }
    }
}

/// What a key causes in a place.
pub fn find(event: &KeyEvent, place: Place) -> Option<Action> {
    // Shift is in the key already (G, BackTab); terminals differ in whether they say it.
    let chord = Chord(event.code, event.modifiers.difference(KeyModifiers::SHIFT));
    TABLE.iter().find(|row| row.works(place) && row.keys.contains(&chord)).map(|row| row.action)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLACES: [Place; 3] = [
        Place { overlay: false, bare: false, thoughts: false },
        Place { overlay: false, bare: false, thoughts: true },
        Place { overlay: true, bare: false, thoughts: false },
    ];

    #[test]
    fn no_key_means_two_things_in_one_place() {
        for place in PLACES {
            let rows: Vec<&Row> = TABLE.iter().filter(|row| row.works(place)).collect();
            for (i, row) in rows.iter().enumerate() {
                for other in &rows[i + 1..] {
                    for chord in row.keys {
                        assert!(!other.keys.contains(chord), "{chord:?}: {:?} and {:?}", row.action, other.action);
                    }
                }
            }
        }
    }

    #[test]
    fn every_row_has_a_key_and_what_is_shown_is_told() {
        for row in TABLE {
            assert!(!row.keys.is_empty(), "{:?}", row.action);
            assert_eq!(row.shown.is_empty(), row.help.is_empty(), "{:?}", row.action);
        }
    }

    #[test]
    fn capitals_are_found_with_and_without_shift() {
        let press = |modifiers| find(&KeyEvent::new(KeyCode::Char('G'), modifiers), PLACES[0]);
        assert_eq!(press(KeyModifiers::SHIFT), Some(Action::Last));
        assert_eq!(press(KeyModifiers::NONE), Some(Action::Last));
    }
}
