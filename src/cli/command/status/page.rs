//! The status for people.

use std::collections::BTreeMap;
use std::io::{self, Write};

use jiff::Timestamp;

use super::{Kind, Link, Terrarium, age, one_line, trust, view, words};

/// How many lines of what needs a person are shown.
const SHOWN: usize = 20;

/// Writes the page.
pub(super) fn write(out: &mut dyn Write, terrarium: &Terrarium, now: Timestamp) -> io::Result<()> {
    let scene = terrarium.scene();
    let mut field = |name: &str, value: &str| writeln!(out, "{name:<12}{}", one_line(value));
    if !scene.context.is_empty() {
        field("Context", &scene.context)?;
    }
    if !scene.server.is_empty() {
        field("Server", &scene.server)?;
        field("Scope", &words::scope(scene))?;
    }
    let Some((layer, (as_of, freshness))) = terrarium.layer().zip(trust(terrarium, now)) else {
        // Why is said as the error that this is.
        return field("Layer", "nobody answers");
    };
    let old = age::text(now.duration_since(as_of));
    let version = match terrarium.rung(layer).map(|rung| &rung.link) {
        Some(Link::Up { version }) if !version.is_empty() => format!("; Kubernetes {version}"),
        _ => String::new(),
    };
    field("Layer", &format!("{layer} {freshness}, {old} old{version}"))?;
    writeln!(out)?;
    counts(out, terrarium, now)?;
    attention(out, terrarium, now)?;
    trouble(out, terrarium)
}

fn counts(out: &mut dyn Write, terrarium: &Terrarium, now: Timestamp) -> io::Result<()> {
    let counts = view::counts(terrarium, now);
    let by = |parts: &BTreeMap<String, usize>| {
        parts.iter().map(|(word, count)| format!("{count} {word}")).collect::<Vec<_>>().join(", ")
    };
    let open = format!("{} open: {}", counts.proposals_open, by(&counts.proposals_by_phase));
    for (kind, count, parts) in [
        (Kind::Agent, counts.agents, by(&counts.agents_by_phase).replace("None", "without a phase")),
        (Kind::Pheromone, counts.pheromones, by(&counts.pheromones_by_type)),
        (Kind::Proposal, counts.proposals, open),
        (Kind::Memory, counts.memories, String::new()),
        (Kind::Umwelt, counts.umwelts, String::new()),
    ] {
        let mut name = kind.plural().to_owned();
        if let Some(first) = name.get_mut(..1) {
            first.make_ascii_uppercase();
        }
        let known = terrarium.watch(kind).as_of.is_some();
        let count = if known { count.to_string() } else { crate::table::NOTHING.to_owned() };
        let parts = if known && count != "0" { parts } else { String::new() };
        writeln!(out, "{}", format!("{name:<12}{count:>5}   {parts}").trim_end())?;
    }
    if counts.unreadable > 0 {
        writeln!(out, "Unreadable  {:>5}   our types cannot read them; lists show what is wrong", counts.unreadable)?;
    }
    Ok(())
}

fn attention(out: &mut dyn Write, terrarium: &Terrarium, now: Timestamp) -> io::Result<()> {
    let attention = view::attention(terrarium, now);
    if attention.is_empty() {
        let asked = [Kind::Agent, Kind::Pheromone, Kind::Proposal];
        let known = asked.into_iter().all(|kind| terrarium.watch(kind).as_of.is_some());
        return if known { writeln!(out, "\nNothing needs you.") } else { Ok(()) };
    }
    writeln!(out, "\nNeeds you ({})", attention.len())?;
    for item in attention.iter().take(SHOWN) {
        let since = age::text(now.duration_since(item.since));
        let line = format!("{} {}/{}: {} ({since})", item.kind, item.namespace, item.name, item.reason);
        writeln!(out, "  {}", one_line(&line))?;
    }
    if attention.len() > SHOWN {
        writeln!(out, "  … and {} more: kgents agents; kgents proposals", attention.len() - SHOWN)?;
    }
    Ok(())
}

fn trouble(out: &mut dyn Write, terrarium: &Terrarium) -> io::Result<()> {
    let mut said = Vec::new();
    for kind in Kind::ALL {
        let watch = terrarium.watch(kind);
        let mut say = |words: String| words::group(&mut said, words, kind.plural());
        if watch.state.is_settled() && !watch.state.is_live() {
            say(words::watch(kind, &watch.state));
        }
        if !watch.refused.is_empty() {
            say(format!("not to be read in {}", watch.refused.join(", ")));
        }
        let beyond = terrarium.beyond(kind);
        if beyond > 0 {
            say(format!("{beyond} more than can be kept"));
        }
    }
    if !said.is_empty() {
        writeln!(out, "\nTrouble")?;
    }
    said.iter().try_for_each(|(words, kinds)| writeln!(out, "  {}: {}", kinds.join(", "), one_line(words)))
}
