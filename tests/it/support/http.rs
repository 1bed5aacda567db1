//! A client for servers of ours that speak plain HTTP.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};

use super::wait::SOON;

/// Sends one request; the status and the body of the answer.
#[track_caller]
pub fn ask(address: &str, method: &str, path: &str, body: &str) -> (u16, String) {
    request(address, method, path, body).unwrap_or_else(|error| panic!("{method} {address}{path}: {error}"))
}

/// The same, for a server that may not answer.
///
/// # Errors
/// When there is no answer.
pub fn request(address: &str, method: &str, path: &str, body: &str) -> io::Result<(u16, String)> {
    let address: SocketAddr = address.parse().map_err(io::Error::other)?;
    let mut stream = TcpStream::connect_timeout(&address, SOON)?;
    stream.set_read_timeout(Some(SOON))?;
    let length = body.len();
    let head =
        format!("{method} {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n");
    stream.write_all(head.as_bytes())?;
    stream.write_all(body.as_bytes())?;
    let mut answered = String::new();
    stream.read_to_string(&mut answered)?;
    let answer = answered.split_once("\r\n\r\n");
    let answer = answer.and_then(|(head, body)| Some((head.split(' ').nth(1)?.parse().ok()?, body.to_owned())));
    answer.ok_or_else(|| io::Error::other(format!("no answer of HTTP: {answered:?}")))
}
