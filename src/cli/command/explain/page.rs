//! A plan for people: what will be done, in its order, each with why.

use std::io::{self, Write};

use jiff::Timestamp;
use kgents_core::age;
use kgents_core::plan::{Change, Config, Expect, Plan};
use kgents_store::Planned;
use kgents_store::planned::{Operator, Standing, reason, told};
use kgents_tui::ColourLevel;
use serde_json::Value;
use unicode_width::UnicodeWidthStr;

use crate::page::Page;
use crate::table::{cut, one_line};

/// Cells of each side of a difference. All of it stands in `-o yaml`.
const SIDE: usize = 60;
/// Differences that are told of one object.
const MOST: usize = 40;

/// With which colours a plan is drawn: those of a diff.
#[derive(Clone, Copy)]
pub(super) struct Ink {
    made: &'static str,
    changed: &'static str,
    gone: &'static str,
    mute: &'static str,
    end: &'static str,
}

impl Ink {
    /// Without any.
    pub(super) const NONE: Self = Self { made: "", changed: "", gone: "", mute: "", end: "" };

    /// With the terminal's own sixteen.
    pub(super) fn of(level: ColourLevel) -> Self {
        if level == ColourLevel::None {
            return Self::NONE;
        }
        Self { made: "\u{1b}[32m", changed: "\u{1b}[33m", gone: "\u{1b}[31m", mute: "\u{1b}[2m", end: "\u{1b}[0m" }
    }
}

/// Writes the page of a plan that is clean.
pub(super) fn write(out: &mut dyn Write, planned: &Planned, ink: Ink, now: Timestamp) -> io::Result<()> {
    let Planned { kind, key, plan, would, operator, missing, at: _ } = planned;
    let mut page = Page::new(out, &format!("{kind} {key}"))?;
    page.field("To do", summary(plan))?;
    page.field("Operator", who(operator, now))?;
    page.field("Planned with", assumed(operator))?;
    if let Some(at) = plan.requeue_at {
        let left = at.duration_since(now);
        let when = if left.is_positive() { format!("in {}", age::until_text(left)) } else { "now".to_owned() };
        page.field("Next look", format!("{when}, at {at:.0}, if nothing changes before"))?;
    }
    if !missing.is_empty() {
        let lines: Vec<String> = missing
            .iter()
            .map(|missing| {
                let hint = missing.hint.as_ref().map(|hint| format!("; try: {hint}")).unwrap_or_default();
                format!("{}: {}{hint}", missing.resource, one_line(&missing.said))
            })
            .collect();
        page.field("Partial", lines.join("\n"))?;
    }
    section(out, "Steps", &steps(planned, plan, ink))?;
    section(out, "Why", &whys(plan))?;
    if let Some(would) = would {
        section(out, "Steps if its mode were FULL", &steps(planned, would, ink))?;
    }
    Ok(())
}

fn section(out: &mut dyn Write, title: &str, lines: &[String]) -> io::Result<()> {
    if lines.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n{title}")?;
    lines.iter().try_for_each(|line| writeln!(out, "  {line}"))
}

/// What was seen and decided, but what stands beside a step already.
fn whys(plan: &Plan) -> Vec<String> {
    let steps = plan.apply.iter().map(|apply| (&apply.child, &apply.why));
    let steps: Vec<_> = steps.chain(plan.delete.iter().map(|delete| (&delete.child, &delete.why))).collect();
    let is_told = |why: &&String| {
        steps
            .iter()
            .any(|(child, said)| *why == *said || (why.ends_with(said.as_str()) && why.contains(&child.to_string())))
    };
    plan.why.iter().filter(|why| !is_told(why)).map(|why| one_line(why).into_owned()).collect()
}

/// How much there is to do.
fn summary(plan: &Plan) -> String {
    if plan.is_empty() {
        return "nothing".to_owned();
    }
    let made = plan.apply.iter().filter(|apply| apply.expect == Expect::Absent).count();
    let parts = [
        (made, "to make"),
        (plan.apply.len() - made, "to change"),
        (plan.delete.len(), "to delete"),
        (usize::from(plan.status.is_some()), "status to write"),
        (plan.events.len(), "to say in an Event"),
    ];
    let said: Vec<String> =
        parts.into_iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}")).collect();
    said.join(", ")
}

/// Who would do it, and what to type if nobody would.
fn who(operator: &Operator, now: Timestamp) -> String {
    let mut said = operator.who(now);
    if operator.standing(now) == Standing::Leads
        && let Some(renewed) = operator.renewed
    {
        said = format!("{said}, Lease renewed {} ago", age::text(now.duration_since(renewed)));
    }
    let problem = operator.problem.as_ref().map(|problem| format!(": {}", one_line(problem))).unwrap_or_default();
    let next = operator.next(now).map(|next| format!("\nnext: {next}")).unwrap_or_default();
    format!("{said}{problem}{next}")
}

/// Whose configuration it was planned with.
fn assumed(operator: &Operator) -> String {
    let Config { agent_image, allow_chaos, .. } = operator.config_or_default();
    let chaos = if allow_chaos { ", CHAOS allowed" } else { "" };
    let what = format!("agent image {agent_image}{chaos}");
    match (&operator.config, &operator.version) {
        (Some(_), Some(version)) => format!("the configuration of operator {version}: {what}"),
        (Some(_), None) => format!("the operator's configuration: {what}"),
        (None, _) => format!("the defaults, for no operator says how it was started: {what}"),
    }
}

/// Every step, in the order in which it is done.
fn steps(planned: &Planned, plan: &Plan, ink: Ink) -> Vec<String> {
    let Plan { apply, delete, status, events, requeue_at: _, why: _ } = plan;
    let heads = apply.iter().map(|apply| apply.child.to_string()).chain(delete.iter().map(|one| one.child.to_string()));
    let widest = heads.map(|head| head.width()).max().unwrap_or(0);
    let head = |colour: &str, sign: &str, what: &str, why: &str| {
        let pad = widest.saturating_sub(what.width());
        let line = format!("{colour}{sign} {what}{}{:pad$}   {}", ink.end, "", one_line(why));
        line.trim_end().to_owned()
    };
    let mut lines = Vec::new();
    for apply in apply {
        let (colour, sign) = if apply.expect == Expect::Absent { (ink.made, "+") } else { (ink.changed, "~") };
        let guess = if planned.is_guess(apply.child.resource) { " (what stands there is not known)" } else { "" };
        lines.push(head(colour, sign, &apply.child.to_string(), &format!("{}{guess}", reason(apply))));
        lines.extend(changes(&apply.changes, ink));
    }
    for delete in delete {
        lines.push(head(ink.gone, "-", &delete.child.to_string(), &delete.why));
    }
    if let Some(status) = status {
        lines.push(head(ink.changed, "~", "status", ""));
        lines.extend(changes(&told(&status.changes), ink));
    }
    for event in events {
        let kind = if event.warning { "Warning" } else { "Normal" };
        let said = format!("{kind} {}: {}", event.reason, one_line(&event.message));
        lines.push(head(ink.mute, "!", "Event", &said));
    }
    lines
}

/// What differs, a line each: `path  old -> new`.
fn changes(changes: &[Change], ink: Ink) -> Vec<String> {
    let line = |change: &Change| {
        let Change { path, from, to } = change;
        let side = |side: &Option<Value>| side.as_ref().map_or_else(|| "(none)".to_owned(), short);
        let Ink { made, gone, mute, end, .. } = ink;
        format!("    {path}  {gone}{}{end} {mute}->{end} {made}{}{end}", side(from), side(to))
    };
    let mut lines: Vec<String> = changes.iter().take(MOST).map(line).collect();
    if changes.len() > MOST {
        lines.push(format!("    and {} more: see -o yaml", changes.len() - MOST));
    }
    lines
}

fn short(value: &Value) -> String {
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let text = if text.is_empty() { "\"\"".to_owned() } else { text };
    cut(&one_line(&text), SIDE).into_owned()
}
