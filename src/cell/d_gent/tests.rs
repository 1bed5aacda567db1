use std::os::unix::fs::PermissionsExt;

use super::*;
use crate::testing::Running;

async fn keeper() -> (tempfile::TempDir, Running) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().to_owned();
    let running = Running::start(|listener, stop| serve(listener, path, stop)).await;
    (folder, running)
}

#[tokio::test]
async fn a_value_goes_around() {
    let (folder, gent) = keeper().await;
    assert_eq!(gent.get("/v1/state").await.json(), json!({ "keys": [] }));
    assert_eq!(gent.ask("PUT", "/v1/state/plan", b"one").await.status, 201);
    assert_eq!(gent.ask("PUT", "/v1/state/plan", b"\0two\xff").await.status, 204);
    let answer = gent.get("/v1/state/plan").await;
    assert_eq!((answer.status, answer.body.as_slice()), (200, &b"\0two\xff"[..]));
    assert_eq!(gent.get("/v1/state").await.json(), json!({ "keys": ["plan"] }));
    gent.end().await;

    // Another one finds it where this one has left it.
    let path = folder.path().to_owned();
    let gent = Running::start(|listener, stop| serve(listener, path, stop)).await;
    assert_eq!(gent.get("/v1/state/plan").await.body, b"\0two\xff");
    assert_eq!(gent.ask("DELETE", "/v1/state/plan", b"").await.status, 204);
    let lost = gent.get("/v1/state/plan").await;
    assert_eq!((lost.status, lost.json()["try"].as_str()), (404, Some("GET /v1/state lists the keys")));
    gent.end().await;
}

#[tokio::test]
async fn what_cannot_be_done_is_said() {
    let (folder, gent) = keeper().await;
    for (method, path, body, status, expected) in [
        ("PUT", "/v1/state/Plan", &b"x"[..], 400, "is no key"),
        ("GET", "/v1/state/..%2F..%2Fetc%2Fpasswd", b"", 400, "is no key"),
        ("GET", "/v1/state/%2e%2e", b"", 400, "is no key"),
        ("PUT", "/v1/state/x", &vec![0; LARGEST + 1], 413, "larger than 1048576"),
        ("GET", "/v1/state/x", b"", 404, "no key 'x'"),
        ("GET", "/v2", b"", 404, "nothing at this path"),
    ] {
        let answer = gent.ask(method, path, body).await;
        assert_eq!(answer.status, status, "{method} {path}: {}", answer.text());
        assert!(answer.json()["error"].as_str().unwrap().contains(expected), "{path}: {}", answer.text());
    }
    assert_eq!(gent.ask("POST", "/v1/state/x", b"").await.status, 405);
    assert_eq!(gent.ask("PUT", "/v1/state/x", &vec![0; LARGEST]).await.status, 201);
    std::fs::write(folder.path().join("x"), "torn").unwrap();
    let answer = gent.get("/v1/state/x").await;
    assert_eq!((answer.status, answer.json()["try"].as_str()), (500, Some("PUT the value again, or DELETE the key")));
    gent.end().await;
}

#[tokio::test]
async fn it_is_ready_while_its_folder_can_be_written() {
    let (folder, gent) = keeper().await;
    assert_eq!(gent.get("/readyz").await.status, 200);
    let moved = folder.path().with_extension("moved");
    std::fs::rename(folder.path(), &moved).unwrap();
    let answer = gent.get("/readyz").await;
    assert_eq!((answer.status, gent.get("/healthz").await.status), (503, 200));
    assert!(answer.json()["error"].as_str().unwrap().contains("cannot be written"), "{}", answer.text());
    std::fs::rename(&moved, folder.path()).unwrap();
    assert_eq!(gent.get("/readyz").await.status, 200);
    gent.end().await;
}

#[tokio::test]
async fn a_folder_of_others_is_refused_with_a_hint() {
    let (folder, gent) = keeper().await;
    std::fs::set_permissions(folder.path(), PermissionsExt::from_mode(0o500)).unwrap();
    let answer = gent.ask("PUT", "/v1/state/x", b"x").await;
    // Root may write everywhere.
    if answer.status != 201 {
        assert_eq!(answer.status, 500);
        assert!(answer.json()["try"].as_str().unwrap().contains("id -u"), "{}", answer.text());
    }
    gent.end().await;
}

#[tokio::test]
async fn many_writers_leave_one_whole_value() {
    let (_folder, gent) = keeper().await;
    let values: Vec<Vec<u8>> = (0..40_u8).map(|value| vec![value; 100_000]).collect();
    let mut writers = tokio::task::JoinSet::new();
    for value in values.clone() {
        let address = gent.address;
        writers.spawn(async move { crate::testing::ask(address, "PUT", "/v1/state/x", &value).await.status });
    }
    while let Some(status) = writers.join_next().await {
        assert!([201, 204].contains(&status.unwrap()));
    }
    let last = gent.get("/v1/state/x").await.body;
    assert!(values.contains(&last), "{} bytes", last.len());
    gent.end().await;
}
