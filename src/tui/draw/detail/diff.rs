//! What a proposal would change: two versions of its target, compared.

use kgents_api::Proposal;
use kgents_core::patch;
use kgents_store::{Key, Kind, Terrarium, view};
use ratatui::style::{Modifier, Style};
use ratatui::text::{Line, Span};
use serde::Serialize;
use serde_json::Value;
use similar::{Algorithm, DiffTag, capture_diff_slices, group_diff_ops};

use super::super::sheet::{broken, thousands, width};
use super::super::yaml;
use super::Page;
use crate::overlay::{Facts, Loaded};
use crate::text;
use crate::theme::Role;

/// Lines that stand around what changes.
const AROUND: usize = 2;
/// Objects with more lines are not compared: it would take too long.
const MOST: usize = 3_000;
/// How many lines of an object that comes or goes as a whole are told.
const WHOLE: usize = 16;
/// What the API server keeps by itself.
const BOOKKEEPING: [&str; 4] = ["managedFields", "resourceVersion", "generation", "uid"];

/// What would change, as the API server says it; else what can be said here.
pub(super) fn change(page: &mut Page<'_>, key: &Key, proposal: &Proposal, facts: &Facts) {
    const TITLE: &str = "what would change";
    let target = &proposal.spec.target;
    match &facts.dry_run {
        // Nobody is asked about what is over.
        Loaded::Not if !view::phase(proposal).is_open() => {
            page.head_with("what it asked for", &format!("{} {} {}", target.api_version, target.kind, target.name));
            patch_lines(page, proposal);
        }
        Loaded::Here(run) => {
            let age = page.age(run.at);
            page.head_with(TITLE, &format!("dry run by the API server {age} ago · {}", run.target));
            compare(page, &run.before, &run.after);
        }
        Loaded::Not | Loaded::Asked(_) => page.head_with(TITLE, "asking the API server…"),
        // Nobody was to be asked: what we make of it comes first.
        Loaded::Failed(problem) if page.is_memory(Kind::Proposal) => {
            estimate(page, TITLE, key, proposal);
            page.problem(Kind::Proposal, problem);
        }
        Loaded::Failed(problem) => {
            page.head_with(TITLE, "the API server did not take the dry run");
            page.problem(Kind::Proposal, problem);
            estimate(page, "what it asks for", key, proposal);
        }
    }
}

/// The difference as we work it out, or the patch where we do not know enough.
fn estimate(page: &mut Page<'_>, title: &str, key: &Key, proposal: &Proposal) {
    let spec = &proposal.spec;
    let target = format!("{} {} {}", spec.target.api_version, spec.target.kind, spec.target.name);
    let note = |said: &str| format!("estimated here, not by the API server{said} · {target}");
    let Some(before) = known(&page.app.terrarium, key, proposal) else {
        page.head_with(title, &format!("the patch itself: its target is not known here · {target}"));
        return patch_lines(page, proposal);
    };
    if spec.change_type.deletes_target() {
        page.head_with(title, &note(""));
        return compare(page, &shown(before), &Value::Null);
    }
    match patch::apply(&spec.patch, &before) {
        Ok(after) => {
            page.head_with(title, &note(""));
            compare(page, &shown(before), &shown(after));
        }
        Err(error) => {
            page.head_with(title, &note(": it does not fit"));
            page.text(Role::Coral, &super::sentence(&error.to_string()));
            patch_lines(page, proposal);
        }
    }
}

fn patch_lines(page: &mut Page<'_>, proposal: &Proposal) {
    let lines = yaml::lines(page.theme, &proposal.spec.patch.content);
    page.lines.extend(lines);
}

/// The target as the terrarium has it.
fn known(terrarium: &Terrarium, key: &Key, proposal: &Proposal) -> Option<Value> {
    fn of<T: Serialize>(object: &T) -> Option<Value> {
        serde_json::to_value(object).ok()
    }
    let target = &proposal.spec.target;
    let at = Key::new(target.namespace.as_deref().unwrap_or(key.namespace()), &target.name);
    match target.kind.as_str() {
        "Agent" => of(&*terrarium.agents().get(&at)?.held.object),
        "Pheromone" => of(&*terrarium.pheromones().get(&at)?.held.object),
        "Proposal" => of(&*terrarium.proposals().get(&at)?.object),
        "Memory" => of(&*terrarium.memories().get(&at)?.object),
        "Umwelt" => of(&*terrarium.umwelts().get(&at)?.object),
        _ => None,
    }
}

/// An object without what is no part of a change.
fn shown(mut object: Value) -> Value {
    if let Some(fields) = object.as_object_mut() {
        fields.remove("status");
    }
    if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) {
        metadata.retain(|name, _| !BOOKKEEPING.contains(&name.as_str()));
    }
    object
}

/// The lines that differ, with a few around them.
fn compare(page: &mut Page<'_>, before: &Value, after: &Value) {
    let whole = match (before.is_null(), after.is_null()) {
        (true, false) => Some("It would be made:"),
        (false, true) => Some("It would be deleted:"),
        _ => None,
    };
    if let Some(said) = whole {
        page.text(Role::Text, said);
    }
    let (old, new) = match (written(before), written(after)) {
        (Ok(old), Ok(new)) => (old, new),
        (Err(error), _) | (_, Err(error)) => return page.text(Role::Coral, &error),
    };
    if old.len().max(new.len()) > MOST {
        let lines = thousands(old.len().max(new.len()) as i64);
        return page.text(Role::Soft, &format!("It has {lines} lines, too many to compare here."));
    }
    if whole.is_some() {
        return listed(page, &old, &new);
    }
    let groups = group_diff_ops(capture_diff_slices(Algorithm::Myers, &old, &new), AROUND);
    if groups.is_empty() {
        return page.text(Role::Soft, "Nothing would change.");
    }
    for (place, group) in groups.iter().enumerate() {
        let first = group.first().map(|op| (op.old_range().start, op.new_range().start)).unwrap_or_default();
        let path = if old.is_empty() { path(&new, first.1) } else { path(&old, first.0) };
        if !path.is_empty() || place > 0 {
            page.push(vec![page.span(Role::Mute, format!("  {} {path}", page.theme.glyphs.waits))]);
        }
        for op in group {
            let (tag, was, is) = op.as_tag_tuple();
            if tag == DiffTag::Equal {
                for line in &old[was] {
                    let row = cut_row(page, line);
                    page.lines.push(row);
                }
                continue;
            }
            let paired = was.len() == is.len();
            for (i, line) in old[was.clone()].iter().enumerate() {
                let other = paired.then(|| new[is.start + i].as_str());
                changed(page, "- ", line, other, Role::Coral);
            }
            for (i, line) in new[is.clone()].iter().enumerate() {
                let other = paired.then(|| old[was.start + i].as_str());
                changed(page, "+ ", line, other, Role::Moss);
            }
        }
    }
}

/// The lines of an object that comes or goes as a whole; of many the first.
fn listed(page: &mut Page<'_>, old: &[String], new: &[String]) {
    let (lines, sign, role) = if old.is_empty() { (new, "+ ", Role::Moss) } else { (old, "- ", Role::Coral) };
    let shown = if lines.len() > WHOLE + 1 { WHOLE } else { lines.len() };
    for line in &lines[..shown] {
        changed(page, sign, line, None, role);
    }
    if lines.len() > shown {
        page.text(Role::Mute, &format!("  {} {} lines more", page.theme.glyphs.waits, lines.len() - shown));
    }
}

/// An object as lines of YAML; none where it is not there.
fn written(value: &Value) -> Result<Vec<String>, String> {
    if value.is_null() {
        return Ok(Vec::new());
    }
    let yaml = kgents_api::yaml::to_string(value)?;
    Ok(yaml.lines().map(|line| text::one_line(line).into_owned()).collect())
}

/// A line that stays.
fn cut_row(page: &Page<'_>, line: &str) -> Line<'static> {
    let line = text::fit(line, page.width.saturating_sub(2)).into_owned();
    Line::from(vec![Span::raw("  "), page.span(Role::Soft, line)])
}

/// A line that goes or comes, over the whole width; what differs from the
/// line that it was is bold.
fn changed(page: &mut Page<'_>, sign: &'static str, line: &str, other: Option<&str>, role: Role) {
    let style = page.theme.tint(role);
    let strong = style.add_modifier(Modifier::BOLD);
    let mut spans = vec![Span::styled(sign, strong)];
    match other.map(|other| differs(line, other)) {
        Some((start, end)) if start < end => {
            for (piece, style) in [(line.get(..start), style), (line.get(start..end), strong), (line.get(end..), style)]
            {
                spans.extend(piece.map(|piece| Span::styled(piece.to_owned(), style)));
            }
        }
        _ => spans.push(Span::styled(line.to_owned(), style)),
    }
    for row in broken(spans, page.width, 4) {
        let filled = fill(row, page.width, style);
        page.push(filled);
    }
}

/// A row as wide as the page, all of it on one surface.
fn fill(mut row: Vec<Span<'static>>, cells: usize, style: Style) -> Vec<Span<'static>> {
    for span in &mut row {
        span.style = style.patch(span.style);
    }
    let left = cells.saturating_sub(width(&row));
    row.push(Span::styled(" ".repeat(left), style));
    row
}

/// The bytes of a line that are not at the beginning or the end of the other.
fn differs(line: &str, other: &str) -> (usize, usize) {
    let same = |a: &(usize, char), b: &char| a.1 == *b;
    let start = line
        .char_indices()
        .zip(other.chars())
        .find(|(a, b)| !same(a, b))
        .map_or(line.len().min(other.len()), |((at, _), _)| at);
    let most = line.len().min(other.len()).saturating_sub(start);
    let tail: usize = line
        .chars()
        .rev()
        .zip(other.chars().rev())
        .take_while(|(a, b)| a == b)
        .map(|(c, _)| c.len_utf8())
        .scan(0, |sum, size| {
            *sum += size;
            (*sum <= most).then_some(size)
        })
        .sum();
    (start, line.len() - tail)
}

/// The names of the fields above a line of YAML.
fn path(lines: &[String], place: usize) -> String {
    let indent = |line: &str| line.len() - line.trim_start().len();
    let Some(mut depth) = lines.get(place).map(|line| indent(line)) else { return String::new() };
    let mut names = Vec::new();
    for line in lines.iter().take(place).rev() {
        let (begins, item) = (indent(line), line.trim_start().starts_with("- "));
        // An item may stand as far in as the list's own name; its neighbours do too.
        if begins >= depth || (item && begins + 1 == depth) {
            continue;
        }
        depth = begins + usize::from(item);
        names.extend(line.trim().trim_start_matches("- ").strip_suffix(':').map(str::to_owned));
    }
    names.reverse();
    names.join(".")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_differs_is_told_apart() {
        let bold = |line: &'static str, other: &str| {
            let (start, end) = differs(line, other);
            line.get(start..end).unwrap()
        };
        assert_eq!(bold("replicas: 2", "replicas: 5"), "2");
        assert_eq!(bold("size: 8Gi", "size: 80Gi"), "");
        assert_eq!(bold("size: 80Gi", "size: 8Gi"), "0");
        assert_eq!(bold("aaa", "aaaa"), "");
        assert_eq!(bold("aaaa", "aaa"), "a");
        assert_eq!(bold("größe: ü", "größe: ö"), "ü");
    }

    #[test]
    fn a_place_in_yaml_has_a_path() {
        let lines: Vec<String> =
            ["a: 1", "spec:", "  list:", "  - name: x", "    env:", "      k: v"].map(str::to_owned).to_vec();
        assert_eq!(path(&lines, 5), "spec.list.env");
        assert_eq!(path(&lines, 1), "");
        assert_eq!(path(&lines, 9), "");
    }
}
