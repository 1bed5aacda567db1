use std::path::PathBuf;

use kgents_store::Object;
use serde_json::json;

use super::*;
use crate::Client;
use crate::kube::testing::{Answer, Server, page, raw, status};
use crate::options::Options;

/// What a watch of agents makes of one line.
async fn heard(line: &str) -> Result<Heard, SourceError> {
    let server = Server::start().await;
    server.on(&format!("{ALL}?watch"), Answer::Ended(vec![format!("{line}\n")]));
    let (_folder, client) = client(&server, |_| {}).await;
    let mut events = client.wire().open(Kind::Agent, None, None, "1").await.unwrap();
    events.next().await.unwrap()
}

#[tokio::test]
async fn each_line_of_a_watch_is_understood_whatever_its_order() {
    let object = r#"{"kind":"Agent", "metadata":{"name":"a","resourceVersion":"7"},  "spec":{"genus":"B"}}"#;
    for type_ in ["ADDED", "MODIFIED", "DELETED"] {
        for line in [
            format!(r#"{{"type":"{type_}","object":{object}}}"#),
            format!(r#"{{"object":{object}, "type":"{type_}"}}"#),
        ] {
            let (Heard::Applied(found) | Heard::Deleted(found)) = heard(&line).await.unwrap() else { panic!("{line}") };
            assert_eq!((found.resource_version.as_str(), found.key.name()), ("7", "a"));
        }
    }
    let mark = r#"{"type":"BOOKMARK","object":{"kind":"Agent","apiVersion":"kgents.io/v1","metadata":{"resourceVersion":"12746","creationTimestamp":null},"spec":{"genus":""}}}"#;
    assert!(matches!(heard(mark).await, Ok(Heard::Bookmark(version)) if version == "12746"));
    let gone = r#"{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":"too old resource version: 1 (2)","reason":"Expired","code":410}"#;
    let wrapped = format!(r#"{{"type":"ERROR","object":{gone}}}"#);
    for line in [gone, wrapped.as_str()] {
        assert!(matches!(heard(line).await, Err(SourceError::Expired { .. })), "{line}");
    }
    assert!(matches!(heard("<html>").await, Err(SourceError::NotKubernetes { .. })));
    assert!(matches!(heard(r#"{"type":"NEWS","object":{}}"#).await, Ok(Heard::Nameless(_))));
}

#[tokio::test]
async fn an_object_of_any_form_breaks_no_envelope() {
    for object in ["{}", "1", "1e400", "null", "[]", "\"x\"", r#"{"metadata":5}"#] {
        let line = format!(r#"{{"type":"ADDED","object":{object}}}"#);
        assert!(matches!(heard(&line).await, Ok(Heard::Nameless(_))), "{object}");
        let list = format!(r#"{{"kind":"AgentList","metadata":{{"resourceVersion":"1"}},"items":[{object}]}}"#);
        let page = serde_json::from_str::<RawPage>(&list).unwrap().decoded(Kind::Agent);
        assert_eq!((page.items.len(), page.nameless.len()), (0, 1), "{object}");
    }
    let number = r#"{"type":"ADDED","object":{"metadata":{"name":"a"},"spec":{"genus":"B","x":1e999}}}"#;
    assert!(matches!(heard(number).await, Ok(Heard::Applied(_) | Heard::Nameless(_))));
}

#[tokio::test]
async fn a_stream_is_cut_into_lines_wherever_it_was_cut_before() {
    let all: Vec<Vec<u8>> = lines(futures::io::Cursor::new(b"one\n\r\n\ntwo\r\nthr".to_vec())).collect().await;
    assert_eq!(all, [b"one\n".to_vec(), b"two\r\n".to_vec()], "half a line is none");
    let endless = futures::io::BufReader::new(futures::io::repeat(b'x'));
    assert_eq!(lines(endless).count().await, 0);
}

#[test]
fn one_bad_object_spoils_no_page() {
    let mut bad = raw(Kind::Agent, "n", "bad", 2);
    bad["spec"] = json!({ "genus": "no such" });
    let text = page(&[raw(Kind::Agent, "n", "a", 1), bad, json!({ "kind": "Agent" })], 9, Some("more"));
    let page = serde_json::from_str::<RawPage>(&text).unwrap().decoded(Kind::Agent);
    assert_eq!((page.version.as_str(), page.next.as_deref()), ("9", Some("more")));
    assert!(matches!(page.items[0].object, Object::Agent(_)));
    assert!(matches!(page.items[1].object, Object::Unreadable(_)));
    assert_eq!(page.nameless.len(), 1);
    let empty = r#"{"metadata":{"resourceVersion":"1"},"items":null}"#;
    assert!(serde_json::from_str::<RawPage>(empty).unwrap().decoded(Kind::Pod).items.is_empty());
}

#[test]
fn paths_are_those_of_the_api_and_nothing_else() {
    assert_eq!(path(Kind::Agent, Some("n")).unwrap(), "/apis/kgents.io/v1/namespaces/n/agents");
    assert_eq!(path(Kind::Pod, None).unwrap(), "/api/v1/pods");
    assert_eq!(path(Kind::Deployment, None).unwrap(), "/apis/apps/v1/deployments");
    for bad in ["", "..", "a/b", "a?b", "a b", "سلام", "a%2fb"] {
        let error = path(Kind::Pod, Some(bad)).unwrap_err();
        assert!(matches!(error, SourceError::Invalid { .. }), "{bad}: {error}");
    }
}

async fn client(server: &Server, change: impl FnOnce(&mut Options)) -> (tempfile::TempDir, Client) {
    let (folder, mut options) = server.kubeconfig();
    change(&mut options);
    let client = Client::connect(&options).await.unwrap();
    (folder, client)
}

const ALL: &str = "/apis/kgents.io/v1/agents";

fn one(namespace: &str) -> String {
    format!("/apis/kgents.io/v1/namespaces/{namespace}/agents")
}

fn names(listed: &crate::Listed) -> Vec<String> {
    listed.items.iter().map(|object| object.key.to_string()).collect()
}

#[tokio::test]
async fn a_list_has_all_its_pages_and_says_who_asks() {
    let server = Server::start().await;
    server.on(ALL, Answer::Text(200, page(&[raw(Kind::Agent, "n", "a", 1)], 5, Some("x"))));
    server.on(&format!("{ALL}&continue=x"), Answer::Text(200, page(&[raw(Kind::Agent, "n", "b", 2)], 5, None)));
    let (_folder, client) = client(&server, |options| {
        options.as_user = Some("jane".into());
        options.as_groups = vec!["dev".into(), "ops".into()];
    })
    .await;
    let listed = client.list(Kind::Agent, Some("tier=gold")).await.unwrap();
    assert_eq!(names(&listed), ["n/a", "n/b"]);
    let head = server.heads()[0].to_lowercase();
    for part in
        [concat!("user-agent: kgents/", env!("CARGO_PKG_VERSION")), "impersonate-user: jane", "impersonate-group: ops"]
    {
        assert!(head.contains(part), "{part} in {head}");
    }
    assert!(head.contains("limit=500") && head.contains("labelselector=tier%3dgold"), "{head}");
}

#[tokio::test]
async fn a_list_that_grew_too_old_is_begun_anew() {
    let server = Server::start().await;
    server.on(ALL, Answer::Text(200, page(&[raw(Kind::Agent, "n", "a", 1)], 5, Some("x"))));
    server.on(ALL, Answer::Text(200, page(&[raw(Kind::Agent, "n", "b", 6)], 7, None)));
    server.on(&format!("{ALL}&continue=x"), status(410, "Expired", "too old"));
    let (_folder, client) = client(&server, |_| {}).await;
    assert_eq!(names(&client.list(Kind::Agent, None).await.unwrap()), ["n/b"]);
}

#[tokio::test]
async fn what_may_be_read_is_read_where_the_whole_may_not() {
    let server = Server::start().await;
    server.on(ALL, status(403, "Forbidden", "no"));
    server.on("/api/v1/namespaces", status(403, "Forbidden", "no"));
    for namespace in ["kgents-ephemeral", "kgents-system", "default"] {
        server.on(&one(namespace), status(403, "Forbidden", "no"));
    }
    server.on(&one("kgents-agents"), Answer::Text(200, page(&[raw(Kind::Agent, "kgents-agents", "a", 1)], 5, None)));
    let (_folder, client) = client(&server, |_| {}).await;
    let listed = client.list(Kind::Agent, None).await.unwrap();
    assert_eq!(names(&listed), ["kgents-agents/a"]);
    assert_eq!(listed.refused, ["default", "kgents-ephemeral", "kgents-system"]);
    server.now(&one("kgents-agents"), status(403, "Forbidden", "no"));
    let error = client.list(Kind::Agent, None).await.unwrap_err();
    assert!(matches!(error, SourceError::Forbidden { namespace: None, .. }), "{error}");
}

#[tokio::test]
async fn a_name_is_looked_for_where_the_client_looks() {
    let server = Server::start().await;
    let (a, b) = (raw(Kind::Agent, "x", "b", 1), raw(Kind::Agent, "y", "b", 2));
    server.on(ALL, Answer::Text(200, page(std::slice::from_ref(&a), 5, None)));
    server.on(ALL, Answer::Text(200, page(&[a.clone(), b], 5, None)));
    server.on(ALL, Answer::Text(200, page(&[], 5, None)));
    server.on(&format!("{}/b", one("x")), Answer::Text(200, a.to_string()));
    let (_folder, whole) = client(&server, |_| {}).await;
    assert_eq!(whole.get(Kind::Agent, None, "b").await.unwrap().key.to_string(), "x/b");
    assert!(server.heads()[0].contains("fieldSelector=metadata.name%3Db"), "{:?}", server.heads());
    let error = whole.get(Kind::Agent, None, "b").await.unwrap_err();
    assert!(matches!(&error, SourceError::Ambiguous { namespaces, .. } if namespaces == &["x", "y"]), "{error}");
    let error = whole.get(Kind::Agent, None, "b").await.unwrap_err();
    assert!(matches!(error, SourceError::NotFound { .. }), "{error}");
    assert_eq!(whole.get(Kind::Agent, Some("x"), "b").await.unwrap().resource_version, "1");
    assert_eq!(whole.default_namespace(), "kgents-agents");
    let (_folder, part) = client(&server, |options| options.namespace = Some("x".into())).await;
    assert_eq!(part.get(Kind::Agent, None, "b").await.unwrap().key.to_string(), "x/b");
    assert_eq!((part.default_namespace(), part.scene().namespace.as_deref()), ("x", Some("x")));
    let error = part.get(Kind::Agent, None, "../secrets/s").await.unwrap_err();
    assert!(matches!(error, SourceError::Invalid { .. }), "{error}");
}

#[tokio::test]
async fn our_pods_and_deployments_are_told_by_their_label() {
    let server = Server::start().await;
    server.on("/api/v1/pods", Answer::Text(200, page(&[raw(Kind::Pod, "n", "p", 1)], 5, None)));
    let (_folder, client) = client(&server, |_| {}).await;
    assert_eq!(names(&client.list(Kind::Pod, Some("a=b")).await.unwrap()), ["n/p"]);
    assert!(server.heads()[0].contains("labelSelector=kgents.io%2Fagent%2Ca%3Db"), "{:?}", server.heads());
    assert_eq!(client.server_version().await.unwrap(), "v1.2.3");
}

#[tokio::test]
async fn an_expired_client_certificate_is_named_when_we_are_refused() {
    let server = Server::start().await;
    server.on(ALL, status(401, "Unauthorized", "Unauthorized"));
    let (folder, options) = server.kubeconfig();
    let path: PathBuf = options.kubeconfig.clone().unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    write("c.pem", crate::kube::testing::EXPIRED);
    write("k.pem", crate::kube::testing::KEY);
    let mut config: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
    config["users"][0]["user"] = json!({ "client-certificate": "c.pem", "client-key": "k.pem" });
    std::fs::write(&path, config.to_string()).unwrap();
    let error = Client::connect(&options).await.unwrap().list(Kind::Agent, None).await.unwrap_err();
    assert!(error.to_string().ends_with("the client certificate expired on 2020-01-02T00:00:00Z"), "{error}");
}
