//! `kgents cortex`: the daemon that answers over gRPC.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use kgents_cortex::{Bound, CortexError};
use kgents_source::{Options, grpc};
use kgents_store::{Layer, bus};
use serde_json::json;
use tokio_util::sync::CancellationToken;

use crate::args::Global;
use crate::command::version::OURS;
use crate::failure::{Code, Failure};
use crate::io::{self, Io};
use crate::runtime::{aside, block_on};
use crate::{follow, output, value};

const HELP: &str = "\
Examples:
  kgents cortex serve                          # for everything on this machine
  kgents cortex serve --listen 127.0.0.1:0     # any free port
  kgents cortex serve --socket /run/cortex.sock
  KGENTS_CORTEX_TOKEN_FILE=token kgents cortex serve --listen 0.0.0.0:50051

Every other command asks it first, over its socket and then its port. It reads
all namespaces of one context, and answers kgents.cortex.v1, kgents.logos.v1,
health and reflection. Over TCP it asks for the token of cortex.token or
cortex.token_file, if one is set (see kgents config); an address that other
machines can reach needs one. It ends at ctrl-c or SIGTERM.

Clients made with gRPC's C core (Python, Ruby, C++) reach the socket only with
the channel option grpc.default_authority=localhost; the port as they are.";

/// How long it waits for its cluster before it lets anybody in.
const PATIENCE: Duration = Duration::from_secs(3);

/// What can be said to it.
#[derive(clap::Args, Debug)]
#[command(after_help = HELP)]
pub(crate) struct Args {
    #[command(subcommand)]
    action: Action,
}

/// What is done.
#[derive(clap::Subcommand, Debug)]
enum Action {
    /// Watch the cluster and answer until stopped.
    #[command(after_help = HELP)]
    Serve(Serve),
}

#[derive(clap::Args, Debug)]
struct Serve {
    /// Where to listen; may be given several times [default: 127.0.0.1:50051].
    #[arg(long, value_name = "ADDR", value_parser = address)]
    listen: Vec<SocketAddr>,
    /// The unix socket to listen on [default: cortex.sock in the runtime directory, or in ~/.kgents/run].
    #[arg(long, value_name = "PATH")]
    socket: Option<PathBuf>,
    /// Say where it listens as JSON.
    #[arg(long)]
    json: bool,
}

fn address(text: &str) -> Result<SocketAddr, String> {
    value::address(text, "127.0.0.1:50051")
}

/// Serves until stopped.
pub(crate) fn run(args: &Args, global: &Global, io: &mut Io<'_>) -> Result<Code, Failure> {
    let Action::Serve(args) = &args.action;
    let listen =
        if args.listen.is_empty() { vec![([127, 0, 0, 1], grpc::DEFAULT_PORT).into()] } else { args.listen.clone() };
    let options = kgents_cortex::Options {
        listen,
        socket: args.socket.clone().or_else(grpc::default_socket),
        token: global.settings().cortex_token().map(str::to_owned),
        version: OURS,
        patience: PATIENCE,
    };
    // What it answers must not depend on who started it where: all that may be
    // read of the context, from the cluster itself.
    let source = Options {
        namespace: None,
        all_namespaces: true,
        layer: Some(Layer::Kube),
        keep_ghost: false,
        ..global.source()
    };
    let (bus, reader) = bus::new();
    let (cancel, stopped) = (CancellationToken::new(), CancellationToken::new());
    let feeding = {
        let cancel = cancel.clone();
        aside("source", async move { follow::supervise(source, bus, cancel).await })?
    };
    let done = block_on(async {
        let mut said = Ok(());
        let Io { out, err } = io;
        let ready = |bound: &Bound| {
            for warning in &bound.warnings {
                let _ = writeln!(err, "warning: {warning}");
            }
            said = tell(*out, bound, args.json);
        };
        let server = kgents_cortex::serve(reader, options, ready, stopped.clone());
        let end = async {
            io::interrupted().await;
            stopped.cancel();
            std::future::pending::<()>().await;
        };
        let ended = tokio::select! {
            ended = server => ended,
            () = end => Ok(()),
        };
        ended.map_err(|error| failure(&error))?;
        said
    });
    cancel.cancel();
    feeding.wait();
    done.map(|()| Code::Ok)
}

fn tell(out: &mut dyn std::io::Write, bound: &Bound, json: bool) -> Result<(), Failure> {
    if json {
        output::line(out, &json!({ "listen": bound.tcp, "socket": bound.socket }))?;
    } else {
        let tcp = bound.tcp.iter().map(ToString::to_string);
        let socket = bound.socket.iter().map(|path| path.display().to_string());
        writeln!(out, "The Cortex listens at {}.", tcp.chain(socket).collect::<Vec<_>>().join(" and "))?;
    }
    Ok(out.flush()?)
}

fn failure(error: &CortexError) -> Failure {
    let code = match error {
        CortexError::NoToken { .. } | CortexError::BadToken | CortexError::Nowhere => Code::Usage,
        _ => Code::Failed,
    };
    let hint = match error {
        CortexError::NoToken { .. } | CortexError::BadToken => "kgents config --help",
        CortexError::InUse { .. } => "kgents cortex serve --listen 127.0.0.1:0",
        _ => "kgents doctor",
    };
    Failure::new(error.to_string()).hint(hint).code(code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_in_every_form() {
        for (text, expected) in [
            ("127.0.0.1:1", "127.0.0.1:1"),
            (":7", "127.0.0.1:7"),
            ("[::1]:9", "[::1]:9"),
            ("localhost:5", "127.0.0.1:5"),
        ] {
            assert_eq!(address(text).map(|address| address.to_string()), Ok(expected.to_owned()), "{text}");
        }
        for text in ["", "127.0.0.1", "x:y", "1.2.3.4:99999"] {
            assert!(address(text).unwrap_err().contains("127.0.0.1:50051"), "{text}");
        }
    }
}
