//! How a pheromone fades, as a curve from its emission to its end.
//!
//! Columns stand at fixed moments between the two, so that nothing moves but
//! the one that is now.

use std::cmp::Ordering;

use jiff::{SignedDuration, Timestamp};
use kgents_core::decay::Fade;
use ratatui::text::Span;

use super::super::thoughts;
use super::Page;
use crate::text;
use crate::theme::Role;

/// Time cut into columns.
struct Columns {
    start: Timestamp,
    /// From the emission to the end, in nanoseconds; never 0.
    span: i128,
    count: i128,
}

impl Columns {
    fn of(fade: &Fade, count: usize) -> Self {
        let start = fade.emitted();
        let span = fade.gone_at().duration_since(start).as_nanos().max(1);
        Self { start, span, count: count.max(1) as i128 }
    }

    /// The moment at which a column begins, rounded up.
    fn begin(&self, column: i128) -> Timestamp {
        let nanos = (self.span * column + self.count - 1) / self.count;
        let wait = SignedDuration::try_from_nanos_i128(nanos).unwrap_or(SignedDuration::MAX);
        self.start.checked_add(wait).unwrap_or(Timestamp::MAX)
    }

    /// The column that a moment is in; `count` from the end on.
    fn at(&self, at: Timestamp) -> i128 {
        let passed = at.duration_since(self.start).as_nanos().max(0);
        (passed * self.count / self.span).min(self.count)
    }
}

impl Page<'_> {
    /// A strength with two decimals; wakes when it is another.
    pub(super) fn strength(&mut self, fade: &Fade) -> String {
        let strength = fade.intensity(self.now);
        let shown = (strength * 100.0).round() / 100.0;
        if let Some(at) = fade.falls_to((shown - 0.005).max(0.0)).filter(|at| *at > self.now) {
            self.wake(at);
        }
        format!("{strength:.2}")
    }

    /// A signal in a line: strength, a name in so many cells, what it says, how
    /// it fades.
    pub(super) fn signal(&mut self, name: &str, cells: usize, fade: &Fade, payload: &str) {
        let strength = self.strength(fade);
        let left = self.left(fade.gone_at());
        let style = self.theme.bold(Role::Amber);
        let line = vec![
            Span::styled(format!("{strength}  "), style),
            self.span(Role::Text, super::pad(name, cells)),
            self.span(Role::Soft, thoughts::in_a_line(payload, &[])),
        ];
        let mut end = Vec::new();
        if self.width >= 90 {
            end = self.edge(fade, 20);
        }
        end.push(self.span(Role::Mute, format!("  gone in {left:>4}")));
        self.row(line, end);
    }

    /// A fade in one line of so many cells: what has passed is dim.
    fn edge(&mut self, fade: &Fade, cells: usize) -> Vec<Span<'static>> {
        let columns = Columns::of(fade, cells);
        let here = self.column(&columns);
        let blocks = self.theme.glyphs.blocks;
        let cell = |column: usize| {
            let strength = fade.intensity(columns.begin(column as i128));
            let glyph = blocks[((strength * 7.0).round() as usize).min(7)];
            if (column as i128) < here {
                return Span::styled(glyph, self.theme.fg(Role::Line));
            }
            Span::styled(glyph, self.theme.fg(Role::Amber).fg(self.theme.ramp(strength.max(0.2), 1.0)))
        };
        (0..cells).map(cell).collect()
    }

    /// The column of now; wakes when it is the next.
    fn column(&mut self, columns: &Columns) -> i128 {
        let here = columns.at(self.now);
        if here < columns.count {
            self.wake(columns.begin(here + 1));
        }
        here
    }

    /// A fade as a field of so many cells, with its axes.
    pub(super) fn curve(&mut self, fade: &Fade, width: usize, height: usize) {
        let (columns, glyphs) = (Columns::of(fade, width), self.theme.glyphs);
        let here = self.column(&columns);
        let top = fade.initial().max(0.01);
        let strengths: Vec<f64> = (0..width).map(|column| fade.intensity(columns.begin(column as i128))).collect();
        for row in 0..height {
            let below = (height - 1 - row) as f64;
            let label = match row {
                0 => format!("{top:.2}"),
                row if row * 2 == height => format!("{:.2}", top / 2.0),
                _ => String::new(),
            };
            let mut line = vec![self.span(Role::Mute, format!("{label:>6} ")), self.span(Role::Line, glyphs.vertical)];
            for (column, strength) in strengths.iter().enumerate() {
                // Eighths of a cell that are filled in this row.
                let filled = ((strength / top * height as f64 - below) * 8.0).round().clamp(0.0, 8.0) as usize;
                let column = column as i128;
                let style = match column.cmp(&here) {
                    Ordering::Equal => self.theme.fg(Role::Text),
                    Ordering::Less => self.theme.fg(Role::Line).fg(self.theme.mix(Role::Line, Role::Mute, 0.3)),
                    Ordering::Greater => self.theme.fg(Role::Amber).fg(self.theme.ramp(strength.max(0.2), 1.0)),
                };
                line.push(Span::styled(filled.checked_sub(1).map_or(" ", |eighth| glyphs.blocks[eighth]), style));
            }
            self.push(line);
        }
        self.ground(fade, &columns, here);
    }

    /// The axis of time: half-lives as ticks, where now is, both ends.
    fn ground(&mut self, fade: &Fade, columns: &Columns, here: i128) {
        let (glyphs, width) = (self.theme.glyphs, columns.count as usize);
        let half = (fade.half_life_minutes() * 60e9) as i128;
        let mut axis = vec![self.span(Role::Mute, format!("{:>6} ", "0")), self.span(Role::Line, glyphs.horizontal)];
        let mut ticks = 0;
        for column in 0..columns.count {
            let (from, to) = (columns.span * column / columns.count, columns.span * (column + 1) / columns.count);
            // Whether a whole number of half-lives ends within the column.
            let tick = half > 0 && to / half > from / half;
            ticks += usize::from(tick);
            let role = if tick { Role::Soft } else { Role::Line };
            axis.push(self.span(role, if tick { glyphs.tick } else { glyphs.horizontal }));
        }
        self.push(axis);
        let ends = here < columns.count;
        let end = fade.gone_at();
        let last = if end == Timestamp::MAX { "never gone".to_owned() } else { format!("gone {}", self.clock(end)) };
        // Now comes first; both ends are told where they leave it room.
        let now = if ends { format!("{} now", glyphs.rise) } else { String::new() };
        let place = (here as usize).min(width.saturating_sub(text::width(&now)));
        let mut marks = vec![(place, self.bold(Role::Text, now.clone()))];
        let first = self.clock(columns.start);
        if !ends || text::width(&first) < place {
            marks.insert(0, (0, self.span(Role::Mute, first)));
        }
        let right = width.saturating_sub(text::width(&last));
        if !ends || place + text::width(&now) < right {
            marks.push((right, self.span(Role::Mute, last)));
        }
        let mut line = vec![Span::raw(" ".repeat(8))];
        let mut at = 0;
        for (place, mark) in marks.into_iter().filter(|(_, mark)| mark.width() > 0) {
            line.push(Span::raw(" ".repeat(place.saturating_sub(at))));
            at = place.max(at) + mark.width();
            line.push(mark);
        }
        self.push(line);
        if (1..width).contains(&ticks) {
            let said = format!("        {} a half-life, {} min", glyphs.tick, minutes(fade.half_life_minutes()));
            self.push(vec![self.span(Role::Mute, said)]);
        }
    }
}

/// Minutes as they are written: whole ones without a point.
pub(super) fn minutes(minutes: f64) -> String {
    if minutes.fract().abs() < 0.005 { format!("{minutes:.0}") } else { format!("{minutes:.2}") }
}
