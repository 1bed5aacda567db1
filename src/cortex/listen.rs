//! Where the Cortex listens.

use std::fs::{self, DirBuilder, Permissions};
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::os::unix::fs::{DirBuilderExt, FileTypeExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::net::{TcpListener, TcpSocket, UnixListener, UnixSocket, UnixStream};

use crate::auth;
use crate::error::CortexError;

/// How many connections may wait to be accepted.
const BACKLOG: u32 = 1_024;
/// How long a socket that is there may take to accept.
const PROBE: Duration = Duration::from_millis(500);

/// Where it listens and what it is.
#[derive(Clone)]
pub struct Options {
    /// TCP addresses; may be empty. Those that are not loopback need a token.
    pub listen: Vec<SocketAddr>,
    /// A unix socket: its folder is made if need be (mode 0700), a socket to
    /// which nobody listens is replaced, and nothing else is ever removed.
    pub socket: Option<PathBuf>,
    /// What callers over TCP must show as `authorization: Bearer TOKEN`.
    pub token: Option<String>,
    /// The version of kgents that answers.
    pub version: &'static str,
    /// How long nobody is let in until the cluster was heard, so that the first
    /// answers are whole ones. Who comes earlier is refused at once.
    pub patience: Duration,
}

/// Where it does listen.
#[derive(Clone, Debug, Default)]
pub struct Bound {
    /// TCP addresses with their real ports.
    pub tcp: Vec<SocketAddr>,
    /// The unix socket.
    pub socket: Option<PathBuf>,
    /// What was asked for and could not be had, a sentence each.
    pub warnings: Vec<String>,
}

/// What was bound, but is not listened on yet.
#[derive(Default)]
pub(crate) struct Ears {
    tcp: Vec<TcpSocket>,
    socket: Option<(UnixSocket, SocketFile)>,
    bound: Bound,
}

/// What is listened on.
pub(crate) struct Listening {
    pub(crate) tcp: Vec<TcpListener>,
    pub(crate) socket: Option<(UnixListener, SocketFile)>,
    pub(crate) bound: Bound,
}

impl Ears {
    /// Begins to listen.
    pub(crate) fn listen(self) -> Result<Listening, CortexError> {
        let Self { tcp, socket, bound } = self;
        let listen = |(socket, address): (TcpSocket, &SocketAddr)| {
            socket.listen(BACKLOG).map_err(|error| refused(*address, error))
        };
        let tcp = tcp.into_iter().zip(&bound.tcp).map(listen).collect::<Result<_, _>>()?;
        let listen = |(socket, file): (UnixSocket, SocketFile)| match socket.listen(BACKLOG) {
            Ok(listener) => Ok((listener, file)),
            Err(error) => Err(CortexError::Socket {
                why: format!("the socket {} cannot be listened on: {error}", file.path.display()),
            }),
        };
        Ok(Listening { tcp, socket: socket.map(listen).transpose()?, bound })
    }
}

fn refused(address: SocketAddr, error: std::io::Error) -> CortexError {
    match error.kind() {
        ErrorKind::AddrInUse => CortexError::InUse { address },
        _ => CortexError::Bind { address, error },
    }
}

/// A socket file of ours. It goes when this goes, unless it is another's by
/// then.
pub(crate) struct SocketFile {
    path: PathBuf,
    /// Device and inode.
    id: (u64, u64),
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        if identity(&self.path) == Some(self.id)
            && let Err(error) = fs::remove_file(&self.path)
        {
            tracing::warn!(path = %self.path.display(), %error, "the socket stays behind");
        }
    }
}

/// Device and inode of a socket; `None` if there is none at this path.
fn identity(path: &Path) -> Option<(u64, u64)> {
    let meta = fs::symlink_metadata(path).ok()?;
    meta.file_type().is_socket().then(|| (meta.dev(), meta.ino()))
}

/// Binds everything, once nothing speaks against any of it.
pub(crate) async fn bind(options: &Options) -> Result<Ears, CortexError> {
    if options.listen.is_empty() && options.socket.is_none() {
        return Err(CortexError::Nowhere);
    }
    match &options.token {
        Some(token) if !auth::is_sendable(token) => return Err(CortexError::BadToken),
        Some(_) => {}
        None => {
            // Loopback written as IPv6 (::ffff:127.0.0.1) is loopback.
            if let Some(address) = options.listen.iter().find(|address| !address.ip().to_canonical().is_loopback()) {
                return Err(CortexError::NoToken { address: *address });
            }
        }
    }
    let mut ears = Ears::default();
    for &address in &options.listen {
        let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() };
        let bound = socket.and_then(|socket| {
            // So that one that has just ended does not keep its port.
            socket.set_reuseaddr(true)?;
            socket.bind(address)?;
            Ok((socket.local_addr()?, socket))
        });
        let (address, socket) = bound.map_err(|error| refused(address, error))?;
        ears.bound.tcp.push(address);
        ears.tcp.push(socket);
    }
    if let Some(path) = &options.socket {
        match socket(path).await {
            Ok(socket) => {
                ears.socket = Some(socket);
                ears.bound.socket = Some(path.clone());
            }
            Err(why) if ears.tcp.is_empty() => return Err(CortexError::Socket { why }),
            Err(why) => ears.bound.warnings.push(why),
        }
    }
    Ok(ears)
}

/// Makes a unix socket, or says in a sentence why not.
async fn socket(path: &Path) -> Result<(UnixSocket, SocketFile), String> {
    let cannot = |what: &str, error: std::io::Error| format!("the socket {} {what}: {error}", path.display());
    if let Some(parent) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        let made = DirBuilder::new().recursive(true).mode(0o700).create(parent);
        made.map_err(|error| cannot("has no folder and none can be made", error))?;
    }
    make_way(path).await?;
    let socket = UnixSocket::new_stream().map_err(|error| cannot("cannot be made", error))?;
    socket.bind(path).map_err(|error| cannot("cannot be made", error))?;
    let file = SocketFile { path: path.to_owned(), id: identity(path).unwrap_or_default() };
    // Nobody can connect before it listens, so nobody comes in before this.
    fs::set_permissions(path, Permissions::from_mode(0o600))
        .map_err(|error| cannot("cannot be kept private", error))?;
    Ok((socket, file))
}

/// Removes a socket to which nobody listens any more. Whatever else stands
/// there stays.
async fn make_way(path: &Path) -> Result<(), String> {
    let shown = path.display();
    let meta = match fs::symlink_metadata(path) {
        Ok(meta) => meta,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(format!("the socket {shown} cannot be looked at: {error}")),
    };
    if !meta.file_type().is_socket() {
        return Err(format!("{shown} is there and is no socket, so it stays: move it away, or choose another socket"));
    }
    match tokio::time::timeout(PROBE, UnixStream::connect(path)).await {
        Ok(Err(error)) if error.kind() == ErrorKind::ConnectionRefused => {
            fs::remove_file(path).map_err(|error| format!("the socket {shown} is stale and cannot be removed: {error}"))
        }
        Ok(Err(error)) if error.kind() == ErrorKind::NotFound => Ok(()),
        Ok(Err(error)) => Err(format!("the socket {shown} cannot be asked whether somebody listens: {error}")),
        Ok(Ok(_)) | Err(_) => {
            Err(format!("somebody listens on the socket {shown} already (another Cortex?): stop it, or choose another"))
        }
    }
}
