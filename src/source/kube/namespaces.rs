//! Which namespaces to try where the whole cluster may not be read.

use kgents_api::NAMESPACES;

use super::wire::{PAGE, Wire};

/// How many namespaces are tried. Each costs a watch per kind.
const MAX: usize = 64;

/// The namespaces to try, the likeliest first: those that exist if we may
/// list them, else our own, `default`, and those of kgents.
pub(crate) async fn candidates(wire: &Wire, own: Option<&str>) -> Vec<String> {
    let there = wire.namespaces(PAGE).await.ok();
    choose(own, there)
}

/// The namespaces that are likely to be there, for those who may not ask.
pub(crate) fn likely(own: Option<&str>) -> Vec<String> {
    choose(own, None)
}

fn choose(own: Option<&str>, there: Option<Vec<String>>) -> Vec<String> {
    let likely = own.into_iter().chain(NAMESPACES).chain(["default"]);
    let mut names: Vec<String> = Vec::new();
    for name in likely {
        let exists = there.as_ref().is_none_or(|there| there.iter().any(|other| other == name));
        if exists && !names.iter().any(|other| other == name) {
            names.push(name.to_owned());
        }
    }
    for name in there.into_iter().flatten() {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    if names.len() > MAX {
        tracing::warn!(found = names.len(), tried = MAX, "too many namespaces to try each: name one with -n");
        names.truncate(MAX);
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_exists_is_tried_and_ours_first() {
        let there = ["a", "default", "kgents-agents", "mine"].map(str::to_owned).to_vec();
        assert_eq!(choose(Some("mine"), Some(there)), ["mine", "kgents-agents", "default", "a"]);
    }

    #[test]
    fn without_a_list_the_likely_ones_are_tried() {
        let likely = ["mine", "kgents-agents", "kgents-ephemeral", "kgents-system", "default"];
        assert_eq!(choose(Some("mine"), None), likely);
        assert_eq!(choose(Some("default"), None).len(), 4);
    }

    #[test]
    fn there_is_a_limit() {
        let many = (0..1_000).map(|n| format!("n{n:04}")).collect();
        assert_eq!(choose(None, Some(many)).len(), MAX);
    }
}
