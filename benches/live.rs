//! `cargo bench --bench live`: the real window in a real terminal on a real
//! API server, with figures.
//!
//! `-- --agents N --pheromones N --proposals N --writes N --idle SECONDS --json`

#![allow(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    dead_code,
    unused_imports,
    unused_macros,
    missing_docs,
    reason = "a bench asks the clock, prints, and gives up aloud; it uses a part of the test support"
)]

#[path = "terminal/pty.rs"]
mod pty;

#[path = "../tests/it"]
mod it {
    pub(crate) mod support;
}

use std::time::{Duration, Instant};

use it::support::place::Place;
use it::support::user::{KGENTS, User};
use it::support::{self, objects::object};
use kgents_api::pheromone::{Pheromone, PheromoneSpec, PheromoneType};
use pty::Window;
use serde_json::{Value, json};

/// How long anything may take before the bench gives up on it.
const LIMIT: Duration = Duration::from_secs(20);
/// Starts of the window: the median is told.
const STARTS: usize = 7;
/// Keys pressed.
const KEYS: usize = 40;

struct Sizes {
    agents: usize,
    pheromones: usize,
    proposals: usize,
    writes: usize,
    idle: u64,
    json: bool,
}

/// A figure: what, how much, and what was asked for.
struct Figure(&'static str, String, &'static str, Value);

fn main() {
    let sizes = sizes();
    if let Some(lack) = support::cluster::lack() {
        println!("live: skipped: {lack}");
        return;
    }
    let place = Place::new("live");
    fill(&place, &sizes);
    let mut figures = Vec::new();
    version(&mut figures);
    starts(&place, &sizes, &mut figures);
    let mut window = observe(&place.user);
    window.until(LIMIT, |screen| screen.contains(&format!("{} · by attention", sizes.agents))).unwrap();
    keys(&mut window, &mut figures);
    writes(&place, &sizes, &mut window, &mut figures);
    idle(&sizes, &mut window, &mut figures);
    killed(&place, &mut window, &mut figures);
    window.key("q");
    let about = format!(
        "{} agents, {} pheromones, {} proposals on a real API server; a window of 160x45",
        sizes.agents, sizes.pheromones, sizes.proposals
    );
    if sizes.json {
        let figures: serde_json::Map<String, Value> =
            figures.into_iter().map(|Figure(name, _, _, value)| (name.replace(' ', "_"), value)).collect();
        println!("{}", json!({ "about": about, "figures": figures }));
        return;
    }
    println!("\n{about}\n");
    for Figure(name, seen, asked, _) in figures {
        println!("  {name:<34} {seen:<44} {asked}");
    }
}

/// Opens the window of someone.
fn observe(user: &User) -> Window {
    Window::open(user, &[KGENTS, "observe"]).unwrap()
}

fn sizes() -> Sizes {
    let args: Vec<String> = std::env::args().collect();
    let number = |name: &str, default: usize| {
        let place = args.iter().position(|arg| arg == name);
        place.map_or(default, |place| args[place + 1].parse().expect(name))
    };
    Sizes {
        agents: number("--agents", 200),
        pheromones: number("--pheromones", 500),
        proposals: number("--proposals", 50),
        writes: number("--writes", 200),
        idle: number("--idle", 60) as u64,
        json: args.iter().any(|arg| arg == "--json"),
    }
}

/// Objects of all ages, the same each time.
fn fill(place: &Place, sizes: &Sizes) {
    let genera = ["B", "D", "F", "I", "K", "L", "N", "O", "Q", "T", "Psi", "Omega"];
    let name = |i: usize| format!("{}-gent-{i}", genera[i % genera.len()].to_lowercase());
    let agents = (0..sizes.agents).map(|i| {
        object(
            "Agent",
            &name(i),
            &json!({ "genus": genera[i % genera.len()], "image": "kgents/agent:1", "replicas": 1 + i % 3 }),
        )
    });
    let now = jiff::Timestamp::now();
    let half_lives = [5, 15, 60, 120];
    let pheromones = (0..sizes.pheromones).map(|i| {
        let type_ = PheromoneType::ALL[i % PheromoneType::ALL.len()].as_str();
        let emitted = now - jiff::SignedDuration::from_secs((i * 7 % 3_000) as i64);
        let spec = json!({
            "type": type_, "source": name(i % sizes.agents.max(1)), "emittedAt": emitted.to_string(),
            "initialIntensity": 0.3 + (i % 7) as f64 / 10.0, "halfLifeMinutes": half_lives[i % 4],
            "payload": "disk at 91 %, 2 GB in the last 4 min",
        });
        object("Pheromone", &format!("p-{i}"), &spec)
    });
    let proposals = (0..sizes.proposals).map(|i| {
        let spec = json!({
            "changeType": "AGENT_SCALE", "proposer": name(i), "reason": "High load, queue 140 deep",
            "target": { "apiVersion": "kgents.io/v1", "kind": "Agent", "name": name(i * 3 % sizes.agents.max(1)) },
            "patch": { "type": "merge", "content": { "spec": { "replicas": 5 } } },
        });
        object("Proposal", &format!("scale-{i}"), &spec)
    });
    let objects: Vec<Value> = agents.chain(pheromones).chain(proposals).collect();
    for part in objects.chunks(250) {
        place.apply(part);
    }
}

fn version(figures: &mut Vec<Figure>) {
    let run = |program: &str, args: &[&str]| {
        let mut times: Vec<f64> = (0..50)
            .map(|_| {
                let start = Instant::now();
                std::process::Command::new(program).args(args).output().unwrap();
                ms(start.elapsed())
            })
            .collect();
        percentile(&mut times, 50)
    };
    let (ours, least) = (run(support::user::KGENTS, &["--version"]), run("true", &[]));
    let seen = format!("{ours:.2} ms ({:.1} times `true`)", ours / least);
    figures.push(Figure("--version", seen, "<= 1.3 ms", json!({ "ms": ours, "true_ms": least })));
}

/// From exec to the first bytes, and to all agents on the screen.
fn starts(place: &Place, sizes: &Sizes, figures: &mut Vec<Figure>) {
    let counted = format!("{} · by attention", sizes.agents);
    let nobody = support::user::User::new();
    let mut first = Vec::new();
    let mut data = Vec::new();
    let mut alone = Vec::new();
    for _ in 0..STARTS {
        let mut window = observe(&place.user);
        first.push(ms(window.until(LIMIT, |screen| screen.contains("terrarium")).unwrap() - window.started));
        data.push(ms(window.until(LIMIT, |screen| screen.contains(&counted)).unwrap() - window.started));
        let mut window = observe(&nobody);
        alone.push(ms(window.until(LIMIT, |screen| screen.contains("terrarium")).unwrap() - window.started));
    }
    figures.push(spread("first frame", &mut first, "<= 5 ms"));
    figures.push(spread("first frame, no kubeconfig", &mut alone, "<= 5 ms"));
    figures.push(spread("all objects on the screen", &mut data, "<= 80 ms (1,000 objects)"));
}

fn keys(window: &mut Window, figures: &mut Vec<Figure>) {
    let mut times: Vec<f64> = (0..KEYS)
        .map(|i| {
            window.rest(Duration::from_millis(60)).unwrap();
            let pressed = Instant::now();
            window.key(if i % 2 == 0 { "j" } else { "k" });
            ms(window.next(pressed + LIMIT).unwrap() - pressed)
        })
        .collect();
    figures.push(spread("key to output", &mut times, "p50 <= 0.6, p95 <= 1.5 ms"));
}

/// From the API server's answer to a create, to the frame that shows it.
fn writes(place: &Place, sizes: &Sizes, window: &mut Window, figures: &mut Vec<Figure>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let options = kgents_source::Options { kubeconfig: Some(place.kubeconfig().to_owned()), ..Default::default() };
    let client = runtime.block_on(kgents_source::Client::connect(&options)).unwrap();
    let mut accepted = Vec::new();
    let mut sent = Vec::new();
    for i in 0..sizes.writes {
        window.rest(Duration::from_millis(50)).unwrap();
        let mark = format!("mark-{i:05}");
        let mut object = Pheromone::new(
            &mark,
            PheromoneSpec {
                type_: PheromoneType::State,
                source: "bench".to_owned(),
                emitted_at: None,
                initial_intensity: Some(0.02),
                half_life_minutes: None,
                ttl_seconds: None,
                target: None,
                payload: Some(Value::from(mark.as_str())),
                position: None,
            },
        );
        object.metadata.namespace = Some(place.namespace.clone());
        let before = Instant::now();
        runtime.block_on(client.create_pheromone(&place.namespace, &object)).unwrap();
        let answered = Instant::now();
        let shown = window.until(LIMIT, |screen| screen.contains(&mark)).unwrap();
        // The frame can be there before we have read the answer.
        accepted.push(ms(shown.saturating_duration_since(answered)));
        sent.push(ms(shown - before));
    }
    figures.push(spread("accepted write to frame", &mut accepted, "p95 <= 10 ms (seed: 500)"));
    figures.push(spread("write sent to frame", &mut sent, ""));
}

fn idle(sizes: &Sizes, window: &mut Window, figures: &mut Vec<Figure>) {
    window.rest(Duration::from_secs(12)).unwrap();
    let (bytes, frames, cpu) = (window.bytes, window.frames, window.cpu().unwrap());
    window.rest(Duration::from_secs(sizes.idle)).unwrap();
    let (bytes, frames, cpu) = (window.bytes - bytes, window.frames - frames, window.cpu().unwrap() - cpu);
    let share = cpu / sizes.idle as f64 * 100.0;
    let seen = format!("{bytes} bytes in {frames} frames, {share:.2} % CPU");
    let asked = "only what fades or ages on the screen";
    let value = json!({ "seconds": sizes.idle, "bytes": bytes, "frames": frames, "cpu_percent": share });
    figures.push(Figure("a minute without events", seen, asked, value));
    let memory = window.memory().unwrap();
    let seen = format!("{:.1} MB", memory as f64 / 1e6);
    figures.push(Figure("resident memory", seen, "<= 35 MB (1,000 agents)", json!({ "bytes": memory })));
}

/// The API server dies and comes back under the window.
fn killed(place: &Place, window: &mut Window, figures: &mut Vec<Figure>) {
    let killed = Instant::now();
    place.cluster.ask("kill kube-apiserver");
    let told = ms(window.until(LIMIT, |screen| screen.contains("Silent since")).unwrap() - killed);
    place.cluster.ask("start kube-apiserver");
    let back = Instant::now();
    let heard = window.until(LIMIT, |screen| !screen.contains("Silent since")).unwrap();
    let heard = ms(heard.saturating_duration_since(back));
    let seen = format!("told after {told:.0} ms, back {heard:.0} ms after it was ready");
    figures.push(Figure("API server killed", seen, "", json!({ "told_ms": told, "back_ms": heard })));
}

fn ms(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}

fn percentile(times: &mut [f64], percent: usize) -> f64 {
    times.sort_by(f64::total_cmp);
    times[(times.len() - 1) * percent / 100]
}

fn spread(name: &'static str, times: &mut [f64], asked: &'static str) -> Figure {
    let [least, half, most_of, most] = [0, 50, 95, 100].map(|percent| percentile(times, percent));
    let seen = format!("p50 {half:.2}  p95 {most_of:.2}  ({least:.2}–{most:.2}) ms");
    Figure(name, seen, asked, json!({ "min": least, "p50": half, "p95": most_of, "max": most, "n": times.len() }))
}
