//! The credential plugin (`exec`) of a kubeconfig.
//!
//! kube would run it three times for each client, without a time limit, and
//! with our standard input and error unless the kubeconfig says
//! `interactiveMode: Never`: it would eat keys and tear the frame. So it runs
//! here: once, captured, without input, for a limited time; what it says is
//! put in its place before kube sees the configuration.

use std::process::Stdio;
use std::time::Duration;

use ::kube::config::{AuthInfo, Config, ExecConfig, ExecInteractiveMode};
use jiff::Timestamp;
use k8s_openapi::ByteString;
use serde::{Deserialize, Serialize};
use tokio::process::Command;

use super::words;
use crate::error::{SourceError, quoted};

/// How long a plugin may take. Some wait for a person in a browser.
const LIMIT: Duration = Duration::from_secs(120);

/// What is told to the plugin.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Question<'a> {
    api_version: Option<&'a str>,
    kind: &'static str,
    spec: QuestionSpec<'a>,
}

#[derive(Serialize)]
struct QuestionSpec<'a> {
    interactive: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    cluster: Option<&'a ::kube::config::ExecAuthCluster>,
}

/// What it answers.
#[derive(Deserialize)]
struct Answer {
    status: Option<Status>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Status {
    expiration_timestamp: Option<Timestamp>,
    token: Option<String>,
    client_certificate_data: Option<String>,
    client_key_data: Option<String>,
}

/// Runs the plugin if the configuration has one that counts, and puts its
/// credentials in its place. Returns when they expire, if they do.
pub(crate) async fn settle(config: &mut Config) -> Result<Option<Timestamp>, SourceError> {
    // What comes before a plugin in kube's order wins over it.
    let auth = &config.auth_info;
    let other = auth.auth_provider.is_some()
        || (auth.username.is_some() && auth.password.is_some())
        || auth.token.is_some()
        || auth.token_file.is_some();
    let Some(exec) = config.auth_info.exec.take().filter(|_| !other) else { return Ok(None) };
    let status = run(&exec, LIMIT).await?;
    let nothing = || failed(&exec, "its answer holds neither a token nor a certificate with its key".to_owned());
    put(&mut config.auth_info, status).ok_or_else(nothing)
}

/// Whether connecting again may give other credentials from the same files.
pub(crate) fn can_renew(config: &Config) -> bool {
    config.auth_info.exec.is_some() || config.auth_info.auth_provider.is_some()
}

/// The command that would run, as a person types it.
pub(crate) fn command_of(config: &Config) -> Option<String> {
    config.auth_info.exec.as_ref().map(line)
}

#[allow(clippy::option_option, reason = "the outer says whether there were credentials, the inner when they end")]
fn put(auth: &mut AuthInfo, status: Status) -> Option<Option<Timestamp>> {
    let Status { expiration_timestamp, token, client_certificate_data, client_key_data } = status;
    let pair = client_certificate_data.zip(client_key_data);
    if token.is_none() && pair.is_none() {
        return None;
    }
    if let Some((certificate, key)) = pair {
        auth.client_certificate_data = Some(base64(certificate));
        auth.client_key_data = Some(base64(key).into());
    }
    auth.token = token.map(Into::into);
    Some(expiration_timestamp)
}

fn base64(text: String) -> String {
    match serde_json::to_value(ByteString(text.into_bytes())) {
        Ok(serde_json::Value::String(text)) => text,
        _ => String::new(),
    }
}

async fn run(exec: &ExecConfig, limit: Duration) -> Result<Status, SourceError> {
    let failed = |problem: String| failed(exec, problem);
    let program = exec.command.as_deref().filter(|command| !command.is_empty());
    let program = program.ok_or_else(|| failed("the kubeconfig names no command".to_owned()))?;
    let question = Question {
        api_version: exec.api_version.as_deref(),
        kind: "ExecCredential",
        spec: QuestionSpec { interactive: false, cluster: exec.cluster.as_ref().filter(|_| exec.provide_cluster_info) },
    };
    let question = serde_json::to_string(&question).map_err(|error| failed(error.to_string()))?;
    let variables = exec.env.iter().flatten().filter_map(|pair| Some((pair.get("name")?, pair.get("value")?)));
    let mut command = Command::new(program);
    command
        .args(exec.args.iter().flatten())
        .envs(variables)
        .env("KUBERNETES_EXEC_INFO", question)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    let output = match tokio::time::timeout(limit, command.output()).await {
        Ok(Ok(output)) => output,
        Ok(Err(error)) => {
            let hint = exec.install_hint.as_deref().map(words::clean).filter(|hint| !hint.is_empty());
            let hint = hint.map(|hint| format!(" ({hint})")).unwrap_or_default();
            return Err(failed(format!("it cannot be started: {}{hint}", words::clean(&error.to_string()))));
        }
        Err(_) => return Err(failed(format!("it did not end within {limit:?}"))),
    };
    if !output.status.success() {
        let said = words::clean(&String::from_utf8_lossy(&output.stderr));
        let person = if exec.interactive_mode == Some(ExecInteractiveMode::Always) {
            "; the kubeconfig says that it needs a person, so run it by hand first"
        } else {
            ""
        };
        return Err(failed(format!("{}: {said}{person}", output.status)));
    }
    // Most answer in JSON, some in YAML, of which JSON is a part. The text of
    // the error may hold the secret, so only its place is told.
    let answer: Answer = serde_saphyr::from_slice(&output.stdout).map_err(|error| {
        let at = error.location().map(|at| format!(" at line {}", at.line())).unwrap_or_default();
        failed(format!("its answer cannot be read{at}"))
    })?;
    answer.status.ok_or_else(|| failed("its answer holds no status".to_owned()))
}

fn failed(exec: &ExecConfig, problem: String) -> SourceError {
    SourceError::Plugin { command: line(exec), problem }
}

fn line(exec: &ExecConfig) -> String {
    let words = exec.command.iter().chain(exec.args.iter().flatten());
    words::clean(&words.map(|word| quoted(word)).collect::<Vec<_>>().join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> ExecConfig {
        ExecConfig {
            api_version: Some("client.authentication.k8s.io/v1".into()),
            command: Some("sh".into()),
            args: Some(vec!["-c".into(), script.into()]),
            ..ExecConfig::default()
        }
    }

    fn config(exec: ExecConfig) -> Config {
        let mut config = Config::new(http::Uri::from_static("https://127.0.0.1:1"));
        config.auth_info.exec = Some(exec);
        config
    }

    async fn error(exec: ExecConfig) -> String {
        settle(&mut config(exec)).await.unwrap_err().to_string()
    }

    #[tokio::test]
    async fn a_token_takes_the_place_of_the_plugin() {
        let script = r#"echo '{"status": {"token": "t", "expirationTimestamp": "2030-01-01T00:00:00Z"}}'"#;
        let mut config = config(shell(script));
        let end = settle(&mut config).await.unwrap();
        assert_eq!(end, Some("2030-01-01T00:00:00Z".parse().unwrap()));
        assert!(config.auth_info.token.is_some() && config.auth_info.exec.is_none());
        assert_eq!(settle(&mut config).await, Ok(None), "it is not asked again");
    }

    #[tokio::test]
    async fn a_certificate_takes_the_place_of_the_plugin() {
        let mut config = config(shell("printf 'status: {clientCertificateData: cert, clientKeyData: key}'"));
        assert_eq!(settle(&mut config).await, Ok(None));
        assert_eq!(config.auth_info.client_certificate_data.as_deref(), Some("Y2VydA=="));
        assert!(config.auth_info.client_key_data.is_some() && config.auth_info.token.is_none());
    }

    #[tokio::test]
    async fn it_has_no_input_knows_so_and_is_told_its_environment() {
        let script = r#"
            cat >&2
            case $KUBERNETES_EXEC_INFO in *'"interactive":false'*) ;; *) exit 9;; esac
            case $KUBERNETES_EXEC_INFO in *'"client.authentication.k8s.io/v1"'*) ;; *) exit 8;; esac
            echo "{\"status\": {\"token\": \"$WHO\"}}""#;
        let mut exec = shell(script);
        exec.interactive_mode = Some(ExecInteractiveMode::IfAvailable);
        exec.env = Some(vec![[("name".into(), "WHO".into()), ("value".into(), "me".into())].into()]);
        assert_eq!(settle(&mut config(exec)).await, Ok(None));
    }

    #[tokio::test]
    async fn what_goes_wrong_is_said_with_what_it_said() {
        let mut always = shell("echo log in first >&2; exit 3");
        always.interactive_mode = Some(ExecInteractiveMode::Always);
        let text = error(always).await;
        assert!(text.contains("exit status: 3: log in first; the kubeconfig says that it needs a person"), "{text}");
        let mut missing = shell("");
        missing.command = Some("no-such-plugin-of-kgents".into());
        missing.install_hint = Some("brew install\u{1b}[2J it".into());
        let text = error(missing).await;
        assert!(text.contains("cannot be started") && text.contains("(brew install␛[2J it)"), "{text}");
        assert!(error(shell("echo '{}'")).await.contains("holds no status"));
        assert!(error(shell("echo '{\"status\": {}}'")).await.contains("neither a token nor"));
        let text = error(shell("echo '{\"status\": {\"token\": {\"s3cret\": 1}}}'")).await;
        assert!(text.contains("cannot be read"), "{text}");
        let hint = settle(&mut config(shell("exit 1"))).await.unwrap_err().hint();
        assert_eq!(hint.as_deref(), Some("sh -c 'exit 1'"));
    }

    #[tokio::test]
    async fn one_that_hangs_is_stopped() {
        let error = run(&shell("exec sleep 60"), Duration::from_millis(100)).await.err().unwrap();
        assert!(error.to_string().contains("did not end within 100ms"), "{error}");
    }
}
