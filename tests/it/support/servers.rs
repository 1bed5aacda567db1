//! Servers that are no API servers.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::thread;

/// The URL of a port at which nobody listens. It is a low one, which no other
/// test is given by chance.
pub const NOBODY: &str = "http://127.0.0.1:1";

/// The URL of a server that accepts connections and never answers.
pub fn silent() -> String {
    let listener = listen();
    let url = url(&listener);
    thread::spawn(move || listener.incoming().collect::<Vec<_>>());
    url
}

/// A server that remembers what it was asked.
pub struct Server {
    /// Its URL.
    pub url: String,
    heads: Heads,
}

type Heads = Arc<Mutex<Vec<String>>>;

impl Server {
    /// The requests so far, each as its first line and its headers.
    pub fn heads(&self) -> Vec<String> {
        self.heads.lock().unwrap().clone()
    }

    fn start(serve: impl Fn(TcpStream, &str) -> std::io::Result<()> + Send + Sync + 'static) -> Self {
        let (listener, heads) = (listen(), Heads::default());
        let server = Self { url: url(&listener), heads: heads.clone() };
        let serve = Arc::new(serve);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (serve, heads) = (serve.clone(), heads.clone());
                // Who hangs up early is no trouble of ours.
                thread::spawn(move || -> std::io::Result<()> {
                    let head = head(&stream)?;
                    heads.lock().unwrap().push(head.clone());
                    serve(stream, &head)
                });
            }
        });
        server
    }
}

/// A server that answers everything with this.
pub fn answering(status: &str, content_type: &str, body: &str) -> Server {
    let length = body.len();
    let answer = format!(
        "HTTP/1.1 {status}\r\ncontent-type: {content_type}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"
    );
    Server::start(move |mut stream, _| stream.write_all(answer.as_bytes()))
}

/// An HTTP proxy that opens tunnels.
pub fn proxy() -> Server {
    Server::start(|mut near, head| {
        let target = head.strip_prefix("CONNECT ").and_then(|rest| rest.split(' ').next()).unwrap_or_default();
        let mut far = TcpStream::connect(target)?;
        near.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n")?;
        let (mut near_too, mut far_too) = (near.try_clone()?, far.try_clone()?);
        thread::spawn(move || std::io::copy(&mut far_too, &mut near_too));
        std::io::copy(&mut near, &mut far)?;
        Ok(())
    })
}

/// The head of a request, or as much as it takes to see that it is none: who
/// speaks TLS waits for an answer without ever sending an empty line.
fn head(mut stream: &TcpStream) -> std::io::Result<String> {
    let mut heard = Vec::new();
    let mut buffer = [0; 4096];
    while !heard.windows(4).any(|end| end == b"\r\n\r\n") && heard.first().is_none_or(u8::is_ascii_alphabetic) {
        match stream.read(&mut buffer)? {
            0 => break,
            count => heard.extend_from_slice(&buffer[..count]),
        }
    }
    Ok(String::from_utf8_lossy(&heard).into_owned())
}

/// A unix socket that accepts connections and never answers, until dropped.
pub fn silent_socket(path: &Path) -> impl Drop + use<> {
    struct Removed(PathBuf);
    impl Drop for Removed {
        fn drop(&mut self) {
            let _ = std::fs::remove_file(&self.0);
        }
    }
    let listener = UnixListener::bind(path).unwrap();
    thread::spawn(move || {
        let mut waiting = Vec::new();
        for stream in listener.incoming() {
            waiting.push(stream);
        }
    });
    Removed(path.to_owned())
}

/// How a gate stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// What comes goes through.
    Open,
    /// Who comes is shown out, and so is who was in.
    Closed,
    /// Who comes waits, and who was in hears nothing more.
    Hung,
}

/// A door before a server on this machine, for those who come over TCP.
pub struct Gate {
    port: u16,
    shared: Arc<Passage>,
}

struct Passage {
    mode: Mutex<Mode>,
    through: Mutex<Vec<TcpStream>>,
}

impl Gate {
    /// A gate to a port of this machine. It is open.
    pub fn to(target: u16) -> Self {
        let listener = listen();
        let port = listener.local_addr().unwrap().port();
        let shared = Arc::new(Passage { mode: Mutex::new(Mode::Open), through: Mutex::default() });
        let passage = shared.clone();
        thread::spawn(move || {
            let mut waiting = Vec::new();
            for near in listener.incoming().flatten() {
                match *passage.mode.lock().unwrap() {
                    Mode::Open => {}
                    Mode::Closed => continue,
                    Mode::Hung => {
                        waiting.push(near);
                        continue;
                    }
                }
                let Ok(far) = TcpStream::connect((Ipv4Addr::LOCALHOST, target)) else { continue };
                let ends = [near.try_clone().unwrap(), far.try_clone().unwrap()];
                passage.through.lock().unwrap().extend(ends);
                for (mut from, mut to) in [(near.try_clone().unwrap(), far.try_clone().unwrap()), (far, near)] {
                    let passage = passage.clone();
                    thread::spawn(move || {
                        let mut buffer = [0; 16 << 10];
                        while let Ok(count @ 1..) = from.read(&mut buffer) {
                            if *passage.mode.lock().unwrap() == Mode::Hung {
                                // It is lost on the way.
                                continue;
                            }
                            if to.write_all(&buffer[..count]).is_err() {
                                break;
                            }
                        }
                        let _ = to.shutdown(Shutdown::Both);
                    });
                }
            }
        });
        Self { port, shared }
    }

    /// Its own port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Opens or shuts it. Bytes that were lost while it hung make nonsense of
    /// what follows, so who was in then is shown out when it opens.
    pub fn set(&self, mode: Mode) {
        *self.shared.mode.lock().unwrap() = mode;
        if mode != Mode::Hung {
            for end in self.shared.through.lock().unwrap().drain(..) {
                let _ = end.shutdown(Shutdown::Both);
            }
        }
    }
}

fn listen() -> TcpListener {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap()
}

fn url(listener: &TcpListener) -> String {
    format!("http://{}", listener.local_addr().unwrap())
}
