//! The pheromones as a field, and under it those that can be sensed.

use kgents_api::PheromoneType;
use kgents_store::view::said;
use kgents_store::{Key, Kind};
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::{Pen, left_of, motion, shown_of};
use crate::app::App;
use crate::field::{Field, Row, field};
use crate::hit::Hit;
use crate::layout::Pane;
use crate::text;
use crate::theme::{RAMP_STEPS, Role, step};

/// Cells that the strength at a row's end takes.
const SUM: u16 = 5;
/// Rows of the list that the field always leaves.
const LIST: usize = 3;

pub(super) fn count(app: &App) -> String {
    if !super::is_known(app, Kind::Pheromone) {
        return String::new();
    }
    let broken = app.terrarium.pheromones().values().filter(|pheromone| pheromone.fade.is_err()).count();
    let unreadable = app.terrarium.unreadable(Kind::Pheromone).count() + broken;
    let mut said = format!("{} alive · last 60 min", shown_of(&app.views.alive));
    if unreadable > 0 {
        said = format!("{unreadable} unreadable · {said}");
    }
    said
}

/// How many rows of a body the field takes, its axis among them.
fn field_rows(app: &App, area: Rect, types: usize) -> usize {
    if types == 0 {
        return 0;
    }
    let height = usize::from(area.height);
    let list = LIST.min(app.views.alive.len()).min(height / 3);
    (types + 1).min(height.saturating_sub(list))
}

/// Columns of the field in a body.
pub(crate) const fn columns(area: Rect) -> u16 {
    area.width.saturating_sub(SUM + 3)
}

/// Puts the types that are the strongest now first where not all fit.
pub(crate) fn order(field: &mut Field, app: &App, area: Rect) {
    if field_rows(app, area, field.rows.len()) < field.rows.len() + 1 {
        let now = |row: &Row| row.cells.last().copied().unwrap_or(0.0);
        field.rows.sort_by(|a, b| now(b).total_cmp(&now(a)));
    }
}

/// How many rows of the list show in a body.
pub(crate) fn list_rows(app: &App, area: Rect) -> usize {
    usize::from(area.height).saturating_sub(field_rows(app, area, app.field.rows.len())).max(1)
}

pub(super) fn draw(pen: &mut Pen<'_>, area: Rect) {
    let app = pen.app;
    let columns = columns(area);
    let mut field = app.field.clone();
    if field.rows.is_empty() {
        let said = match app.terrarium.watch(Kind::Pheromone).state {
            // What is remembered is known as well.
            state if state.is_live() || !state.is_settled() && super::is_known(app, Kind::Pheromone) => {
                "Nothing is in the air."
            }
            state if !state.is_settled() => "listening…",
            _ => "",
        };
        pen.put(area.x + 2, area.y, area.right(), said, pen.theme.fg(Role::Mute));
        return;
    }
    let rows = field_rows(app, area, field.rows.len());
    // Where not all types fit, the first do, and the one that a person stands on.
    let fit = if rows < field.rows.len() + 1 { rows.saturating_sub(1).max(1) } else { field.rows.len() };
    let stands = app.cell.and_then(|(type_, _)| field.rows.iter().position(|row| row.type_ == type_)).unwrap_or(0);
    field.rows.drain(..(stands + 1).saturating_sub(fit));
    field.rows.truncate(fit);
    wake(pen, &field);
    for (row, y) in field.rows.iter().zip(area.y..area.bottom()) {
        let landed = app.views.landed.get(&row.type_).copied();
        let mut shown = row.cells.clone();
        if let Some(now) = shown.last_mut().filter(|now| **now > 0.0) {
            *now = motion::breath(pen, *now, landed);
        }
        cells(pen, area.x + 1, y, &shown);
        pen.hits.add(Rect::new(area.x + 1, y, columns, 1), Hit::Cells(row.type_, area.x + 1));
        // The label stands in the field, on a darkened piece of it.
        let mut x = area.x + 2;
        for (c, cell) in row.type_.as_str().chars().zip(row.cells.iter().skip(1)) {
            x = pen.put(x, y, area.x + 1 + columns, c.encode_utf8(&mut [0; 4]), pen.theme.label(*cell));
        }
        if let Some((_, back)) = app.cell.filter(|(type_, _)| *type_ == row.type_) {
            let x = area.x + columns.saturating_sub(u16::try_from(back).unwrap_or(0));
            let glyph = pen.theme.glyphs.cell;
            pen.put(x, y, area.right(), glyph, pen.theme.cursor());
        }
        let now = row.cells.last().copied().unwrap_or(0.0);
        let role = match (now * 10.0).round() as u8 {
            0 => Role::Mute,
            1..5 => Role::Soft,
            _ => Role::Text,
        };
        let strength = if now > 0.0 { said_strength(now) } else { "·".to_owned() };
        pen.put_right(area.x, y, area.right().saturating_sub(2), &strength, pen.theme.fg(role));
    }
    let axis = area.y + field.rows.len() as u16;
    let mute = pen.theme.fg(Role::Mute);
    if axis < area.bottom() && rows > 1 {
        let end = area.x + 1 + columns;
        pen.put(area.x + 1, axis, end, "60m ago", mute);
        if columns > 30 {
            pen.put(area.x + 1 + columns / 2 - 1, axis, end, "30m", mute);
        }
        pen.put_right(area.x + 9, axis, end, "now", pen.theme.fg(Role::Soft));
    }
    if app.views.alive.is_empty() && !app.views.alive.all().is_empty() {
        let y = area.y + rows as u16;
        pen.put(area.x + 2, y, area.right(), "No pheromone matches the filter.", pen.theme.fg(Role::Mute));
    }
    list(pen, Rect { y: area.y + rows as u16, height: area.height.saturating_sub(rows as u16), ..area });
}

/// A strength with one digit: the second is gone before it is read.
fn said_strength(strength: f64) -> String {
    if strength < 0.05 { "<.1".to_owned() } else { format!("{strength:.1}") }
}

/// The colour of a strength that is said: it changes when the digit does.
fn strength_style(pen: &Pen<'_>, strength: f64) -> Style {
    let digit = (strength * 10.0).round() / 10.0;
    pen.theme.bold(Role::Amber).fg(pen.theme.ramp(0.45 + digit * 0.4, 1.0))
}

/// One row of cells, by glyph and colour.
fn cells(pen: &mut Pen<'_>, x: u16, y: u16, cells: &[f64]) {
    for (i, strength) in cells.iter().enumerate() {
        let strength = f64::from(step(*strength)) / f64::from(RAMP_STEPS);
        let shade = match strength {
            s if s < 0.06 => 0,
            s if s < 0.3 => 1,
            s if s < 0.55 => 2,
            s if s < 0.8 => 3,
            _ => 4,
        };
        let style = Style::new().fg(pen.theme.ramp(strength, 1.0)).bg(pen.theme.ramp(strength, 0.82));
        pen.put(x + i as u16, y, u16::MAX, pen.theme.glyphs.shades[shade], style);
    }
}

/// Wakes when the field moves, or when a strength now crosses a step.
fn wake(pen: &mut Pen<'_>, field: &Field) {
    if let Some(at) = field.shifts_at {
        pen.hits.wake(at);
    }
    for row in &field.rows {
        let (Some(strongest), Some(now)) = (row.strongest, row.cells.last()) else { continue };
        let colour = f64::from(step(*now).saturating_sub(1)) / f64::from(RAMP_STEPS);
        // What is said with one digit changes half way between two of them.
        let said = ((now * 10.0).round() - 0.5) / 10.0;
        for level in [colour, said] {
            let at = if level > 0.0 { strongest.falls_to(level) } else { Some(strongest.gone_at()) };
            if let Some(at) = at.filter(|at| *at > pen.app.now) {
                pen.hits.wake(at);
            }
        }
    }
}

/// The pheromones themselves, the strongest first.
fn list(pen: &mut Pen<'_>, area: Rect) {
    let app = pen.app;
    let focused = app.focus == Pane::Pheromones;
    let first = app.pheromones.offset();
    for (place, (key, strength)) in
        app.views.alive.from(first).enumerate().map(|(i, row)| (first + i, row)).take(usize::from(area.height))
    {
        let y = area.y + (place - first) as u16;
        let line = Rect { y, height: 1, ..area };
        let selected = place == app.pheromones.place() && app.cell.is_none() && (focused || app.pheromones.is_chosen());
        pen.row(Pane::Pheromones, place, line, selected);
        item(pen, line, key, *strength);
    }
}

fn item(pen: &mut Pen<'_>, line: Rect, key: &Key, strength: f64) {
    let app = pen.app;
    let Some(pheromone) = app.terrarium.pheromones().get(key) else { return };
    let spec = &pheromone.held.object.spec;
    let y = line.y;
    let style = strength_style(pen, strength);
    let mut x = pen.put(line.x + 2, y, line.right(), &said_strength(strength), style) + 1;
    let end = line.right().saturating_sub(2);
    let mut limit = end;
    if let Ok(fade) = &pheromone.fade {
        let (left, wake) = left_of(app.now, fade.gone_at());
        pen.hits.wake(wake);
        limit = pen.put_right(x + 20, y, end, &format!("gone in {left}"), pen.theme.fg(Role::Mute)).saturating_sub(1);
        let said = ((strength * 10.0).round() - 0.5) / 10.0;
        if let Some(at) = fade.falls_to(said).filter(|at| *at > app.now) {
            pen.hits.wake(at);
        }
    }
    x = pen.put(x, y, limit, spec.type_.as_str(), pen.theme.fg(Role::Soft)) + 1;
    x = pen.put(x, y, limit, &spec.source, pen.theme.fg(pen.theme.accent(&spec.source))) + 1;
    if let Some(target) = &spec.target {
        x = pen.put(x, y, limit, "→ ", pen.theme.fg(Role::Mute));
        x = pen.put(x, y, limit, target, pen.theme.fg(pen.theme.accent(target))) + 1;
    }
    if let Some(payload) = &spec.payload {
        pen.put(x, y, limit, &text::one_line(&said(payload)), pen.theme.fg(Role::Text));
    }
}

/// The hour of all types in one line, and the strongest now.
pub(super) fn folded(pen: &mut Pen<'_>, area: Rect) {
    let x = pen.fold(Pane::Pheromones, area);
    let app = pen.app;
    let Some((key, strength)) = app.views.alive.all().first() else {
        pen.put(x, area.y, area.right(), "nothing in the air", pen.theme.fg(Role::Mute));
        return;
    };
    let type_ = app.terrarium.pheromones().get(key).map_or(PheromoneType::State, |held| held.held.object.spec.type_);
    let sum = format!("{type_} {}", said_strength(*strength));
    let right = area.right().saturating_sub(2);
    let style = strength_style(pen, *strength);
    let end = pen.put_right(x, area.y, right, &sum, style).saturating_sub(1);
    let columns = end.saturating_sub(x);
    let field = field(&app.terrarium, app.now, usize::from(columns));
    wake(pen, &field);
    let strongest: Vec<f64> =
        (0..usize::from(columns)).map(|i| field.rows.iter().map(|row| row.cells[i]).fold(0.0, f64::max)).collect();
    cells(pen, x, area.y, &strongest);
}
