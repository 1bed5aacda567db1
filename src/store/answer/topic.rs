//! What can be asked about, and the words that stand for it.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use super::words::{Word, is_meant};

/// Something that can be asked about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Topic {
    /// Its name, a word or two.
    pub name: &'static str,
    /// A question about it.
    pub example: &'static str,
}

/// What can be asked, what is asked most first. Each example is understood.
pub const fn topics() -> &'static [Topic] {
    TOPICS
}

const TOPICS: &[Topic] = &[
    Topic { name: "state", example: "How are you?" },
    Topic { name: "why", example: "Why is it so?" },
    Topic { name: "needs", example: "Do you need me?" },
    Topic { name: "budget", example: "What is your token budget?" },
    Topic { name: "replicas", example: "How many pods run, and did they restart?" },
    Topic { name: "signals", example: "Which signals concern you?" },
    Topic { name: "proposals", example: "Which proposals are open?" },
    Topic { name: "thoughts", example: "What did you do lately?" },
    Topic { name: "health", example: "Is your mind well?" },
    Topic { name: "image", example: "Which image do you run?" },
    Topic { name: "resources", example: "What are your CPU limits?" },
    Topic { name: "peers", example: "Whom may you talk to?" },
    Topic { name: "umwelt", example: "What may you sense and do?" },
    Topic { name: "memory", example: "What memory do you keep?" },
    Topic { name: "instructions", example: "What are your instructions?" },
    Topic { name: "config", example: "What are your settings?" },
    Topic { name: "genus", example: "Who are you?" },
    Topic { name: "age", example: "How old are you?" },
    Topic { name: "agents", example: "Which agents are there?" },
    Topic { name: "help", example: "What can I ask?" },
];

/// A topic, for the code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Subject {
    State,
    Why,
    Needs,
    Budget,
    Replicas,
    Signals,
    Proposals,
    Thoughts,
    Health,
    Image,
    Resources,
    Peers,
    Umwelt,
    Memory,
    Instructions,
    Config,
    Genus,
    Age,
    Agents,
    Help,
    /// The state, where nothing else is asked in the same breath: "running" in
    /// "which image is it running" asks for no state.
    Perhaps,
    /// The genus, likewise: "who is o-gent", but not "who is the king".
    PerhapsWho,
}

use Subject::{
    Age, Agents, Budget, Config, Genus, Health, Help, Image, Instructions, Memory, Needs, Peers, Perhaps, PerhapsWho,
    Proposals, Replicas, Resources, Signals, State, Thoughts, Umwelt, Why,
};

/// Phrases by topic, separated by commas. The longest that fits wins, so a
/// phrase may hold words that alone mean something else.
const PHRASES: &[(&[Subject], &str)] = &[
    // They begin a question about anything.
    (&[], "i need, i need to know, we need, we need to know, need to know, as well"),
    (
        &[State],
        "state, status, phase, how are you, how are you doing, how are things, how do you do, alive, mode, stats, \
         busy or idle, are you there, situation, is everything ok, is everything well, is everything fine",
    ),
    (
        &[Perhaps],
        "running, runs, busy, idle, active, activity, ready, paused, condition, load, doing, up, how is it, how is it going, \
         how is, how goes, are you ok, are you okay, are you fine, are you well, are you up, is it ok, is it okay, \
         is it fine, is it well, is it up, are you running, is it running",
    ),
    (&[PerhapsWho], "who is, who is it"),
    (
        &[State, Thoughts],
        "what are you doing, what is it doing, whats up, what s up, what is up, what s new, what is going on, what s going on",
    ),
    (
        &[Why],
        "why, reason, reasons, cause, because, wrong, what is wrong, what s wrong, problem, problems, trouble, troubles, \
         broken, failing, failed, fails, fail, failure, error, errors, degraded, conditions, crash, crashed, crashes, \
         crashing, crashloop, down, stuck, pending, stalled, issue, issues, sick, matter, what is the matter, how come, \
         unhealthy, what happened",
    ),
    (
        &[Needs],
        "need me, needs me, need, needs, need anything, needs you, need a person, needs a person, need help, need my help, \
         help you, need attention, attention, \
         waiting, wait, waits, waiting for, wants, want from me, blocked",
    ),
    (
        &[Budget],
        "budget, budgets, token budget, tokens, token, spend, spent, spends, spending, cost, costs, money, refill, refills, \
         usage, allowance, afford, consumed, quota, left to spend, rate limit",
    ),
    (
        &[Replicas],
        "replicas, replica, pods, pod, restarts, restart, restarted, restarting, instances, instance, copies, scale, \
         scaled, scaling, deployment, node, nodes, where do you run, where does it run, where is it running, where are you, \
         containers, container, oomkilled, oom",
    ),
    (&[Age, Replicas], "uptime, how long have you been up, how long has it been up, how long up"),
    (
        &[Signals],
        "signal, signals, pheromone, pheromones, warning, warnings, scarcity, emit, emits, emitted, smell, smells, alarm, \
         alarms, alert, alerts, dream, dreams, opportunity, chaos, who warns, in the air",
    ),
    (
        &[Proposals],
        "proposal, proposals, propose, proposes, proposed, proposing, approve, approves, approved, approval, approvals, \
         approver, approvers, must approve, who must approve, who has to approve, risk, risks, risky, \
         review, reviews, reviewer, reviewers, changes, change, merge, merged, pending proposals, pending changes, \
         open proposals, rejected",
    ),
    (
        &[Thoughts],
        "thought, thoughts, think, thinking, thinks, lately, recent, recently, history, log, logs, events, event, activity log, \
         did you do, did it do, done, last said, heard, news, what happened lately, what happened recently, said, say, says, \
         recent events, changed, what changed, what has changed",
    ),
    (
        &[Health],
        "health, healthy, mind, cognitive, cognitive health, probe, probes, probed, sane, sanity, responsive, \
         unresponsive, mentally, safemode, safe mode",
    ),
    (&[Image], "image, images, version, versions, tag, which build, build, software"),
    (
        &[Resources],
        "resources, resource, cpu, ram, limit, limits, cpu limits, memory limit, memory limits, requests, how much memory, \
         cpu and memory, memory and cpu, cores, millicores, resource limits, ram limit, cpu limit",
    ),
    (
        &[Peers],
        "peer, peers, network, networkpolicy, network policy, policy, policies, egress, ingress, internet, \
         talk to, talk with, reach, connect, connections, connected, firewall, neighbour, neighbours, neighbor, neighbors, \
         friends, allowed peers, speak to, speak with, isolation, isolated",
    ),
    (
        &[Umwelt],
        "umwelt, umwelts, affordance, affordances, permissions, permission, allowed to do, may you do, may you sense, \
         may it sense, may it do, can you sense, can it sense, sense, senses, sense and do, persona, \
         personality, constraints, slop, workload, rights",
    ),
    (
        &[Memory],
        "memory, memories, memory object, storage, volume, pvc, disk, remember, remembers, retention, state volume, durable, \
         backup, backups, do you keep, does it keep",
    ),
    (&[Instructions], "instruction, instructions, prompt, task, tasks, told to do, job, goal, goals, orders, mission"),
    (&[Config], "config, configuration, setting, settings, env, environment, variables, configured, parameters"),
    (&[Genus], "genus, who are you, what are you, role, kind, sort, what is it, introduce yourself"),
    (&[Genus, Instructions], "purpose, what do you do, what does it do, what are you for, what is it for"),
    (
        &[Age],
        "age, old, how old, created, born, creation, made, how long have you existed, birthday, since when, when were you made",
    ),
    (
        &[Agents],
        "agents, other agents, who else, all agents, list agents, which agents, which agents are there, who is there, \
         everyone, everybody, colleagues, names of the agents",
    ),
    (
        &[Help],
        "help, what can i ask, what may i ask, can i ask, what can you tell, what can you tell me, what can you answer, \
         what can you do, commands, topics, hello, hi, hey, good morning, examples, what do you know, can i say, \
         how does this work, can you help, can you help me",
    ),
];

/// The words of a phrase after its first, and what it stands for.
type Tail = (Vec<&'static str>, &'static [Subject]);

/// The phrases by their first word, the longest first.
static BY_FIRST: LazyLock<BTreeMap<&'static str, Vec<Tail>>> = LazyLock::new(|| {
    let mut by_first: BTreeMap<&str, Vec<Tail>> = BTreeMap::new();
    for (subjects, phrases) in PHRASES {
        for phrase in phrases.split(", ") {
            let mut words = phrase.split(' ');
            let first = words.next().unwrap_or_default();
            by_first.entry(first).or_default().push((words.collect(), subjects));
        }
    }
    for tails in by_first.values_mut() {
        tails.sort_by_key(|(tail, _)| std::cmp::Reverse(tail.len()));
    }
    by_first
});

/// The longest phrase at the beginning of `words`: what it stands for and how
/// many words it has. A slip of the finger counts only where nothing begins as
/// it is written.
pub(super) fn find(words: &[Word]) -> Option<(&'static [Subject], usize)> {
    let (Word::Plain(first), rest) = words.split_first()? else { return None };
    let fits = |tails: &'static [Tail]| {
        let tail = tails.iter().find(|(tail, _)| {
            tail.len() <= rest.len() && tail.iter().zip(rest).all(|(known, word)| is_meant(word.text(), known))
        });
        tail.map(|(tail, subjects)| (*subjects, tail.len() + 1))
    };
    if let Some(found) = BY_FIRST.get(first.as_str()).and_then(|tails| fits(tails)) {
        return Some(found);
    }
    let near = BY_FIRST.iter().filter(|(known, _)| is_meant(first, known));
    near.filter_map(|(_, tails)| fits(tails)).max_by_key(|(_, length)| *length)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn no_phrase_stands_twice() {
        let mut seen = BTreeSet::new();
        for (_, phrases) in PHRASES {
            for phrase in phrases.split(", ") {
                assert!(seen.insert(phrase), "{phrase}");
                assert_eq!(phrase.trim(), phrase);
                assert!(!phrase.contains("  ") && phrase.split(' ').count() <= 7, "{phrase}");
            }
        }
    }

    #[test]
    fn every_example_is_about_its_topic() {
        for topic in topics() {
            let (words, _) = super::super::words::split(topic.example);
            let found: Vec<_> = (0..words.len()).filter_map(|place| find(&words[place..])).collect();
            let names: Vec<String> =
                found.iter().flat_map(|(subjects, _)| *subjects).map(|s| format!("{s:?}").to_lowercase()).collect();
            assert!(names.contains(&topic.name.to_owned()), "{}: {names:?}", topic.example);
        }
    }
}
