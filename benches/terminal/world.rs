//! What a window finds when it opens: someone at a keyboard, with whatever
//! answers them or does not.

use std::path::Path;

use jiff::Timestamp;

use crate::it::support::place::Place;
use crate::it::support::user::User;
use crate::it::support::{cluster, credentials, path, servers};
use crate::story;

/// Objects that are sent to the API server at once.
const PART: usize = 250;

/// Someone, and what a window is told to observe for them.
pub struct World {
    pub name: &'static str,
    pub user: User,
    pub args: Vec<String>,
    /// A text that is only on the screen once all agents are.
    pub shows: Option<&'static str>,
    /// Whether another program can look at it too.
    pub for_all: bool,
    /// Whether a whole frame is promised there within the budget.
    pub promised: bool,
}

/// The title of the agents when all of them are there.
pub const ALL_AGENTS: &str = "1000 · by attention";

/// The worlds in which a start is measured.
pub fn worlds() -> Vec<World> {
    vec![
        World::new("no kubeconfig", User::new()),
        World::new("every layer dead", dead()),
        World::new("every layer hung", hung()),
        remembering("dead, a Ghost of 1,000 agents", dead()),
        remembering("hung, a Ghost of 1,000 agents", hung()),
        // One namespace, as README shows it.
        fixture("the busy fixture", &["busy", "-n", "kgents-agents"], "12 · by attention"),
        fixture("the huge fixture", &["huge"], "500 · by attention"),
    ]
}

impl World {
    fn new(name: &'static str, user: User) -> Self {
        Self { name, user, args: Vec::new(), shows: None, for_all: true, promised: true }
    }
}

fn fixture(name: &'static str, said: &[&str], shows: &'static str) -> World {
    let mut args = fixture_args(&path("ghost-fixtures").join(said[0]));
    args.extend(said[1..].iter().map(|&arg| arg.to_owned()));
    World { args, shows: Some(shows), for_all: false, promised: false, ..World::new(name, User::new()) }
}

/// What plays a recording.
pub fn fixture_args(folder: &Path) -> Vec<String> {
    vec!["--fixture".to_owned(), folder.display().to_string()]
}

/// One whose API server refuses every connection.
fn dead() -> User {
    User::with_text(&credentials::anonymous(servers::NOBODY))
}

/// One whose API server and whose Cortex accept and never answer.
fn hung() -> User {
    let user = User::with_text(&credentials::anonymous(&servers::silent()));
    let socket = user.path("silent.sock");
    // It listens as long as this process runs; the file goes with the home.
    std::mem::forget(servers::silent_socket(&socket));
    let cortex = format!("unix:{}", socket.display());
    user.var("KGENTS_CORTEX", cortex)
}

/// One who remembers a thousand agents.
fn remembering(name: &'static str, user: User) -> World {
    let now = Timestamp::now();
    let folder = user.path(".kgents/ghost");
    kgents_source::ghost::write_once(&folder, &story::terrarium("here", now), now).unwrap();
    World { shows: Some(ALL_AGENTS), for_all: false, ..World::new(name, user) }
}

/// A namespace with a thousand agents on a real API server.
///
/// # Errors
/// In words: why there is none here.
pub fn place() -> Result<Place, String> {
    if let Some(lack) = cluster::lack() {
        return Err(format!("skipped: {lack}"));
    }
    let place = Place::new("terminal");
    let agents: Vec<serde_json::Value> = (0..story::AGENTS).map(story::agent).collect();
    for part in agents.chunks(PART) {
        place.apply(part);
    }
    Ok(place)
}
