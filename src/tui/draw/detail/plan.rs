//! What would be done about an agent, step by step, and who would do it.

use kgents_core::plan::{Apply, Change, Expect, Plan};
use kgents_store::planned::{Standing, reason, told};
use kgents_store::{Key, Kind, Planned};
use ratatui::text::Span;
use serde_json::Value;

use super::super::sheet::width;
use super::Page;
use crate::overlay::PlanView;
use crate::text;
use crate::theme::Role;

/// How many steps are told, and how many differences of each.
const STEPS: usize = 12;
const CHANGES: usize = 6;
/// Cells of each side of a difference.
const SIDE: usize = 36;

pub(super) fn plan(page: &mut Page<'_>, key: &Key, view: &PlanView) {
    match (&view.planned, &view.problem) {
        (None, None) => page.head_with("plan", "listening…"),
        // What is remembered is told by what it was made into.
        (None, Some(_)) if page.is_memory(Kind::Agent) => {}
        (None, Some(problem)) => {
            page.head_with("plan", "what the operator would do is not known");
            page.problem(Kind::Agent, problem);
        }
        (Some(planned), None) => planned_for(page, key, planned),
        (Some(planned), Some(problem)) => {
            let age = page.age(planned.at);
            let first = page.lines.len();
            planned_for(page, key, planned);
            dim(page, first);
            page.text(Role::Amber, &format!("That was {age} ago; nothing newer is known:"));
            page.problem(Kind::Agent, problem);
        }
    }
}

/// Takes the colours out of all lines from one on.
fn dim(page: &mut Page<'_>, first: usize) {
    let mute = page.theme.fg(Role::Mute);
    for line in page.lines.iter_mut().skip(first) {
        line.spans.iter_mut().for_each(|span| span.style = mute);
    }
}

fn planned_for(page: &mut Page<'_>, key: &Key, planned: &Planned) {
    let Planned { plan, operator, missing, .. } = planned;
    let who = operator.who(planned.at);
    let leads = operator.standing(planned.at) == Standing::Leads;
    let said = summary(page, plan);
    page.head_with("plan", &if leads { format!("{said} · {who}") } else { said });
    if !leads {
        let next = operator.next(planned.at).unwrap_or_default();
        page.with_hint(Role::Amber, &super::sentence(&who), &next);
    }
    if let Some(problem) = &operator.problem {
        page.text(Role::Amber, &super::sentence(problem));
    }
    for missing in missing {
        page.text(Role::Amber, &format!("Partial: {}", super::sentence(&missing.said)));
    }
    if plan.is_empty() && planned.would.is_none() {
        // Why nothing is to be done, where that is not because all is well.
        let conditions = page.app.terrarium.agents().get(key).and_then(|agent| agent.held.object.status.as_ref());
        let conditions = conditions.map(|status| status.conditions.clone()).unwrap_or_default();
        let messages: Vec<&str> = conditions
            .iter()
            .map(|condition| condition.message.as_str())
            .filter(|message| !message.is_empty())
            .collect();
        let is_told = |why: &&String| messages.iter().any(|message| why.ends_with(message));
        let untold = plan.why.iter().filter(|why| !is_told(why)).take(2);
        return untold.for_each(|why| page.text(Role::Soft, &super::sentence(why)));
    }
    steps(page, key, planned, plan);
    if let Some(would) = &planned.would {
        let text =
            format!("Its mode is DRY_RUN, so no more than that is done. If it were FULL: {}", summary(page, would));
        page.text(Role::Soft, &text);
        steps(page, key, planned, would);
    }
}

/// How much is to be done, and when it is looked at again.
fn summary(page: &Page<'_>, plan: &Plan) -> String {
    let again = plan.requeue_at.map(|at| format!(" · looks again at {}", page.clock(at))).unwrap_or_default();
    if plan.is_empty() {
        return format!("nothing to do{again}");
    }
    let made = plan.apply.iter().filter(|apply| apply.expect == Expect::Absent).count();
    let parts = [(made, "to make"), (plan.apply.len() - made, "to change"), (plan.delete.len(), "to delete")];
    let mut said: Vec<String> =
        parts.into_iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}")).collect();
    if said.is_empty() {
        said.push(if plan.status.is_some() { "its status to write" } else { "something to say" }.to_owned());
    }
    format!("{}{again}", said.join(" · "))
}

/// One step as a row: what happens to what, and why.
struct Step<'a> {
    role: Role,
    sign: &'static str,
    kind: &'a str,
    name: &'a str,
    why: String,
    changes: Vec<&'a Change>,
}

fn steps(page: &mut Page<'_>, key: &Key, planned: &Planned, plan: &Plan) {
    let Plan { apply, delete, status, events, requeue_at: _, why: _ } = plan;
    let mut steps: Vec<Step<'_>> = apply.iter().map(|apply| of_apply(planned, apply)).collect();
    steps.extend(delete.iter().map(|delete| Step {
        role: Role::Coral,
        sign: "- ",
        kind: delete.child.resource.kind(),
        name: &delete.child.name,
        why: delete.why.clone(),
        changes: Vec::new(),
    }));
    let status = status.as_ref().map(|status| told(&status.changes));
    steps.extend(status.iter().map(|changes| Step {
        role: Role::Sky,
        sign: "~ ",
        kind: "status",
        name: "",
        why: String::new(),
        changes: changes.iter().collect(),
    }));
    steps.extend(events.iter().map(|event| {
        let role = if event.warning { Role::Amber } else { Role::Sky };
        Step { role, sign: "! ", kind: "Event", name: event.reason, why: event.message.clone(), changes: Vec::new() }
    }));
    let kinds = steps.iter().map(|step| text::width(step.kind)).max().unwrap_or(0).min(24) + 2;
    let names = steps.iter().map(|step| text::width(step.name)).max().unwrap_or(0).min((page.width / 3).max(20)) + 2;
    for step in steps.iter().take(STEPS) {
        let line = vec![
            page.bold(step.role, step.sign),
            page.span(Role::Mute, super::pad(step.kind, kinds)),
            page.span(Role::Text, super::pad(step.name, names)),
            page.span(Role::Soft, text::one_line(&step.why).into_owned()),
        ];
        page.row(line, Vec::new());
        step.changes.iter().take(CHANGES).for_each(|change| differs(page, change));
        if step.changes.len() > CHANGES {
            page.text(Role::Mute, &format!("    {} more differ", step.changes.len() - CHANGES));
        }
    }
    let cut = steps.len() > STEPS || steps.iter().any(|step| step.changes.len() > CHANGES);
    if cut {
        let command = format!("kgents explain agent/{} -n {}", key.name(), key.namespace());
        page.push(vec![page.span(Role::Mute, "All of it: "), page.span(Role::Key, command)]);
    }
}

fn of_apply<'a>(planned: &Planned, apply: &'a Apply) -> Step<'a> {
    let (role, sign) = if apply.expect == Expect::Absent { (Role::Moss, "+ ") } else { (Role::Amber, "~ ") };
    let guess = if planned.is_guess(apply.child.resource) { "not known whether it is there: " } else { "" };
    Step {
        role,
        sign,
        kind: apply.child.resource.kind(),
        name: &apply.child.name,
        why: format!("{guess}{}", reason(apply)),
        changes: apply.changes.iter().collect(),
    }
}

/// What differs: where, what stands there, what should. Where all of it has no
/// room the path goes before, on its own.
fn differs(page: &mut Page<'_>, change: &Change) {
    let Change { path, from, to } = change;
    let side = |page: &Page<'_>, side: &Option<Value>, role: Role| match side {
        Some(value) => page.span(role, short(value)),
        None => page.span(Role::Mute, "none"),
    };
    let arrow = format!(" {} ", page.theme.glyphs.arrow);
    let sides = vec![side(page, from, Role::Coral), page.span(Role::Mute, arrow), side(page, to, Role::Moss)];
    let path = page.span(Role::Mute, format!("    {path}  "));
    if path.width() + width(&sides) <= page.width {
        return page.row(std::iter::once(path).chain(sides).collect(), Vec::new());
    }
    page.row(vec![path], Vec::new());
    page.row(std::iter::once(Span::raw("      ")).chain(sides).collect(), Vec::new());
}

fn short(value: &Value) -> String {
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let text = if text.is_empty() { "\"\"".to_owned() } else { text };
    text::fit(&text::one_line(&text), SIDE).into_owned()
}
