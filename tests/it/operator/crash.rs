//! kill -9 at each write of a reconcile.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::support::audit::Call;
use crate::support::case::{Case, cases};
use crate::support::faults::{Faults, Then};
use crate::support::garden::Garden;
use crate::support::objects::agent;
use crate::support::operator::Operator;
use crate::support::user::User;
use crate::support::wait::{SOON, eventually};

pub fn cases() -> Vec<Case> {
    cases![killed_before_each_write_it_converges, killed_after_each_write_it_converges]
}

/// More writes than an Agent needs: the last rounds kill nobody.
const WRITES: usize = 14;

fn killed_before_each_write_it_converges(garden: &Garden) {
    each_write(garden, false);
}

fn killed_after_each_write_it_converges(garden: &Garden) {
    each_write(garden, true);
}

/// For each n an Agent is made, and the operator dies at its n-th write. The
/// next operator has to finish the work, without doing any of it twice.
fn each_write(garden: &Garden, after: bool) {
    let faults = Arc::new(Faults::before(garden.kubeconfig(), |_| Then::Pass));
    let user = User::with_text(&faults.kubeconfig());
    let mut died = 0;
    for nth in 0..WRITES {
        let name = format!("a{nth:02}-gent");
        let victim: Arc<Mutex<Option<Operator>>> = Arc::default();
        let start = faults.writes();
        let shared = victim.clone();
        faults.rule(move |asked| {
            if !asked.is_write() || asked.writes_before != start + nth {
                return Then::Pass;
            }
            let shared = shared.clone();
            // kill -9 does not wait for the dead: the proxy holds the answer back.
            let kill: Box<dyn FnOnce() + Send> = Box::new(move || {
                if let Some(operator) = shared.lock().unwrap().take() {
                    operator.dies();
                }
            });
            if after { Then::After(kill) } else { Then::Before(kill) }
        });
        // It stands there before its object does, so that it is known whom to kill.
        let flags = garden.flags();
        let args: Vec<&str> = flags.into_iter().chain(["--leader-elect", "false"]).collect();
        let mut operator = Operator::start(&user, &args);
        operator.wait("/readyz");
        *victim.lock().unwrap() = Some(operator);
        garden.apply(&[agent(&name, "B")]);
        let dead = eventually(SOON, "death or rest", || {
            if victim.lock().unwrap().is_none() {
                return Ok(true);
            }
            let phase = garden.get("agent", &name)["status"]["phase"].clone();
            if phase == "Running" { Ok(false) } else { Err(phase.to_string()) }
        });
        died += usize::from(dead);
        drop(victim.lock().unwrap().take());
        faults.rule(|_| Then::Pass);
        let mark = garden.audit.end();
        let heir = Operator::ready(&user, &args);
        garden.phase(&name, "Running");
        let writes = garden.quiet(mark, Duration::from_secs(1));
        // Nothing that the dead one had made is made again.
        let twice: Vec<String> = writes
            .iter()
            .filter(|call| !call.resource.contains('/') && call.name.starts_with(&name))
            .map(Call::short)
            .collect();
        let mut once = twice.clone();
        once.sort();
        once.dedup();
        assert_eq!(once.len(), twice.len(), "{twice:#?}");
        assert_eq!(
            garden
                .kubectl(&["get", "deployments", "-l", &format!("kgents.io/agent={name}"), "-o", "name"])
                .ok()
                .lines()
                .count(),
            1
        );
        drop(heir);
    }
    // With fewer it would not have been each of them.
    assert!(died >= 9, "it died only {died} times");
}
