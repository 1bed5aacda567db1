//! What an agent was made into.

use kgents_api::agent::AgentStatus;
use kgents_store::Kind;
use kgents_store::request::Child;
use ratatui::text::Span;

use super::Page;
use crate::overlay::{Facts, Loaded};
use crate::text;
use crate::theme::Role;

pub(super) fn children(page: &mut Page<'_>, status: &AgentStatus, facts: &Facts) {
    match &facts.children {
        Loaded::Here(children) if children.is_empty() => {
            page.head_with("children", "none: nothing carries its label");
        }
        Loaded::Here(children) => {
            let trouble = children.iter().filter(|child| child.trouble).count();
            let said = match trouble {
                0 => children.len().to_string(),
                count => format!("{} · {count} in trouble", children.len()),
            };
            page.head_with("children", &said);
            listed(page, children);
        }
        Loaded::Not | Loaded::Asked(_) => {
            page.head_with("children", "listening…");
            named(page, status);
        }
        Loaded::Failed(problem) => {
            let hint = problem.hint.as_ref().map(|hint| format!(" · {hint}")).unwrap_or_default();
            if page.is_memory(Kind::Agent) {
                page.head_with("children", &format!("as its status names them; {}", problem.said));
                named(page, status);
            } else {
                page.head_with("children", "as its status names them");
                named(page, status);
                page.text(Role::Coral, &super::sentence(&format!("{}{hint}", problem.said)));
            }
        }
    }
}

fn listed(page: &mut Page<'_>, children: &[Child]) {
    let widest = |of: fn(&Child) -> &str| children.iter().map(|child| text::width(of(child))).max().unwrap_or(0);
    let kinds = widest(|child| &child.kind).min(24) + 2;
    // Names yield to what is said of them, but never below what a name may be.
    let names = widest(|child| &child.name).min((page.width / 3).max(20)) + 2;
    for child in children {
        let made = child.made.map(|made| page.age(made));
        let glyphs = page.theme.glyphs;
        let (glyph, role) = if child.trouble { (glyphs.cross, Role::Coral) } else { (glyphs.dot, Role::Moss) };
        // A kind that could not be listed has no name.
        let name = if child.name.is_empty() { "—" } else { &child.name };
        let left = vec![
            page.span(role, format!("{glyph} ")),
            page.span(Role::Mute, super::pad(&child.kind, kinds)),
            page.span(Role::Text, super::pad(name, names)),
            page.span(if child.trouble { Role::Coral } else { Role::Soft }, text::one_line(&child.said)),
        ];
        let made = made.map(|made| page.span(Role::Mute, made));
        page.row(left, made.into_iter().collect());
    }
}

/// The names that the status itself holds.
fn named(page: &mut Page<'_>, status: &AgentStatus) {
    let names = [
        ("Deployment", &status.deployment_name),
        ("Service", &status.service_name),
        ("ServiceAccount", &status.service_account_name),
        ("ConfigMap", &status.config_map_name),
        ("NetworkPolicy", &status.network_policy_name),
        ("Memory", &status.memory_name),
        ("Umwelt", &status.umwelt_name),
    ];
    let mut line: Vec<Span<'static>> = Vec::new();
    let mut used = 0;
    for (kind, name) in names.into_iter().filter_map(|(kind, name)| Some((kind, name.as_deref()?))) {
        let piece = [page.span(Role::Mute, format!("{kind} ")), page.span(Role::Text, format!("{name}   "))];
        let size: usize = piece.iter().map(Span::width).sum();
        // Each name stays whole.
        if used > 0 && used + size > page.width + 3 {
            page.push(std::mem::take(&mut line));
            used = 0;
        }
        used += size;
        line.extend(piece);
    }
    if !line.is_empty() {
        page.push(line);
    }
}
