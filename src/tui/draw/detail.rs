//! The pages that rows open: what is known of one thing, in sentences.

mod agent;
mod cell;
mod children;
mod curve;
mod diff;
mod events;
mod gates;
mod json;
mod logs;
mod pheromone;
mod plan;
mod pods;
mod proposal;
mod risk;
mod thought;

pub(super) use agent::agent;
pub(super) use cell::cell;
pub(super) use pheromone::pheromone;
pub(super) use proposal::proposal;
pub(super) use thought::thought;

use jiff::Timestamp;
use kgents_api::Condition;
use kgents_store::request::Problem;
use kgents_store::view;
use kgents_store::{Key, Kind, Layer, Thought};
use ratatui::text::{Line, Span};

use super::sheet::{Sheet, broken, cut, width};
use super::{age_of, bold, left_of, origin, span, thoughts};
use crate::app::App;
use crate::text;
use crate::theme::{Role, Theme};

/// Gathers the lines of a page and when one of them changes by itself.
struct Page<'a> {
    app: &'a App,
    theme: &'a Theme,
    now: Timestamp,
    width: usize,
    lines: Vec<Line<'static>>,
    wake_at: Option<Timestamp>,
}

/// Cells of the column of names, where there is room and where there is little.
const NAMES: usize = 16;
const FEW_NAMES: usize = 14;
/// Below this width there is little room.
const NARROW: usize = 80;

impl<'a> Page<'a> {
    fn new(app: &'a App, width: usize) -> Self {
        Self { app, theme: &app.look.theme, now: app.now, width, lines: Vec::new(), wake_at: None }
    }

    /// Cells of the column of names.
    fn names(&self) -> usize {
        if self.width < NARROW { FEW_NAMES } else { NAMES }
    }

    fn wake(&mut self, at: Timestamp) {
        self.wake_at = Some(self.wake_at.map_or(at, |other| other.min(at)));
    }

    fn age(&mut self, since: Timestamp) -> String {
        let (said, wake) = age_of(self.now, since);
        self.wake(wake);
        said
    }

    fn left(&mut self, end: Timestamp) -> String {
        let (said, wake) = left_of(self.now, end);
        self.wake(wake);
        said
    }

    /// The time of day, of the zone in which times are shown.
    fn clock(&self, at: Timestamp) -> String {
        at.to_zoned(self.app.look.zone.clone()).strftime("%H:%M:%S").to_string()
    }

    fn span(&self, role: Role, text: impl Into<String>) -> Span<'static> {
        span(self.theme, role, text)
    }

    fn bold(&self, role: Role, text: impl Into<String>) -> Span<'static> {
        bold(self.theme, role, text)
    }

    fn push(&mut self, spans: Vec<Span<'static>>) {
        self.lines.push(Line::from(spans));
    }

    fn blank(&mut self) {
        if self.lines.last().is_some_and(|line| line.width() > 0) {
            self.lines.push(Line::default());
        }
    }

    fn head(&mut self, title: &str) {
        self.blank();
        self.push(vec![self.bold(Role::Soft, title)]);
    }

    /// A head with what there is to say of the whole.
    fn head_with(&mut self, title: &str, said: &str) {
        self.blank();
        let said = text::one_line(said);
        let begins = text::width(title).max(self.names() - 2) + 2;
        if begins + text::width(&said) > self.width {
            self.push(vec![self.bold(Role::Soft, title)]);
            return self.text(Role::Mute, &said);
        }
        let gap = " ".repeat(begins - text::width(title));
        self.push(vec![self.bold(Role::Soft, title), Span::raw(gap), self.span(Role::Mute, said)]);
    }

    /// A row whose end stands at the right; what is before it yields.
    fn row(&mut self, left: Vec<Span<'static>>, right: Vec<Span<'static>>) {
        let end = width(&right);
        let room = self.width.saturating_sub(if end > 0 { end + 2 } else { 0 });
        let mut line = cut(left, room);
        if end > 0 {
            line.push(Span::raw(" ".repeat(self.width.saturating_sub(width(&line) + end))));
            line.extend(right);
        }
        self.push(line);
    }

    /// A text in one role, as many lines as it needs.
    fn text(&mut self, role: Role, said: &str) {
        for line in text::wrap(&text::spaced(said), self.width) {
            self.push(vec![self.span(role, line)]);
        }
    }

    /// Parts with points between them, as many lines as they need; each part
    /// stays whole where a line can hold it.
    fn parts(&mut self, parts: Vec<Vec<Span<'static>>>) {
        let mut line = Vec::new();
        for part in parts {
            if !line.is_empty() && width(&line) + 3 + width(&part) > self.width {
                self.push(std::mem::take(&mut line));
            }
            if !line.is_empty() {
                line.push(self.span(Role::Mute, " · "));
            }
            line.extend(part);
        }
        for row in broken(line, self.width, 0) {
            self.push(row);
        }
    }

    /// A name and what it is; a long text goes on under itself.
    fn fact(&mut self, name: &str, what: &str, role: Role) {
        self.entry(vec![self.span(Role::Mute, name)], self.names(), what, role);
    }

    /// What begins a row, and a text that goes on under itself from a column on.
    fn entry(&mut self, begins: Vec<Span<'static>>, column: usize, what: &str, role: Role) {
        let room = self.width.saturating_sub(column).max(10);
        let mut begins = Some(begins);
        for line in text::wrap(&text::spaced(what), room) {
            let mut spans = begins.take().unwrap_or_default();
            let gap = column.saturating_sub(width(&spans)).max(usize::from(!spans.is_empty()));
            spans.push(Span::raw(" ".repeat(gap)));
            spans.push(self.span(role, line));
            self.push(spans);
        }
    }

    /// A fact that may not be known: without a source the row is absent.
    fn maybe(&mut self, name: &str, what: Option<&str>) {
        if let Some(what) = what.filter(|what| !what.trim().is_empty()) {
            self.fact(name, what, Role::Text);
        }
    }

    /// Why something cannot be had. What only lives elsewhere is no mishap.
    fn problem(&mut self, kind: Kind, problem: &Problem) {
        let role = if self.is_memory(kind) { Role::Mute } else { Role::Coral };
        let said = sentence(&text::one_line(&problem.said));
        let hint = problem.hint.as_deref().map(|hint| text::one_line(hint).into_owned()).unwrap_or_default();
        self.with_hint(role, &said, &hint);
    }

    /// A sentence and the next command to type, on one line where it fits.
    fn with_hint(&mut self, role: Role, said: &str, hint: &str) {
        if text::width(said) + 2 + text::width(hint) <= self.width {
            return self.push(vec![self.span(role, format!("{said}  ")), self.span(Role::Key, hint)]);
        }
        self.text(role, said);
        self.text(Role::Key, hint);
    }

    /// Whether what is known of a kind is remembered or recorded.
    fn is_memory(&self, kind: Kind) -> bool {
        matches!(self.app.terrarium.layer_of(kind), Some(Layer::Ghost | Layer::Fixture))
    }

    fn conditions(&mut self, conditions: &[Condition]) {
        if conditions.is_empty() {
            return;
        }
        self.head("conditions");
        let widest = conditions.iter().map(|condition| text::width(&condition.type_)).max().unwrap_or(0);
        for condition in conditions {
            let bad = view::is_bad(condition);
            let role = if bad {
                Role::Coral
            } else if condition.status == "Unknown" {
                Role::Mute
            } else {
                Role::Moss
            };
            let glyph = if bad { self.theme.glyphs.cross } else { self.theme.glyphs.dot };
            let age = self.age(condition.last_transition_time.0);
            let left = vec![
                self.span(role, format!("{glyph} ")),
                self.span(Role::Text, pad(&condition.type_, widest.min(32) + 2)),
                self.span(role, pad(&condition.status, 9)),
                self.span(if bad { Role::Text } else { Role::Soft }, reasoned(&condition.reason, &condition.message)),
            ];
            self.row(left, vec![self.span(Role::Mute, age)]);
        }
    }

    /// A thought in a line; with its speaker where there is more than one.
    fn thought(&mut self, thought: &Thought, told: Told) {
        let role = thoughts::severity_role(thought.severity);
        let mut line = vec![self.span(Role::Mute, format!("{}  ", self.clock(thought.at)))];
        match told {
            Told::Text => {}
            Told::Origin => line.push(self.span(Role::Mute, pad(thought.origin.as_str(), 11))),
            Told::Who(cells) => {
                line.push(self.bold(thoughts::who_role(self.theme, thought), pad(&thought.who, cells + 1)));
            }
        }
        line.push(self.span(role.unwrap_or(Role::Line), format!("{} ", self.theme.glyphs.margin)));
        line.push(self.span(role.unwrap_or(Role::Text), thoughts::in_a_line(&thought.text, &[])));
        self.row(line, Vec::new());
    }

    /// Where what is told of a kind comes from.
    fn origin(&mut self, kind: Kind) -> String {
        let (text, wake_at) = origin::text(self.app, kind);
        self.wake_at = self.wake_at.into_iter().chain(wake_at).min();
        text
    }

    fn done(self, title: String, right: String) -> Sheet {
        Sheet { wake_at: self.wake_at, ..Sheet::new(title, right, self.lines) }
    }
}

/// What of a thought is told beside its text.
#[derive(Clone, Copy)]
enum Told {
    Text,
    Origin,
    /// Whom it is about, in so many cells.
    Who(usize),
}

/// The page of something that is no longer there.
fn gone(app: &App, kind: Kind, key: &Key, width: usize) -> Sheet {
    let mut page = Page::new(app, width);
    let word = kind.as_str().to_lowercase();
    if recent(&mut page, kind, key, 12, Told::Text) == 0 {
        page.text(Role::Soft, &format!("This {word} is gone, and nothing was heard of it."));
    } else {
        let text = format!("This {word} is gone. What was heard of it last:");
        let line = Line::from(page.span(Role::Soft, text));
        page.lines.splice(0..0, [line, Line::default()]);
    }
    page.done(key.name().to_owned(), "gone · esc back".to_owned())
}

/// The newest thoughts about an object, the newest last; answers how many.
fn recent(page: &mut Page<'_>, kind: Kind, key: &Key, count: usize, told: Told) -> usize {
    let mine = |thought: &&Thought| {
        (thought.kind == kind && thought.key == *key)
            || (kind == Kind::Agent && *thought.who == *key.name() && thought.key.namespace() == key.namespace())
    };
    let all = page.app.terrarium.thoughts();
    let mut found: Vec<&Thought> = all.iter().rev().filter(mine).take(count).collect();
    found.reverse();
    for thought in &found {
        page.thought(thought, told);
    }
    found.len()
}

/// A text filled up to so many cells; at least one is left free.
fn pad(text: &str, cells: usize) -> String {
    let fitted = text::fit(text, cells.saturating_sub(1).max(1));
    let gap = cells.saturating_sub(text::width(&fitted)).max(1);
    format!("{fitted}{}", " ".repeat(gap))
}

/// A reason with its message, in a line.
fn reasoned(reason: &str, message: &str) -> String {
    let message = text::one_line(message);
    match (reason.is_empty(), message.trim().is_empty()) {
        (false, false) => format!("{reason}: {message}"),
        (false, true) => reason.to_owned(),
        _ => message.into_owned(),
    }
}

/// Words as a sentence: it begins with a capital and ends with a point. What
/// begins with an address or a name in lower case with a sign stays.
fn sentence(said: &str) -> String {
    let end = if said.ends_with(['.', '!', '?', '…']) { "" } else { "." };
    let first = said.split(' ').next().unwrap_or_default().trim_end_matches([':', ',', '.']);
    let mut chars = said.chars();
    match chars.next() {
        Some(letter) if first.chars().all(char::is_alphabetic) => {
            format!("{}{}{end}", letter.to_uppercase(), chars.as_str())
        }
        _ => format!("{said}{end}"),
    }
}
