//! Servers that are no API servers.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
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

fn listen() -> TcpListener {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap()
}

fn url(listener: &TcpListener) -> String {
    format!("http://{}", listener.local_addr().unwrap())
}
