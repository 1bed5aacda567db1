use std::fs;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};

use futures::stream;
use kgents_wire::cortex as wire;
use kgents_wire::cortex::cortex_client::CortexClient;
use tempfile::tempdir;
use tokio::net::UnixListener;
use tonic::metadata::MetadataValue;
use tonic::service::Interceptor;
use tonic::transport::Channel;
use tonic::{Code, Request, Status};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;
use tonic_reflection::pb::{v1, v1alpha};

use super::support::{Client, Daemon, options, soon};
use crate::server::GRACE;
use crate::state::Limits;
use crate::{CortexError, Options};

fn describe() -> wire::DescribeRequest {
    wire::DescribeRequest {}
}

fn showing(token: &str) -> impl Interceptor + use<> {
    let value: MetadataValue<_> = format!("Bearer {token}").parse().unwrap();
    move |mut request: Request<()>| {
        request.metadata_mut().insert("authorization", value.clone());
        Ok::<_, Status>(request)
    }
}

async fn refused(options: Options) -> CortexError {
    Daemon::on(tempdir().unwrap(), Limits::default(), options).await.err().expect("this must not start")
}

#[tokio::test]
async fn a_token_is_asked_for_over_tcp_and_not_on_the_socket() {
    let daemon = Daemon::with(Limits::default(), Some("secret")).await;
    assert_eq!(soon(daemon.cortex().await.describe(describe())).await.unwrap().into_inner().version, "0.0.0-test");

    let tcp = daemon.tcp().await;
    let refused = soon(CortexClient::new(tcp.clone()).describe(describe())).await.unwrap_err();
    assert_eq!(refused.code(), Code::Unauthenticated);
    assert!(refused.message().contains("authorization: Bearer"), "{refused}");
    let refused = soon(CortexClient::new(tcp.clone()).watch(wire::WatchRequest::default())).await.unwrap_err();
    assert_eq!(refused.code(), Code::Unauthenticated);
    let refused = soon(HealthClient::new(tcp.clone()).check(HealthCheckRequest::default())).await.unwrap_err();
    assert_eq!(refused.code(), Code::Unauthenticated, "health and reflection stand behind it too");
    let wrong = soon(CortexClient::with_interceptor(tcp.clone(), showing("secreT")).describe(describe())).await;
    assert_eq!(wrong.unwrap_err().code(), Code::Unauthenticated);
    soon(CortexClient::with_interceptor(tcp, showing("secret")).describe(describe())).await.unwrap();
}

#[tokio::test]
async fn loopback_needs_no_token() {
    let daemon = Daemon::start().await;
    let address = daemon.bound.tcp[0];
    assert!(address.ip().is_loopback() && address.port() != 0);
    soon(CortexClient::new(daemon.tcp().await).describe(describe())).await.unwrap();
}

#[tokio::test]
async fn where_others_reach_it_it_does_not_start_without_a_token() {
    let dir = tempdir().unwrap();
    for address in ["0.0.0.0:0", "[::]:0", "192.0.2.1:50051"] {
        let address = address.parse().unwrap();
        let error =
            refused(Options { listen: vec!["127.0.0.1:0".parse().unwrap(), address], ..options(dir.path(), None) })
                .await;
        assert!(matches!(error, CortexError::NoToken { address: named } if named == address), "{error}");
        assert!(error.to_string().contains("refuses to start"), "{error}");
    }
    assert!(!dir.path().join("run").exists(), "nothing was touched");
    let error = refused(options(dir.path(), Some(""))).await;
    assert!(matches!(error, CortexError::BadToken), "{error}");
    let error = refused(Options {
        listen: vec![],
        socket: None,
        token: None,
        version: "",
        patience: std::time::Duration::ZERO,
    })
    .await;
    assert!(matches!(error, CortexError::Nowhere), "{error}");

    let everywhere = Options { listen: vec!["0.0.0.0:0".parse().unwrap()], ..options(dir.path(), Some("secret")) };
    Daemon::on(tempdir().unwrap(), Limits::default(), everywhere).await.unwrap();
}

#[tokio::test]
async fn an_address_that_cannot_be_had_is_named() {
    let daemon = Daemon::start().await;
    let dir = tempdir().unwrap();
    let taken = daemon.bound.tcp[0];
    let error = refused(Options { listen: vec![taken], ..options(dir.path(), None) }).await;
    assert!(matches!(error, CortexError::InUse { address } if address == taken), "{error}");
    let foreign = "192.0.2.1:0".parse().unwrap();
    let error = refused(Options { listen: vec![foreign], ..options(dir.path(), Some("secret")) }).await;
    assert!(matches!(error, CortexError::Bind { address, .. } if address == foreign), "{error}");
}

#[tokio::test]
async fn a_socket_is_private_and_a_stale_one_is_replaced() {
    let dir = tempdir().unwrap();
    let options = options(dir.path(), None);
    let path = options.socket.clone().unwrap();
    fs::create_dir(path.parent().unwrap()).unwrap();
    drop(UnixListener::bind(&path).unwrap());
    assert!(fs::symlink_metadata(&path).unwrap().file_type().is_socket(), "a killed process leaves it so");
    let daemon = Daemon::on(dir, Limits::default(), options).await.unwrap();
    assert_eq!((daemon.bound.socket.as_ref(), daemon.bound.warnings.len()), (Some(&path), 0));
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    daemon.describe().await;

    let other = Daemon::start().await;
    let folder = other.path().parent().unwrap().to_owned();
    assert_eq!(fs::metadata(folder).unwrap().permissions().mode() & 0o777, 0o700);
}

#[tokio::test]
async fn a_socket_that_somebody_listens_on_is_left_to_them() {
    let daemon = Daemon::start().await;
    let both = options(daemon.dir.path(), None);
    let second = Daemon::on(tempdir().unwrap(), Limits::default(), both.clone()).await.unwrap();
    assert_eq!(second.bound.socket, None);
    assert!(second.bound.warnings[0].contains("somebody listens"), "{:?}", second.bound.warnings);
    let error = refused(Options { listen: vec![], ..both }).await;
    assert!(matches!(&error, CortexError::Socket { why } if why.contains("somebody listens")), "{error}");
    second.cancel.cancel();
    soon(second.task).await.unwrap().unwrap();
    daemon.describe().await;
}

#[tokio::test]
async fn what_is_no_socket_is_never_removed() {
    let dir = tempdir().unwrap();
    let file = dir.path().join("plain");
    fs::write(&file, "precious").unwrap();
    let link = dir.path().join("link");
    std::os::unix::fs::symlink(&file, &link).unwrap();
    for path in [file.clone(), link, dir.path().to_owned()] {
        let daemon = Options { socket: Some(path), ..options(dir.path(), None) };
        let daemon = Daemon::on(tempdir().unwrap(), Limits::default(), daemon).await.unwrap();
        assert!(daemon.bound.warnings[0].contains("is no socket"), "{:?}", daemon.bound.warnings);
        daemon.cancel.cancel();
        soon(daemon.task).await.unwrap().unwrap();
    }
    assert_eq!(fs::read_to_string(file).unwrap(), "precious");
    let under_a_file = Options { socket: Some(dir.path().join("plain/sock")), ..options(dir.path(), None) };
    let daemon = Daemon::on(tempdir().unwrap(), Limits::default(), under_a_file).await.unwrap();
    assert!(daemon.bound.warnings[0].contains("none can be made"), "{:?}", daemon.bound.warnings);
    let long = Options { socket: Some(dir.path().join("x".repeat(200))), ..options(dir.path(), None) };
    let daemon = Daemon::on(tempdir().unwrap(), Limits::default(), long).await.unwrap();
    assert!(daemon.bound.warnings[0].contains("cannot be made"), "{:?}", daemon.bound.warnings);
}

#[tokio::test]
async fn cancelling_ends_every_stream_and_removes_the_socket() {
    let daemon = Daemon::start().await;
    let mut client = Client::watch(&mut daemon.cortex().await, wire::WatchRequest::default()).await;
    client.until(|client| client.heard.len() == 1).await;
    // This one never ends by itself.
    let mut health = HealthClient::new(daemon.tcp().await);
    let mut health = soon(health.watch(HealthCheckRequest::default())).await.unwrap().into_inner();
    soon(health.message()).await.unwrap().unwrap();

    let path = daemon.path();
    daemon.cancel.cancel();
    const { assert!(GRACE.as_millis() < 500) };
    soon(daemon.task).await.unwrap().unwrap();
    assert!(client.maybe().await.unwrap().is_none());
    assert!(!path.exists());
    assert!(path.parent().unwrap().exists());
}

#[tokio::test]
async fn a_daemon_that_stops_leaves_the_socket_of_the_one_that_took_its_place() {
    let daemon = Daemon::start().await;
    let path = daemon.path();
    fs::remove_file(&path).unwrap();
    let other = UnixListener::bind(&path).unwrap();
    daemon.cancel.cancel();
    soon(daemon.task).await.unwrap().unwrap();
    assert!(path.exists());
    drop(other);
}

#[tokio::test]
async fn health_is_that_of_the_daemon() {
    let daemon = Daemon::start().await;
    let mut client = HealthClient::new(daemon.channel().await);
    for service in ["", "kgents.logos.v1.Logos", "kgents.cortex.v1.Cortex"] {
        let request = HealthCheckRequest { service: service.to_owned() };
        let answer = soon(client.check(request)).await.unwrap().into_inner();
        assert_eq!(answer.status().as_str_name(), "SERVING", "{service:?} although no API server answers");
    }
    let unknown = HealthCheckRequest { service: "no.such.Service".to_owned() };
    assert_eq!(soon(client.check(unknown)).await.unwrap_err().code(), Code::NotFound);
}

macro_rules! reflected {
    ($version:ident, $channel:expr) => {{
        use $version::server_reflection_client::ServerReflectionClient;
        use $version::server_reflection_request::MessageRequest;
        use $version::server_reflection_response::MessageResponse;
        let asked = [
            MessageRequest::ListServices(String::new()),
            MessageRequest::FileContainingSymbol("kgents.cortex.v1.Cortex".to_owned()),
            MessageRequest::FileContainingSymbol("kgents.logos.v1.Logos".to_owned()),
            MessageRequest::FileContainingSymbol("google.protobuf.Timestamp".to_owned()),
        ];
        let asked = asked
            .map(|request| $version::ServerReflectionRequest { host: String::new(), message_request: Some(request) });
        let mut client = ServerReflectionClient::new($channel);
        let mut answers = soon(client.server_reflection_info(stream::iter(asked))).await.unwrap().into_inner();
        let first = soon(answers.message()).await.unwrap().unwrap();
        let Some(MessageResponse::ListServicesResponse(list)) = first.message_response else { panic!("{first:?}") };
        for _ in 0..3 {
            let answer = soon(answers.message()).await.unwrap().unwrap();
            assert!(matches!(answer.message_response, Some(MessageResponse::FileDescriptorResponse(_))), "{answer:?}");
        }
        list.service.into_iter().map(|service| service.name).collect::<Vec<_>>()
    }};
}

#[tokio::test]
async fn reflection_lists_what_is_served() {
    let daemon = Daemon::start().await;
    let channel: Channel = daemon.channel().await;
    for services in [reflected!(v1, channel.clone()), reflected!(v1alpha, channel.clone())] {
        for service in ["kgents.logos.v1.Logos", "kgents.cortex.v1.Cortex", "grpc.health.v1.Health"] {
            assert!(services.iter().any(|name| name == service), "{services:?}");
        }
    }
}

#[tokio::test]
async fn a_service_that_is_not_there_is_unimplemented() {
    let daemon = Daemon::start().await;
    let mut client = tonic::client::Grpc::new(daemon.channel().await);
    soon(client.ready()).await.unwrap();
    let codec = tonic_prost::ProstCodec::<wire::DescribeRequest, wire::DescribeResponse>::default();
    let path = "/no.such/Thing".parse().unwrap();
    let refused = soon(client.unary(Request::new(describe()), path, codec)).await.unwrap_err();
    assert_eq!(refused.code(), Code::Unimplemented);
}
