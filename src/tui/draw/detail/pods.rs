//! The pods of an agent, and what keeps them from being ready.

use kgents_store::object::LastEnd;
use kgents_store::watch::WatchState;
use kgents_store::{Key, Kind};

use super::Page;
use crate::theme::Role;

pub(super) fn pods(page: &mut Page<'_>, key: &Key) {
    if let Some(deployment) = page.app.terrarium.deployment(key) {
        page.head("deployment");
        page.fact("ready", &format!("{} of {}", deployment.ready, deployment.wanted), Role::Text);
        page.maybe("why", deployment.trouble.as_deref());
    }
    let mut any = false;
    for (pod, facts) in page.app.terrarium.pods_of(key) {
        any = true;
        let trouble = facts.trouble.is_some();
        let glyphs = page.theme.glyphs;
        let (glyph, role) = if trouble { (glyphs.cross, Role::Coral) } else { (glyphs.dot, Role::Moss) };
        page.blank();
        page.push(vec![page.span(role, format!("{glyph} ")), page.bold(Role::Text, pod.name())]);
        page.fact("phase", &facts.phase, Role::Text);
        if let Some(trouble) = &facts.trouble {
            page.fact("why", trouble, Role::Coral);
        }
        let names = facts.container_names.join(", ");
        let names = if names.is_empty() { names } else { format!(" · {names}") };
        page.fact("containers", &format!("{} of {} ready{names}", facts.ready, facts.containers), Role::Text);
        if facts.restarts > 0 || facts.last_end.is_some() {
            let last = facts.last_end.as_ref().map(|LastEnd { reason, at }| {
                let age = at.map(|at| format!(" {} ago", page.age(at))).unwrap_or_default();
                format!(" · last {reason}{age}")
            });
            page.fact("restarts", &format!("{}{}", facts.restarts, last.unwrap_or_default()), Role::Text);
        }
        page.maybe("image", facts.image.as_deref());
        page.maybe("node", facts.node.as_deref());
    }
    if !any {
        page.blank();
        no_pods(page);
    }
}

/// That there is no pod, or why none is known.
pub(super) fn no_pods(page: &mut Page<'_>) {
    match page.app.trouble(Kind::Pod) {
        Some(WatchState::Forbidden { verb, resource, .. }) => {
            page.text(Role::Amber, &format!("You may not {verb} {resource}, so its pods are not known."));
            page.text(Role::Key, &format!("kubectl auth can-i {verb} {resource}"));
        }
        Some(WatchState::Failing { error, .. }) => {
            page.text(Role::Amber, &format!("Its pods are not known: {}", super::sentence(&error)));
        }
        _ => page.text(Role::Soft, "No pod of this agent is known."),
    }
}
