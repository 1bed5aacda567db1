//! Kubeconfigs.

use serde_json::{Value, json};

/// One for this server, as nobody in particular.
pub fn anonymous(server: &str) -> String {
    with_user(server, &json!({}))
}

/// One for this server and a user with these credentials.
pub fn with_user(server: &str, user: &Value) -> String {
    json!({
        "apiVersion": "v1", "kind": "Config", "current-context": "here",
        "contexts": [{ "name": "here", "context": { "cluster": "here", "user": "me" } }],
        "clusters": [{ "name": "here", "cluster": { "server": server } }],
        "users": [{ "name": "me", "user": user }],
    })
    .to_string()
}

/// The same, with a namespace in its only context.
pub fn in_namespace(kubeconfig: &str, namespace: &str) -> String {
    let mut value = read(kubeconfig);
    value["contexts"][0]["context"]["namespace"] = namespace.into();
    value.to_string()
}

/// The same, whose server is reached through a proxy.
pub fn through_proxy(kubeconfig: &str, proxy: &str) -> String {
    let mut value = read(kubeconfig);
    value["clusters"][0]["cluster"]["proxy-url"] = proxy.into();
    value.to_string()
}

/// The same, whose credentials come from a plugin: a shell script that finds
/// the answer that it should give in `$ANSWER`.
pub fn from_plugin(kubeconfig: &str, script: &str) -> String {
    let mut value = read(kubeconfig);
    let user = &value["users"][0]["user"];
    let status = json!({
        "clientCertificateData": decoded(&user["client-certificate-data"]),
        "clientKeyData": decoded(&user["client-key-data"]),
    });
    let api = "client.authentication.k8s.io/v1";
    let answer = json!({ "apiVersion": api, "kind": "ExecCredential", "status": status }).to_string();
    value["users"][0]["user"] = json!({ "exec": {
        "apiVersion": api, "command": "sh", "args": ["-c", script], "interactiveMode": "IfAvailable",
        "env": [{ "name": "ANSWER", "value": answer }],
    } });
    value.to_string()
}

/// The same server, for whoever has this token.
pub fn with_token(kubeconfig: &str, token: &str) -> String {
    let mut value = read(kubeconfig);
    value["users"][0]["user"] = json!({ "token": token });
    value.to_string()
}

fn read(kubeconfig: &str) -> Value {
    serde_saphyr::from_str(kubeconfig).unwrap()
}

/// Base64, as k8s-openapi reads it.
fn decoded(text: &Value) -> String {
    let bytes: k8s_openapi::ByteString = serde_json::from_value(text.clone()).unwrap();
    String::from_utf8(bytes.0).unwrap()
}
