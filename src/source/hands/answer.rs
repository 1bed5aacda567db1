//! From a request to its answer.

use kgents_store::request::{Answer, Ask};
use kgents_store::sanitize;

use super::desk::{Desk, Line};
use super::failure::Failure;
use super::{Voice, acts, chat, children, dryrun, events, logs, places, plan, save};
use crate::clock;

/// Fulfils a request and says what came of it.
pub(super) async fn fulfil(desk: &Desk, ask: Ask, voice: &Voice) {
    let answer = Box::pin(answer(desk, ask, voice)).await.unwrap_or_else(|failure| Answer::Failed(failure.problem));
    voice.say(answer).await;
}

async fn answer(desk: &Desk, ask: Ask, voice: &Voice) -> Result<Answer, Failure> {
    match ask {
        Ask::Contexts => places::contexts(desk).await,
        Ask::History(agent) => aside(move || chat::history(&agent)).await,
        Ask::Say(agent, lines) => aside(move || chat::say(&agent, &lines)).await,
        Ask::Save { name, text } => aside(move || save::save(&name, &text)).await,
        Ask::Switch { .. } => Err(Failure::new("another context is looked at by starting anew, not by a request")),
        // Heard before it becomes a task.
        Ask::Cancel(_) => Err(Failure::new("there is nothing to cancel")),
        ask => {
            if let Some(memory) = desk.memory() {
                return Err(recorded(memory, &ask));
            }
            let line = desk.line().await?;
            let answer = asked(&line, ask, voice).await;
            if answer.as_ref().is_err_and(|failure| failure.broken) {
                desk.forget(&line).await;
            }
            answer
        }
    }
}

/// What only an API server can answer.
async fn asked(line: &Line, ask: Ask, voice: &Voice) -> Result<Answer, Failure> {
    match ask {
        Ask::Act(act) => Box::pin(acts::perform(line, &act, clock::now())).await,
        Ask::WhoAmI => Ok(Answer::You(sanitize::text(line.user().await?).into_owned())),
        Ask::DryRun(proposal) => Box::pin(dryrun::dry_run(line, &proposal)).await,
        Ask::Children(agent) => Box::pin(children::children(line, &agent)).await,
        Ask::Events(kind, key) => Box::pin(events::events(line, kind, &key)).await,
        Ask::Plan(kind, key) => Box::pin(plan::plan(line, kind, &key)).await,
        Ask::Logs(logs) => Box::pin(logs::follow(line, &logs, voice)).await,
        Ask::Namespaces => Box::pin(places::namespaces(line)).await,
        _ => Err(Failure::new("no API server is needed for this")),
    }
}

/// Why what is remembered is of no use here.
fn recorded(memory: &str, ask: &Ask) -> Failure {
    let said = match ask {
        Ask::Act(_) => format!("{memory} cannot be changed"),
        Ask::WhoAmI => format!("{memory} does not know who you are"),
        Ask::DryRun(_) => format!("{memory} cannot say what a patch would change: only an API server can"),
        Ask::Children(_) => format!("{memory} does not hold what an agent was made into"),
        Ask::Events(..) => format!("{memory} holds no Events"),
        Ask::Plan(..) => format!("{memory} holds too little to plan with"),
        Ask::Logs(_) => format!("{memory} holds no logs"),
        Ask::Namespaces => format!("{memory} cannot be asked for namespaces"),
        _ => format!("{memory} cannot be asked for this"),
    };
    Failure::new(said).hint("kgents observe --layer kube")
}

/// Works on the disk, on a thread that may block.
async fn aside(work: impl FnOnce() -> Result<Answer, Failure> + Send + 'static) -> Result<Answer, Failure> {
    match tokio::task::spawn_blocking(work).await {
        Ok(answer) => answer,
        // A panic goes on where it is noticed; else the runtime is going down.
        Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
        Err(_) => std::future::pending().await,
    }
}
