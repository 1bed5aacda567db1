//! Following the cluster: what changes arrives, once, whatever happens to the
//! API server meanwhile.

mod live;
mod lost;

use std::collections::BTreeMap;

use serde_json::Value;

use crate::support::case::Case;
use crate::support::cluster::PLURALS;
use crate::support::place::Place;
use crate::support::stream::Stream;

/// The tests of this module.
pub fn cases() -> Vec<Case> {
    [lost::cases(), live::cases()].into_iter().flatten().collect()
}

/// Resource versions by kind, namespace and name: a state of the cluster.
type State = BTreeMap<String, String>;

/// The state that a stream of JSON has told so far: what was applied and not
/// deleted since.
fn told(stream: &Stream) -> State {
    let mut state = State::new();
    for line in stream.values() {
        let Some(change) = line["change"].as_str() else { continue };
        let key = format!("{} {}", line["kind"].as_str().unwrap(), line["key"].as_str().unwrap());
        match change {
            "applied" => {
                let version = line["object"]["metadata"]["resourceVersion"].as_str();
                // Of Kubernetes' own kinds only facts are told.
                state.insert(key, version.unwrap_or_default().to_owned());
            }
            "deleted" => {
                state.remove(&key);
            }
            _ => {}
        }
    }
    state
}

/// The state that the API server lists.
fn listed(place: &Place) -> State {
    let list = place.kubectl(&["get", &PLURALS.join(","), "-o", "json"]).json();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let entry = |item: &Value| {
        let meta = &item["metadata"];
        let key = format!("{} {}/{}", text(&item["kind"]), text(&meta["namespace"]), text(&meta["name"]));
        (key, text(&meta["resourceVersion"]))
    };
    list["items"].as_array().unwrap().iter().map(entry).collect()
}

/// Waits until every kind of ours is followed.
#[track_caller]
fn expect_live(stream: &Stream) {
    stream.expect_value("word that every kind is followed", is_live);
}

/// Whether a line says that the API server answers and every kind is followed.
fn is_live(line: &Value) -> bool {
    let kinds = line["kinds"].as_array();
    line["kind"] == "Source"
        && line["link"]["state"] == "up"
        && kinds.is_some_and(|kinds| kinds.iter().all(|kind| kind["state"] == "live"))
}
