//! Servers that are no API servers.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::thread;

/// The URL of a port at which nobody listens.
pub fn nobody() -> String {
    let listener = listen();
    url(&listener)
    // Closed again here; the kernel does not hand the same port out at once.
}

/// The URL of a server that accepts connections and never answers.
pub fn silent() -> String {
    let listener = listen();
    let url = url(&listener);
    thread::spawn(move || listener.incoming().collect::<Vec<_>>());
    url
}

/// The URL of a server that answers everything with this.
pub fn answering(status: &str, content_type: &str, body: &str) -> String {
    let listener = listen();
    let url = url(&listener);
    let length = body.len();
    let answer = format!(
        "HTTP/1.1 {status}\r\ncontent-type: {content_type}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"
    );
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let answer = answer.clone();
            // Who hangs up early is no trouble of ours.
            thread::spawn(move || reply(&stream, &answer));
        }
    });
    url
}

fn reply(mut stream: &TcpStream, answer: &str) -> std::io::Result<()> {
    let mut heard = Vec::new();
    let mut buffer = [0; 4096];
    // To the end of a request's head, or as far as it is seen to be none: who speaks
    // TLS waits for an answer without ever sending an empty line.
    while !heard.windows(4).any(|end| end == b"\r\n\r\n") && heard.first().is_none_or(u8::is_ascii_alphabetic) {
        match stream.read(&mut buffer)? {
            0 => return Ok(()),
            count => heard.extend_from_slice(&buffer[..count]),
        }
    }
    stream.write_all(answer.as_bytes())
}

fn listen() -> TcpListener {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap()
}

fn url(listener: &TcpListener) -> String {
    format!("http://{}", listener.local_addr().unwrap())
}
