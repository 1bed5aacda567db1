//! A change before it is sent: what it does, what is filled in, what goes
//! over the wire.

use kgents_store::act;
use ratatui::layout::Rect;
use ratatui::text::Line;

use super::sheet::{broken, thousands};
use super::{Pen, bold, overlay_area, span};
use crate::app::App;
use crate::hit::Hit;
use crate::overlay::{Dialog, Draft, Overlay};
use crate::text;
use crate::theme::{Role, Theme};

/// Cells of a dialog, where there are so many.
const WIDTH: u16 = 92;
/// Cells of the column of labels.
const LABELS: u16 = 12;
/// Below this width the margins are given up for the words.
const NARROW: u16 = 40;
/// With fewer rows than this for the request, what stands above scrolls too.
const LEAST: usize = 4;

/// A row of a dialog.
enum Row {
    /// An empty one, which is given up where rows are few.
    Gap,
    Line(Line<'static>),
    /// A field, by its place.
    Field(usize),
}

/// A dialog as it is laid out in its room.
struct Laid {
    area: Rect,
    /// What always shows.
    fixed: Vec<Row>,
    /// What scrolls below it; empty where all of the dialog shows.
    moving: Vec<Row>,
    /// How many of those rows show.
    shown: usize,
}

impl Laid {
    /// How far it can be scrolled.
    fn far(&self) -> usize {
        self.moving.len().saturating_sub(self.shown)
    }
}

/// How far the dialog on top can be scrolled, and how many rows of what
/// scrolls show at once; `None` where there is no room to show what would be
/// sent.
pub(crate) fn dialog_room(app: &App) -> Option<(usize, usize)> {
    let Some(Overlay::Dialog(dialog)) = app.overlays.last() else { return None };
    lay(app, dialog).map(|laid| (laid.far(), laid.shown))
}

/// The room that a dialog may have, and the cells beside its words.
fn bounds(app: &App) -> (Rect, u16) {
    let area = overlay_area(app.size, WIDTH, usize::MAX);
    (area, if area.width < NARROW { 1 } else { 3 })
}

fn lay(app: &App, dialog: &Dialog) -> Option<Laid> {
    app.layout()?;
    let (most, margin) = bounds(app);
    let width = usize::from(most.width.saturating_sub(margin * 2));
    // The frame, and the keys.
    let room = usize::from(most.height).checked_sub(3)?;
    let above = || above(app, dialog, width).into_iter().map(Row::Line);
    let problem = || {
        let said = dialog.problem.as_ref().map(|problem| text::wrap(&format!("Not sent: {problem}."), width));
        let line = |line| Row::Line(Line::from(span(&app.look.theme, Role::Coral, line)));
        said.unwrap_or_default().into_iter().map(line)
    };
    let wire: Vec<Row> = wire(app, dialog, width).into_iter().map(Row::Line).collect();

    let mut head = vec![Row::Gap];
    head.extend(above());
    head.push(Row::Gap);
    head.extend((0..dialog.fields.len()).flat_map(|place| [Row::Field(place), Row::Gap]));
    head.extend(problem());
    // Where a problem will stand.
    head.extend(dialog.problem.is_none().then_some(Row::Gap));
    // What is empty yields first, from the top, then the gap above the keys.
    let mut over = (head.len() + wire.len() + 1).saturating_sub(room);
    head.retain(|row| {
        let yields = over > 0 && matches!(row, Row::Gap);
        over -= usize::from(yields);
        !yields
    });
    if head.len() + wire.len() <= room {
        let rows = (head.len() + wire.len() + 1).min(room);
        head.extend(wire);
        let area = overlay_area(app.size, WIDTH, rows + 3);
        return Some(Laid { area, fixed: head, moving: Vec::new(), shown: 0 });
    }
    let (fixed, moving) = if head.len() + wire.len().min(LEAST) < room {
        (head, wire)
    } else {
        // Only the line that is typed stays. What is wrong comes first, so that
        // it shows when the dialog goes back to its top.
        let (active, others) = (0..dialog.fields.len()).partition::<Vec<_>, _>(|place| *place == dialog.field);
        let others = others.into_iter().map(Row::Field);
        (active.into_iter().map(Row::Field).collect(), problem().chain(above()).chain(others).chain(wire).collect())
    };
    // A row says which of them show.
    let shown = room.checked_sub(fixed.len() + 1).filter(|shown| *shown > 0)?;
    Some(Laid { area: most, fixed, moving, shown })
}

pub(super) fn draw(pen: &mut Pen<'_>, dialog: &Dialog) {
    let (most, margin) = bounds(pen.app);
    let laid = lay(pen.app, dialog);
    let area = laid.as_ref().map_or(most, |laid| laid.area);
    pen.hits.add(area, Hit::Overlay);
    pen.clear(area, Role::Raised);
    pen.frame(area, true);
    let (title, said) = titles(pen, dialog);
    pen.titles(area, None, title, &said, true);
    let (left, right) = (area.x + margin, area.right().saturating_sub(margin));
    let Some(laid) = laid else {
        if area.height > 2 {
            pen.put(left, area.y + 1, right, "too small to show what is sent", pen.theme.fg(Role::Coral));
        }
        if area.height > 3 {
            pen.keys(left, area.y + 2, right, &[("esc", "back")]);
        }
        return;
    };
    let first = dialog.scroll.min(laid.far());
    let moving = laid.moving.iter().skip(first).take(laid.shown);
    let mut y = area.y + 1;
    for row in laid.fixed.iter().chain(moving) {
        match row {
            Row::Gap => {}
            Row::Line(line) => drop(pen.line(left, y, right, line)),
            Row::Field(place) => field(pen, dialog, *place, (left, y, right)),
        }
        y += 1;
    }
    if laid.far() > 0 {
        let rows = format!("{}–{}", first + 1, first + laid.shown);
        let of = format!(" of {}", thousands(laid.moving.len() as i64));
        let more = match (first > 0, first < laid.far()) {
            (true, true) => "pgdn pgup",
            (true, false) => "pgup",
            _ => "pgdn",
        };
        // The key is worth more than how many there are.
        let fits =
            text::width(&rows) + text::width(&of) + 3 + text::width(more) <= usize::from(right.saturating_sub(left));
        let said = if fits { rows + &of + " · " } else { rows + " · " };
        // Not in the frame, as a page has it: a message may lie over that.
        let x = pen.put(left, y, right, &said, pen.theme.fg(Role::Mute));
        pen.put(x, y, right, more, pen.theme.bold(Role::Key));
    }
    keys(pen, dialog, (left, area.bottom().saturating_sub(2), right));
}

/// A line that is filled in.
fn field(pen: &mut Pen<'_>, dialog: &Dialog, place: usize, (left, y, right): (u16, u16, u16)) {
    let Some(field) = dialog.fields.get(place) else { return };
    let active = place == dialog.field;
    let role = if active { Role::Key } else { Role::Mute };
    pen.put(left, y, right, field.label, pen.theme.fg(role));
    let x = left + LABELS;
    if active {
        pen.put(x.saturating_sub(2), y, right, "❯", pen.theme.bold(Role::Moss));
    }
    let at = pen.edit_line(x, y, right, &field.edit, active);
    let room = usize::from(right.saturating_sub(at + 2));
    if field.edit.is_empty() || text::width(&field.hint) <= room {
        pen.put(at + 2, y, right, &field.hint, pen.theme.fg(Role::Mute));
    }
}

/// The keys; in fewer words where there is no room for all.
fn keys(pen: &mut Pen<'_>, dialog: &Dialog, (left, y, right): (u16, u16, u16)) {
    let (send, once) = if dialog.draft == Draft::WriteMode { ("allow", "allow") } else { ("send", "send, once") };
    let mut long = vec![("⏎", once), ("esc", "send nothing")];
    // The last one is left out where there is no room for it.
    let mut short = vec![("⏎", send), ("esc", "back")];
    if dialog.fields.len() > 1 {
        long.insert(1, ("⇥", "next field"));
        short.push(("⇥", "next"));
    }
    let width: usize = long.iter().map(|(key, what)| text::width(key) + text::width(what) + 4).sum();
    let fits = width <= usize::from(right.saturating_sub(left)) + 3;
    pen.keys(left, y, right, if fits { &long } else { &short });
}

fn titles(pen: &Pen<'_>, dialog: &Dialog) -> (&'static str, String) {
    let scene = pen.app.terrarium.scene();
    let context = if scene.context.is_empty() { "in cluster".to_owned() } else { scene.context.clone() };
    let title = match &dialog.draft {
        Draft::Decide { approve: true, .. } => "approve",
        Draft::Decide { .. } => "reject",
        Draft::Emit(_) => "emit a pheromone",
        Draft::Scale(_) => "scale",
        Draft::Delete(..) => "delete",
        Draft::WriteMode => "allow changes",
    };
    (title, context)
}

/// What it is about, in sentences.
fn above(app: &App, dialog: &Dialog, width: usize) -> Vec<Line<'static>> {
    let theme = &app.look.theme;
    let mut lines = Vec::new();
    let mut say = |role: Role, text: &str| {
        for line in text::wrap(text, width) {
            lines.push(Line::from(span(theme, role, line)));
        }
    };
    let terrarium = &app.terrarium;
    match &dialog.draft {
        Draft::Decide { proposal, .. } => {
            if let Some(held) = terrarium.proposals().get(proposal) {
                let what = super::proposals::what(terrarium, proposal, &held.object);
                let target = &held.object.spec.target;
                say(Role::Text, &format!("{}: {what}, of {} {}", proposal.name(), target.kind, target.name));
                if let Some(row) = app.views.proposals.all().iter().find(|row| row.key == *proposal) {
                    say(Role::Soft, &format!("risk {:.2} {}", row.risk.total, row.risk.level));
                }
            }
        }
        Draft::Emit(namespace) => say(Role::Text, &format!("A signal in {namespace} that fades by itself.")),
        Draft::Scale(agent) => {
            let now = terrarium.agents().get(agent).map_or(0, |agent| agent.held.object.spec.replicas);
            say(Role::Text, &format!("{} has {now} now.", agent.name()));
        }
        Draft::Delete(kind, key, _) => {
            let kind = kind.as_str();
            say(
                Role::Coral,
                &format!("{kind} {} in {} is deleted, with all that it owns.", key.name(), key.namespace()),
            );
        }
        Draft::WriteMode => {
            say(Role::Text, "Keys of this window may then approve, reject, emit, scale and delete.");
            say(Role::Soft, "Each change is shown before it is sent, and sent once. :write forbids it again.");
        }
    }
    lines
}

/// What would go over the wire, all of it: a long line is broken, never cut.
fn wire(app: &App, dialog: &Dialog, width: usize) -> Vec<Line<'static>> {
    if dialog.draft == Draft::WriteMode {
        return Vec::new();
    }
    let theme = &app.look.theme;
    let user = app.desk.user.as_deref();
    let Ok(act) = dialog.act(user) else {
        let said = text::wrap("what is sent stands here once it is complete", width);
        return said.into_iter().map(|line| Line::from(span(theme, Role::Mute, line))).collect();
    };
    let mut lines = act::wire(&act, user.unwrap_or_default(), dialog.opened).lines().into_iter();
    let first = lines.next().unwrap_or_default();
    let first = text::wrap(&first, width).into_iter().map(|line| Line::from(bold(theme, Role::Sky, line)));
    first.chain(lines.flat_map(|line| yaml(theme, &line, width))).collect()
}

/// A line of YAML; what goes on in the next row stands further in than any key
/// below it could.
fn yaml(theme: &Theme, line: &str, width: usize) -> Vec<Line<'static>> {
    let indent = line.len() - line.trim_start_matches([' ', '-']).len() + 4;
    let spans = super::yaml::colour(theme, line).spans;
    broken(spans, width, indent.min(width / 2)).into_iter().map(Line::from).collect()
}
