//! The help: every key of the action table that works where one is.

use ratatui::text::Line;

use super::{Sheet, bold, span};
use crate::action::{Spot, TABLE};
use crate::app::App;
use crate::text;
use crate::theme::Role;

/// What a place is for, in a sentence or two.
const fn about(spot: Spot) -> &'static str {
    match spot {
        Spot::Agents => {
            "The one that needs a person first, then the busiest. The sentence says why a row stands where it stands, or what the agent said last."
        }
        Spot::Pheromones => {
            "Signals by type over the last hour, each cell as strong as the strongest was then. Under the field: what can be sensed now."
        }
        Spot::Proposals => {
            "Changes that were asked for. The blocks are the risk: what the change weighs, the haste of the last hour, the last day's merges. est. is our own figure where no operator wrote one."
        }
        Spot::Thoughts => {
            "What is going on, from Events and from what changes. Moving up stops the stream; its end follows it again."
        }
        Spot::Chat => {
            "Talk with an agent. It answers from what is known of it here, and each answer names the fields it was read from."
        }
        Spot::AgentPage | Spot::PheromonePage | Spot::ProposalPage | Spot::ThoughtPage => {
            "What is known of one thing. Sentences come from the object itself; a row without a source is absent."
        }
        Spot::Logs => "What the agent's containers write. Moving up stops the stream; its end follows it again.",
        Spot::Help => "The keys that work here.",
        Spot::Bare => "Nothing lives here yet, or nothing is known of it.",
    }
}

pub(super) fn sheet(app: &App, spot: Spot, width: usize) -> Sheet {
    let theme = &app.look.theme;
    let mut lines: Vec<Line<'static>> =
        text::wrap(about(spot), width).into_iter().map(|line| Line::from(span(theme, Role::Soft, line))).collect();
    let everywhere = |row: &&crate::action::Row| row.spots.len() >= Spot::ALL.len() - 2;
    let rows: Vec<_> = TABLE.iter().filter(|row| !row.help.is_empty() && row.works(spot)).collect();
    for (title, wide) in [("here", false), ("everywhere", true)] {
        lines.push(Line::default());
        lines.push(Line::from(bold(theme, Role::Soft, title)));
        for row in rows.iter().filter(|row| everywhere(row) == wide) {
            let shown = app.look.keymap.shown(row);
            let shown = if shown.is_empty() { format!(":{}", row.name) } else { shown };
            let gap = " ".repeat(12_usize.saturating_sub(text::width(&shown)).max(1));
            let barred = row.changes && app.barred().is_some();
            let mut line = vec![
                bold(theme, if barred { Role::Mute } else { Role::Key }, shown),
                span(theme, Role::Mute, gap),
                span(theme, if barred { Role::Mute } else { Role::Text }, row.help),
            ];
            if let Some((said, hint)) = app.barred().filter(|_| barred) {
                let said = if hint.is_empty() { said.to_owned() } else { format!("{said} {hint}.") };
                line.push(span(theme, Role::Mute, format!("  {said}")));
            }
            lines.push(Line::from(line));
        }
    }
    lines.push(Line::default());
    lines.push(Line::from(span(
        theme,
        Role::Mute,
        "The mouse works too: click, click again to open, wheel. --no-mouse leaves it to the terminal.",
    )));
    Sheet::new(format!("help · {}", spot.title()), "esc back".to_owned(), lines)
}
