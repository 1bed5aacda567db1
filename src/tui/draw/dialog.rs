//! A change before it is sent: what it does, what is filled in, what goes
//! over the wire.

use kgents_store::act;
use ratatui::text::Line;

use super::{Pen, bold, overlay_area, span};
use crate::hit::Hit;
use crate::overlay::{Dialog, Draft};
use crate::text;
use crate::theme::{Role, Theme};

/// Cells of a dialog, where there are so many.
const WIDTH: u16 = 92;
/// Cells of the column of labels.
const LABELS: u16 = 12;

pub(super) fn draw(pen: &mut Pen<'_>, dialog: &Dialog) {
    let width = usize::from(overlay_area(pen.app.size, WIDTH, 1).width.saturating_sub(6));
    let above = above(pen, dialog, width);
    let wire = wire(pen, dialog, width);
    let fields = dialog.fields.len();
    let problem = dialog.problem.as_ref().map(|problem| text::wrap(&format!("Not sent: {problem}."), width));
    let problem = problem.unwrap_or_default();
    let rows = above.len() + fields * 2 + problem.len().max(1) + wire.len() + 2 + 3;
    let area = overlay_area(pen.app.size, WIDTH, rows + 1);
    pen.hits.add(area, Hit::Overlay);
    pen.clear(area, Role::Raised);
    pen.frame(area, true);
    let (title, said) = titles(pen, dialog);
    pen.titles(area, None, title, &said, true);
    let (left, right, end) = (area.x + 3, area.right().saturating_sub(3), area.bottom().saturating_sub(3));
    let mut y = area.y + 1;
    for line in above.iter().take(usize::from(end.saturating_sub(y))) {
        pen.line(left, y, right, line);
        y += 1;
    }
    for (place, field) in dialog.fields.iter().enumerate() {
        if y >= end {
            break;
        }
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
        y += 2;
    }
    for line in &problem {
        pen.put(left, y.min(end), right, line, pen.theme.fg(Role::Coral));
        y += 1;
    }
    y += u16::from(problem.is_empty());
    for line in wire.iter().take(usize::from((end + 1).saturating_sub(y))) {
        pen.line(left, y, right, line);
        y += 1;
    }
    let send = if dialog.draft == Draft::WriteMode { "allow" } else { "send, once" };
    let keys: &[(&str, &str)] = if dialog.fields.len() > 1 {
        &[("⏎", send), ("⇥", "next field"), ("esc", "send nothing")]
    } else {
        &[("⏎", send), ("esc", "send nothing")]
    };
    pen.keys(left, area.bottom().saturating_sub(2), right, keys);
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
fn above(pen: &Pen<'_>, dialog: &Dialog, width: usize) -> Vec<Line<'static>> {
    let theme = pen.theme;
    let mut lines = vec![Line::default()];
    let mut say = |role: Role, text: &str| {
        for line in text::wrap(text, width) {
            lines.push(Line::from(span(theme, role, line)));
        }
    };
    let terrarium = &pen.app.terrarium;
    match &dialog.draft {
        Draft::Decide { proposal, .. } => {
            if let Some(held) = terrarium.proposals().get(proposal) {
                let what = super::proposals::what(terrarium, proposal, &held.object);
                let target = &held.object.spec.target;
                say(Role::Text, &format!("{}: {what}, of {} {}", proposal.name(), target.kind, target.name));
                if let Some(row) = pen.app.views.proposals.all().iter().find(|row| row.key == *proposal) {
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
    lines.push(Line::default());
    lines
}

/// What would go over the wire.
fn wire(pen: &Pen<'_>, dialog: &Dialog, width: usize) -> Vec<Line<'static>> {
    if dialog.draft == Draft::WriteMode {
        return Vec::new();
    }
    let user = pen.app.desk.user.as_deref();
    let lines = match dialog.act(user) {
        Ok(act) => act::wire(&act, user.unwrap_or_default(), dialog.opened).lines(),
        Err(_) => return vec![Line::from(span(pen.theme, Role::Mute, "what is sent stands here once it is complete"))],
    };
    let mut lines = lines.into_iter();
    let first = lines.next().unwrap_or_default();
    let first = text::wrap(&first, width).into_iter().map(|line| Line::from(bold(pen.theme, Role::Sky, line)));
    first.chain(lines.map(|line| yaml(pen.theme, &fit(&line, width)))).collect()
}

fn fit(line: &str, width: usize) -> String {
    text::fit(line, width).into_owned()
}

fn yaml(theme: &Theme, line: &str) -> Line<'static> {
    super::yaml::colour(theme, line)
}
