//! The help: every key of the action table that works where one is.

use ratatui::text::Line;

use super::{Sheet, bold, span};
use crate::action::{Place, TABLE, Where};
use crate::app::App;
use crate::layout::Pane;
use crate::text;
use crate::theme::Role;

/// What each pane is for, in a sentence.
const fn about(pane: Pane) -> &'static str {
    match pane {
        Pane::Agents => {
            "The one that needs a person first, then the busiest. The sentence says why a row stands where it stands, or what the agent said last."
        }
        Pane::Pheromones => {
            "Signals by type over the last hour, each cell as strong as the strongest was then. Under the field: what can be sensed now."
        }
        Pane::Proposals => {
            "Changes that were asked for. The blocks are the risk: what the change weighs, the haste of the last hour, the last day's merges. est. is our own figure where no operator wrote one."
        }
        Pane::Thoughts => {
            "What is going on, from Events and from what changes. Moving up stops the stream; its end follows it again."
        }
        Pane::Chat => "Talking to agents. Nobody can be reached yet.",
    }
}

pub(super) fn sheet(app: &App, width: usize) -> Sheet {
    let theme = &app.look.theme;
    let mut lines: Vec<Line<'static>> =
        text::wrap(about(app.focus), width).into_iter().map(|line| Line::from(span(theme, Role::Soft, line))).collect();
    let place = Place { overlay: false, ..app.place() };
    for (title, wanted) in [("here", false), ("while a page is open", true)] {
        lines.push(Line::default());
        lines.push(Line::from(bold(theme, Role::Soft, title)));
        for row in TABLE.iter().filter(|row| !row.help.is_empty()) {
            if wanted != (row.place == Where::Overlay) || !(wanted || row.works(place)) {
                continue;
            }
            let gap = " ".repeat(12_usize.saturating_sub(text::width(row.shown)));
            lines.push(Line::from(vec![
                bold(theme, Role::Key, row.shown),
                span(theme, Role::Mute, gap),
                span(theme, Role::Text, row.help),
            ]));
        }
    }
    lines.push(Line::default());
    lines.push(Line::from(span(
        theme,
        Role::Mute,
        "The mouse works too: click, click again to open, wheel. --no-mouse leaves it to the terminal.",
    )));
    Sheet { title: format!("help · {}", app.focus.title()), right: "esc back".to_owned(), lines, wake_at: None }
}
