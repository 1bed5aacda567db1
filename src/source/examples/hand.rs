#![allow(
    clippy::all,
    clippy::pedantic,
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::print_stdout,
    missing_docs
)]
use kgents_source::{Client, Options, watch};
use kgents_store::{Control, Kind};
use std::time::{Duration, Instant};
fn main() {
    rustls::crypto::ring::default_provider().install_default().unwrap();
    let args: Vec<String> = std::env::args().collect();
    let mut o = Options { kubeconfig: Some(args[1].clone().into()), ..Options::default() };
    if let Ok(n) = std::env::var("NS") {
        o.namespace = Some(n);
    }
    if let Ok(n) = std::env::var("AS") {
        o.as_user = Some(n);
    }
    let rt = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    if args.get(2).map(String::as_str) == Some("crds") {
        rt.block_on(async {
            let c = Client::connect(&o).await.unwrap();
            println!("{:?} {:?}", c.server_version().await, c.scene());
            println!("before {}", c.crds().await.unwrap().len());
            let t = Instant::now();
            let mut names = vec![];
            for crd in kgents_api::crd::all() { c.install_crd(&crd).await.unwrap(); names.push(crd.metadata.name.clone().unwrap()); }
            println!("applied {:?}", t.elapsed());
            println!("{:?}", c.wait_established(&names, Duration::from_secs(10)).await);
            println!("established {:?}, {}", t.elapsed(), c.crds().await.unwrap().len());
            println!("list {:?}", c.list(Kind::Agent, None).await.map(|l| l.items.len()));
            println!("get {:?}", c.get(Kind::Agent, None, "nope").await.err().map(|e| (e.to_string(), e.hint())));
            println!("get {:?}", c.get(Kind::Agent, Some("default"), "nope").await.err().map(|e| (e.to_string(), e.hint())));
            println!("sel {:?}", c.list(Kind::Agent, Some("a b")).await.err().map(|e| (e.to_string(), e.hint())));
            let p: kgents_api::Pheromone = serde_json::from_value(serde_json::json!({"metadata":{"generateName":"p-"},"spec":{"type":"WARNING","source":"me"}})).unwrap();
            println!("create {:?}", c.create_pheromone("default", &p).await.map(|d| d.key));
            println!("create {:?}", c.create_pheromone("nowhere", &p).await.err().map(|e| (e.to_string(), e.hint())));
            let bad: kgents_api::Pheromone = serde_json::from_value(serde_json::json!({"metadata":{"name":"BAD"},"spec":{"type":"WARNING","source":"me","halfLifeMinutes":-1}})).unwrap();
            println!("create {:?}", c.create_pheromone("default", &bad).await.err().map(|e| (e.to_string(), e.hint())));
        });
        return;
    }
    let (bus, mut reader) = kgents_store::bus::new();
    let begun = Instant::now();
    std::thread::spawn(move || rt.block_on(watch(o, bus, Default::default())));
    let rt2 = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let quiet = std::env::var("QUIET").is_ok();
    rt2.block_on(async move {
        loop {
            reader.changed().await;
            loop {
                let b = reader.drain(2048);
                let ms = begun.elapsed().as_millis();
                for c in b.control {
                    match c {
                        Control::Watch(k, w) => println!(
                            "{ms} {k} {:?} as_of {:?} refused {:?}",
                            w.state,
                            w.as_of.map(|t| t.to_string()),
                            w.refused
                        ),
                        c => println!("{ms} {c:?}"),
                    }
                }
                if quiet || b.changes.len() > 20 {
                    if !b.changes.is_empty() {
                        println!(
                            "{ms} {} changes, last {} {}",
                            b.changes.len(),
                            b.changes.last().unwrap().kind,
                            b.changes.last().unwrap().key
                        );
                    }
                } else {
                    for c in b.changes {
                        println!(
                            "{ms} {} {} {:?} initial {}",
                            c.kind,
                            c.key,
                            c.now.map(|n| n.resource_version),
                            c.initial
                        );
                    }
                }
                for e in b.events {
                    println!("{ms} EVENT {} {} {} {}", e.about_kind, e.about, e.reason, e.message);
                }
                if !b.more {
                    break;
                }
            }
        }
    });
}
