//! `kgents agent run`: the container `logic` of an agent's pod.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use jiff::Timestamp;
use kgents_api::Genus;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::error::CellError;
use crate::http::{self, aside, json_body, refusal};
use crate::state::Folder;
use crate::{clock, digest};

/// The longest spec that is read, in bytes: more than a ConfigMap can hold.
const LONGEST_SPEC: u64 = 2 * 1024 * 1024;

/// Who an agent is and where its things are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// Its name within its namespace.
    pub name: String,
    /// What sort of worker it is.
    pub genus: Genus,
    /// The folder of its state.
    pub state: PathBuf,
    /// The file with its spec, from a ConfigMap; it need not be there.
    pub spec: PathBuf,
    /// Where its Cortex is.
    pub cortex: Option<String>,
    /// Whether it should do only what cannot do harm.
    pub safemode: bool,
    /// The version of kgents that runs it.
    pub version: &'static str,
}

struct Agent {
    options: Options,
    folder: Folder,
    since: Timestamp,
}

/// Says who the agent is, and whether it can work, until stopped.
///
/// `/` is who it is, `/readyz` is 200 while its state can be written.
///
/// # Errors
/// When the listener ends by itself.
pub async fn serve(listener: TcpListener, options: Options, stop: CancellationToken) -> Result<(), CellError> {
    tracing::info!(
        agent = options.name, genus = %options.genus, safemode = options.safemode,
        version = options.version, "an agent without a mind: it only says who it is"
    );
    let agent = Agent { folder: Folder::at(&options.state), since: clock::now(), options };
    let routes: Router = Router::new()
        .route("/", get(who))
        .route("/readyz", get(ready))
        .with_state(Arc::new(agent))
        .merge(http::alive());
    http::serve(listener, routes, stop).await
}

async fn who(State(agent): State<Arc<Agent>>) -> Response {
    match aside(move || agent.about()).await {
        Ok(about) => json_body(&about).into_response(),
        Err(error) => refusal(StatusCode::INTERNAL_SERVER_ERROR, &error.to_string(), None),
    }
}

async fn ready(State(agent): State<Arc<Agent>>) -> Response {
    let error = match aside(move || agent.folder.check()).await {
        Ok(Ok(())) => return "ok\n".into_response(),
        Ok(Err(error)) => error,
        Err(error) => return refusal(StatusCode::SERVICE_UNAVAILABLE, &error.to_string(), None),
    };
    refusal(StatusCode::SERVICE_UNAVAILABLE, &error.to_string(), error.hint())
}

impl Agent {
    fn about(&self) -> Value {
        let Options { name, genus, state, spec, cortex, safemode, version } = &self.options;
        json!({
            "name": name,
            "genus": genus,
            "role": genus.role(),
            "version": version,
            "since": self.since.to_string(),
            "safemode": safemode,
            "cortex": cortex,
            "state": { "path": state, "problem": self.folder.check().err().map(|error| error.to_string()) },
            "spec": about_spec(spec),
        })
    }
}

/// Where the spec is, and its digest or why it cannot be read.
fn about_spec(path: &Path) -> Value {
    match read_spec(path) {
        Ok(bytes) => json!({ "path": path, "read": true, "digest": format!("sha256:{}", digest::sha256(&bytes)) }),
        Err(problem) => json!({ "path": path, "read": false, "problem": problem }),
    }
}

fn read_spec(path: &Path) -> Result<Vec<u8>, String> {
    let size = path.metadata().map_err(|error| error.to_string())?.len();
    if size > LONGEST_SPEC {
        return Err(format!("it has {size} bytes, and at most {LONGEST_SPEC} are read"));
    }
    std::fs::read(path).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Running;

    fn options(folder: &Path) -> Options {
        Options {
            name: "b-gent".to_owned(),
            genus: Genus::B,
            state: folder.join("state"),
            spec: folder.join("spec.yaml"),
            cortex: Some("http://cortex:50051".to_owned()),
            safemode: true,
            version: "1.2.3",
        }
    }

    #[tokio::test]
    async fn it_says_who_it_is_and_ends_when_told_to() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("state")).unwrap();
        let options = options(folder.path());
        let agent = Running::start(|listener, stop| serve(listener, options, stop)).await;
        let about = agent.get("/").await.json();
        for (field, expected) in [
            ("name", json!("b-gent")),
            ("genus", json!("B")),
            ("role", json!("banker")),
            ("version", json!("1.2.3")),
            ("safemode", json!(true)),
            ("cortex", json!("http://cortex:50051")),
        ] {
            assert_eq!(about[field], expected, "{field}");
        }
        assert!(about["since"].as_str().unwrap().parse::<Timestamp>().is_ok(), "{about}");
        assert_eq!(about["state"]["problem"], Value::Null);
        assert_eq!(about["spec"]["read"], false);
        assert!(about["spec"]["problem"].as_str().unwrap().contains("No such file"), "{about}");

        // A ConfigMap may come, and change, while it runs.
        std::fs::write(folder.path().join("spec.yaml"), "").unwrap();
        let about = agent.get("/").await.json();
        assert_eq!(about["spec"]["digest"], format!("sha256:{}", digest::sha256(b"")));
        assert_eq!(agent.get("/healthz").await.status, 200);
        agent.end().await;
    }

    #[tokio::test]
    async fn it_is_ready_while_its_state_can_be_written() {
        let folder = tempfile::tempdir().unwrap();
        let options = options(folder.path());
        let state = options.state.clone();
        let agent = Running::start(|listener, stop| serve(listener, options, stop)).await;
        let answer = agent.get("/readyz").await;
        assert_eq!(answer.status, 503);
        assert!(answer.json()["error"].as_str().unwrap().contains("state"), "{}", answer.text());
        assert!(answer.json()["try"].as_str().unwrap().contains("KGENTS_STATE_PATH"), "{}", answer.text());
        assert_eq!(agent.get("/healthz").await.status, 200, "it lives all the same");
        std::fs::create_dir(&state).unwrap();
        assert_eq!(agent.get("/readyz").await.status, 200);
        assert_eq!(std::fs::read_dir(&state).unwrap().count(), 0, "the check leaves nothing behind");
        agent.end().await;
    }
}
