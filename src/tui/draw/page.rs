//! Whole pages for when there is nothing to put into panes: a first start, an
//! empty terrarium, a cluster that does not answer.

use kgents_store::watch::{Link, WatchState};
use kgents_store::{Kind, Layer};
use ratatui::layout::Rect;

use super::Pen;
use crate::text;
use crate::theme::Role;

/// A jar with plants in it, and one that waits for them.
const PLANT: [&str; 8] = [
    "    ▁▁▁▁▁▁▁    ",
    "   ╭┴─────┴╮   ",
    " ╭─╯   ●   ╰─╮ ",
    " │  ●  ┃  ●  │ ",
    " │ ╲╱╲ ┃ ╱╲╱ │ ",
    " │   ╲╲┃╱╱   │ ",
    " │▒▓▒▒▓▓▒▓▒▒▓│ ",
    " ╰───────────╯ ",
];
const BOTTLE: [&str; 8] = [
    "    ▁▁▁▁▁▁▁    ",
    "   ╭┴─────┴╮   ",
    " ╭─╯       ╰─╮ ",
    " │           │ ",
    " │           │ ",
    " │     ◦     │ ",
    " │▒▓▒▒▓▓▒▓▒▒▓│ ",
    " ╰───────────╯ ",
];

/// The same where only ASCII is drawn.
const ASCII_PLANT: [&str; 8] = [
    "    _______    ",
    "   /_______\\   ",
    "  /    *    \\  ",
    " |  *  !  *  | ",
    " |  \\  !  /  | ",
    " |   \\ ! /   | ",
    " |:#::##:#::#| ",
    " +-----------+ ",
];
const ASCII_BOTTLE: [&str; 8] = [
    "    _______    ",
    "   /_______\\   ",
    "  /         \\  ",
    " |           | ",
    " |           | ",
    " |     .     | ",
    " |:#::##:#::#| ",
    " +-----------+ ",
];

/// What stands above the words.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Art {
    Plant,
    Bottle,
}

impl Art {
    const fn lines(self, ascii: bool) -> &'static [&'static str; 8] {
        match (self, ascii) {
            (Self::Plant, false) => &PLANT,
            (Self::Bottle, false) => &BOTTLE,
            (Self::Plant, true) => &ASCII_PLANT,
            (Self::Bottle, true) => &ASCII_BOTTLE,
        }
    }
}

/// What a page says.
struct Said {
    art: Art,
    title: String,
    lines: Vec<String>,
    /// Commands to type, each with what it does.
    next: Vec<(String, &'static str)>,
    role: Role,
}

pub(super) fn bare(pen: &mut Pen<'_>, area: Rect) {
    let said = say(pen);
    let width = usize::from(area.width.saturating_sub(4)).min(92);
    let lines: Vec<String> = said.lines.iter().flat_map(|line| text::wrap(line, width)).collect();
    let fits = usize::from(area.height) >= 8 + 6 + lines.len() + said.next.len();
    let ascii = pen.theme.glyphs.corners[0].is_ascii();
    let art: &[&str] = if fits { said.art.lines(ascii) } else { &[] };
    let height = art.len() + usize::from(!art.is_empty()) * 2 + 1 + lines.len() + 2 + said.next.len();
    let mut y = area.y + area.height.saturating_sub(height as u16) * 2 / 5;
    let middle = |text: &str| area.x + (area.width.saturating_sub(text::width(text) as u16)) / 2;
    for line in art {
        let mut x = middle(line);
        for c in line.chars() {
            let colour = match c {
                '●' | '*' => pen.theme.color(said.role),
                '◦' | '.' => pen.theme.color(Role::Soft),
                '┃' | '╲' | '╱' | '!' => pen.theme.color(Role::Moss),
                '▒' | ':' => pen.theme.mix(Role::Bg, Role::Amber, 0.35),
                '▓' | '#' => pen.theme.mix(Role::Bg, Role::Amber, 0.5),
                _ => pen.theme.mix(Role::Line, Role::Sky, 0.5),
            };
            x = pen.put(x, y, area.right(), c.encode_utf8(&mut [0; 4]), pen.theme.fg(Role::Soft).fg(colour));
        }
        y += 1;
    }
    y += u16::from(!art.is_empty()) * 2;
    pen.put(middle(&said.title), y, area.right(), &said.title, pen.theme.bold(Role::Text));
    y += 1;
    for line in &lines {
        pen.put(middle(line), y, area.right(), line, pen.theme.fg(Role::Soft));
        y += 1;
    }
    y += 1;
    let widest = said.next.iter().map(|(command, _)| text::width(command)).max().unwrap_or(0);
    let what = said.next.iter().map(|(_, what)| text::width(what)).max().unwrap_or(0);
    let both = widest + 4 + what <= usize::from(area.width);
    let block = if both { widest + 4 + what } else { widest };
    let x = area.x + area.width.saturating_sub(block as u16) / 2;
    for (command, what) in &said.next {
        pen.put(x, y, area.right(), command, pen.theme.fg(Role::Key));
        if both {
            pen.put(x + widest as u16 + 4, y, area.right(), what, pen.theme.fg(Role::Soft));
        }
        y += 1;
    }
}

fn say(pen: &Pen<'_>) -> Said {
    let app = pen.app;
    let scene = app.terrarium.scene();
    let context = if scene.context.is_empty() { "The cluster" } else { &scene.context };
    if let Link::Down { error, hint, .. } = app.terrarium.link() {
        let mut lines = vec![sentence(error)];
        if !scene.server.is_empty() {
            lines.push(format!("{context} is at {}; trying again as long as this window is open.", scene.server));
        }
        // Each of the others in its own words.
        for layer in [Layer::Grpc, Layer::Ghost] {
            match app.terrarium.rung(layer).map(|rung| &rung.link) {
                Some(Link::Down { error: other, .. }) if other != error => lines.push(sentence(other)),
                _ => {}
            }
        }
        let next = if hint.is_empty() { Vec::new() } else { vec![(hint.clone(), "")] };
        return Said { art: Art::Bottle, title: "Nobody answers.".to_owned(), lines, next, role: Role::Coral };
    }
    let states: Vec<(Kind, WatchState)> =
        Kind::CUSTOM.into_iter().filter_map(|kind| Some((kind, app.trouble(kind)?))).collect();
    if states.iter().any(|(_, state)| matches!(state, WatchState::Missing)) {
        let missing: Vec<&str> = states
            .iter()
            .filter(|(_, state)| matches!(state, WatchState::Missing))
            .map(|(kind, _)| kind.plural())
            .collect();
        return Said {
            art: Art::Plant,
            title: "The soil is not prepared yet.".to_owned(),
            lines: vec![format!("{context} answers, but it does not know {}.", unknown(&missing))],
            next: vec![(
                "kgents crd install".to_owned(),
                "teach it the kgents resources; this window then comes alive by itself",
            )],
            role: Role::Amber,
        };
    }
    if let Some((kind, state)) = states.first() {
        let (line, command) = match state {
            WatchState::Forbidden { verb, resource, namespace } => {
                let place = namespace.as_deref().map_or("in the cluster".to_owned(), |ns| format!("in {ns}"));
                (
                    format!("{context} answers, but you may not {verb} {resource} {place}."),
                    format!("kubectl auth can-i {verb} {resource}"),
                )
            }
            WatchState::Failing { error, .. } => {
                (format!("{context} does not tell its {}: {error}.", kind.plural()), "kgents status".to_owned())
            }
            _ => (String::new(), "kgents status".to_owned()),
        };
        return Said {
            art: Art::Bottle,
            title: "Nothing can be seen from here.".to_owned(),
            lines: vec![line],
            next: vec![
                (command, "ask what is allowed"),
                ("kgents observe -n NAMESPACE".to_owned(), "look at one namespace"),
            ],
            role: Role::Amber,
        };
    }
    let place = scene.namespace.as_ref().map_or("any namespace".to_owned(), Clone::clone);
    Said {
        art: Art::Plant,
        title: "Nothing grows here yet.".to_owned(),
        lines: vec![format!("{context} answers and knows the kgents resources, but no agent lives in {place}.")],
        next: vec![
            ("kubectl apply -f my-agent.yaml".to_owned(), "plant an agent"),
            ("kubectl explain agent.spec".to_owned(), "what an agent is made of"),
            ("kgents signal emit WARNING 'hello'".to_owned(), "let a first signal fade"),
        ],
        role: Role::Amber,
    }
}

/// The resources that a cluster does not know; all of them in one word.
fn unknown(missing: &[&str]) -> String {
    if missing.len() == Kind::CUSTOM.len() { "the kgents resources".to_owned() } else { missing.join(", ") }
}

/// An error as a sentence of its own. A URL at its beginning stays as it is.
fn sentence(error: &str) -> String {
    let mut chars = error.chars();
    match chars.next() {
        Some(first) if !error.starts_with("http") => format!("{}{}.", first.to_uppercase(), chars.as_str()),
        _ => format!("{error}."),
    }
}

/// The sentence of a terminal in which nothing else fits.
pub(super) fn too_small(pen: &mut Pen<'_>, area: Rect) {
    let y = area.height / 2;
    let said = if area.width < 24 { "too small" } else { "too small for a terrarium" };
    let x = area.width.saturating_sub(text::width(said) as u16) / 2;
    pen.put(x, y, area.right(), said, pen.theme.fg(Role::Soft));
}
