//! Asks the terminal for the colour of its background (OSC 11), and finds the
//! answer among the keys.
//!
//! crossterm knows no such answers: it makes keys of them (alt-], then `1`,
//! `1`, `;`, `r` and so on), which would do whatever those keys do. Here such
//! keys are held back until it is clear what they are, and what is no answer
//! is given through in its order. Pure: events and the time come in.

use std::time::{Duration, Instant};

use crossterm::event::{Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

use crate::theme::{Background, Rgb};

/// The question. It ends in BEL, and then so does the answer: one byte that
/// cannot be torn in two.
pub(crate) const QUESTION: &str = "\u{1b}]11;?\u{7}";

/// For how long after the question a lone Esc may be the first byte of an
/// answer that came in two pieces.
const OUTSTANDING: Duration = Duration::from_secs(1);
/// For how long a key is held back that may begin an answer. Nobody sees it.
const HOLD: Duration = Duration::from_millis(30);
/// For how long the rest is waited for once it is clear that it is an answer.
const REST: Duration = Duration::from_millis(500);
/// How long the longest answer is, without what it begins and ends with.
const LONGEST: usize = "11;rgba:ffff/ffff/ffff/ffff".len();
/// What only an answer begins with.
const SURE: &str = "11;rgb";

/// Whether the terminal can be asked. One that does not know the question may
/// print it.
pub(crate) fn can_be_asked(term: &str) -> bool {
    !(term.is_empty() || term == "dumb" || term == "linux" || term.starts_with("vt"))
}

/// A question to the terminal, and what was held back since.
#[derive(Debug, Default)]
pub(crate) struct Query {
    /// Until when an answer may be torn; `None` if nothing was asked.
    asked_until: Option<Instant>,
    /// Whether the answer has come.
    is_answered: bool,
    held: Vec<KeyEvent>,
    /// When what is held is let go.
    until: Option<Instant>,
    /// What the answer says as far as it has come; `None` before its `]`.
    body: Option<String>,
}

/// What became of an event.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Heard {
    /// What is no answer, in its order.
    pub(crate) events: Vec<Event>,
    /// What the terminal answered.
    pub(crate) background: Option<Background>,
}

/// How an answer goes on with a key.
enum Step {
    /// It may.
    On,
    /// This is its end.
    End,
    /// It cannot.
    Off,
}

impl Query {
    /// The question was asked.
    pub(crate) fn ask(&mut self, now: Instant) {
        self.asked_until = Some(now + OUTSTANDING);
        self.is_answered = false;
    }

    /// Whether an answer may come at any moment.
    pub(crate) fn is_outstanding(&self, now: Instant) -> bool {
        !self.is_answered && self.asked_until.is_some_and(|until| now < until)
    }

    /// Whether nobody was asked yet.
    pub(crate) const fn is_unasked(&self) -> bool {
        self.asked_until.is_none()
    }

    /// When [`Query::expire`] has something to do.
    pub(crate) const fn due(&self) -> Option<Instant> {
        self.until
    }

    /// Takes in an event and gives those that are no answer.
    pub(crate) fn hear(&mut self, event: Event, now: Instant) -> Heard {
        let mut heard = Heard { events: self.expire(now), background: None };
        // An answer that is late is one all the same, so there is no end to
        // this but the answer.
        if self.is_unasked() || self.is_answered {
            heard.events.push(event);
            return heard;
        }
        match event {
            Event::Key(key) if key.kind == KeyEventKind::Press => match self.step(&key, now) {
                Step::On => {
                    self.held.push(key);
                    self.until = Some(now + if self.is_sure() { REST } else { HOLD });
                }
                Step::End => {
                    let body = self.body.take().unwrap_or_default();
                    self.until = None;
                    if let Some(rgb) = colour(&body) {
                        self.held.clear();
                        self.is_answered = true;
                        heard.background = Some(Background::of(rgb));
                    } else {
                        heard.events.extend(self.let_go());
                        heard.events.push(Event::Key(key));
                    }
                }
                // Between the pieces of an answer there may be keys.
                Step::Off if self.is_sure() => heard.events.push(Event::Key(key)),
                Step::Off => {
                    let held = !self.held.is_empty();
                    heard.events.extend(self.let_go());
                    // It may begin one itself.
                    let rest = if held { self.hear(Event::Key(key), now).events } else { vec![Event::Key(key)] };
                    heard.events.extend(rest);
                }
            },
            // This comes by a signal, whatever stands in the input.
            Event::Resize(..) => heard.events.push(event),
            _ => {
                if !self.is_sure() {
                    heard.events.extend(self.let_go());
                }
                heard.events.push(event);
            }
        }
        heard
    }

    /// What was held back for so long that it is no answer. The beginning of
    /// what can only have been one is dropped.
    pub(crate) fn expire(&mut self, now: Instant) -> Vec<Event> {
        if self.until.is_none_or(|until| now < until) {
            return Vec::new();
        }
        if self.is_sure() {
            self.held.clear();
        }
        self.let_go()
    }

    fn let_go(&mut self) -> Vec<Event> {
        self.until = None;
        self.body = None;
        self.held.drain(..).map(Event::Key).collect()
    }

    /// Whether what is held can only be an answer.
    fn is_sure(&self) -> bool {
        self.body.as_ref().is_some_and(|body| body.starts_with(SURE))
    }

    fn step(&mut self, key: &KeyEvent, now: Instant) -> Step {
        let plain = key.modifiers.difference(KeyModifiers::SHIFT).is_empty();
        let alt = key.modifiers == KeyModifiers::ALT;
        let after_esc = self.held.last().is_some_and(|last| last.code == KeyCode::Esc);
        let is_outstanding = self.is_outstanding(now);
        let Some(body) = &mut self.body else {
            return match key.code {
                KeyCode::Char(']') if alt && self.held.is_empty() || plain && after_esc => {
                    self.body = Some(String::new());
                    Step::On
                }
                KeyCode::Esc if plain && self.held.is_empty() && is_outstanding => Step::On,
                _ => Step::Off,
            };
        };
        match key.code {
            // BEL, or ESC and a backslash, together or not.
            KeyCode::Char('g') if key.modifiers == KeyModifiers::CONTROL => Step::End,
            KeyCode::Char('\\') if alt || plain && after_esc => Step::End,
            KeyCode::Esc if plain && body.starts_with(SURE) && !after_esc => Step::On,
            KeyCode::Char(c) if plain && goes_on(body, c) => {
                body.push(c);
                Step::On
            }
            _ => Step::Off,
        }
    }
}

/// Whether an answer that says `body` may go on with a character.
fn goes_on(body: &str, next: char) -> bool {
    let begins = |whole: &str| whole.strip_prefix(body).is_some_and(|rest| rest.starts_with(next));
    let in_value = body.starts_with("11;rgb:") || body.starts_with("11;rgba:");
    begins("11;rgb:")
        || begins("11;rgba:")
        || in_value && body.len() < LONGEST && (next.is_ascii_hexdigit() || next == '/')
}

/// The colour in an answer: `11;rgb:RRRR/GGGG/BBBB` with one to four digits
/// each, or `rgba` with a fourth.
fn colour(body: &str) -> Option<Rgb> {
    let value = body.strip_prefix("11;")?;
    let (parts, count) = match value.strip_prefix("rgb:") {
        Some(parts) => (parts, 3),
        None => (value.strip_prefix("rgba:")?, 4),
    };
    let channel = |digits: &str| {
        let most = (1_u32 << (4 * digits.len())).checked_sub(1).filter(|most| (1..=0xffff).contains(most))?;
        let value = u32::from_str_radix(digits, 16).ok()?;
        u8::try_from((value * 255 + most / 2) / most).ok()
    };
    let channels: Vec<u8> = parts.split('/').map(channel).collect::<Option<_>>()?;
    match channels.as_slice() {
        [red, green, blue, ..] if channels.len() == count => Some((*red, *green, *blue)),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
