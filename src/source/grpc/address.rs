//! Where a Cortex is looked for.

use std::fmt;
use std::net::Ipv6Addr;
use std::path::PathBuf;
use std::str::FromStr;

/// Where a Cortex listens that was told nothing else, besides its socket.
pub const DEFAULT_PORT: u16 = 50_051;

/// One place to look.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Address {
    /// A host, a port, and whether TLS is spoken there.
    Tcp {
        /// A name or an IP address; one of version 6 stands in brackets.
        host: String,
        /// The port.
        port: u16,
        /// Whether it speaks TLS.
        tls: bool,
    },
    /// A unix socket, by its absolute path.
    Unix(PathBuf),
}

/// How an address is written. What was given is not repeated: a URL may hold
/// a password.
const ADDRESSES: &str = "write it as 127.0.0.1:50051, unix:/run/cortex.sock or https://host:port";

impl FromStr for Address {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let no = |what: &str| Err(format!("{what}: {ADDRESSES}"));
        if let Some(path) = text.strip_prefix("unix:") {
            let path = PathBuf::from(path.strip_prefix("//").unwrap_or(path));
            return if path.is_absolute() { Ok(Self::Unix(path)) } else { no("a socket has an absolute path") };
        }
        let (rest, url) = match text.split_once("://") {
            Some(("http", rest)) => (rest, Some((false, DEFAULT_PORT))),
            Some(("https", rest)) => (rest, Some((true, 443))),
            Some(_) => return no("the scheme is neither http nor https"),
            None => (text, None),
        };
        let rest = if url.is_some() { rest.strip_suffix('/').unwrap_or(rest) } else { rest };
        if rest.contains('@') {
            return no("an address holds no user");
        }
        if rest.contains(['/', '?', '#']) {
            return no("an address holds no path");
        }
        // The colons of a bare IPv6 address would be taken for that of a port.
        let ported = rest.rsplit_once(':').filter(|(_, port)| !port.ends_with(']'));
        let (host, port) = match (ported, url) {
            (Some((host, port)), _) => match port.parse() {
                Ok(port) if port > 0 => (host, port),
                _ => return no("a port is a number from 1 to 65535"),
            },
            (None, Some((_, port))) => (rest, port),
            (None, None) => (rest, DEFAULT_PORT),
        };
        if !is_host(host) {
            return no("that is no host");
        }
        Ok(Self::Tcp { host: host.to_owned(), port, tls: url.is_some_and(|(tls, _)| tls) })
    }
}

fn is_host(host: &str) -> bool {
    match host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        Some(inner) => inner.parse::<Ipv6Addr>().is_ok(),
        None => !host.is_empty() && host.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_')),
    }
}

/// As it is written.
impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp { host, port, tls: false } => write!(f, "{host}:{port}"),
            Self::Tcp { host, port, tls: true } => write!(f, "https://{host}:{port}"),
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

impl Address {
    /// The same in a sentence: a socket is known by its path.
    pub(crate) fn place(&self) -> String {
        match self {
            Self::Unix(path) => path.display().to_string(),
            Self::Tcp { .. } => self.to_string(),
        }
    }
}

/// The socket where a Cortex listens that was told nothing else: in the
/// runtime directory, else below the home. `None` where there is neither.
pub fn default_socket() -> Option<PathBuf> {
    let absolute = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let folder = absolute("XDG_RUNTIME_DIR").map(|run| run.join("kgents"));
    folder
        .or_else(|| std::env::home_dir().map(|home| home.join(".kgents/run")))
        .map(|folder| folder.join("cortex.sock"))
}

/// Where to look: where somebody said, else the socket and then the port.
pub(crate) fn places(said: Option<&Address>) -> Vec<Address> {
    if let Some(address) = said {
        return vec![address.clone()];
    }
    let port = Address::Tcp { host: "127.0.0.1".to_owned(), port: DEFAULT_PORT, tls: false };
    default_socket().map(Address::Unix).into_iter().chain([port]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_written_in_several_ways() {
        for (text, same) in [
            ("127.0.0.1:50051", "127.0.0.1:50051"),
            ("cortex", "cortex:50051"),
            ("http://cortex", "cortex:50051"),
            ("https://cortex.example/", "https://cortex.example:443"),
            ("[::1]:7", "[::1]:7"),
            ("[::1]", "[::1]:50051"),
            ("unix:/run/c.sock", "unix:/run/c.sock"),
            ("unix:///run/c.sock", "unix:/run/c.sock"),
        ] {
            assert_eq!(text.parse::<Address>().map(|address| address.to_string()).as_deref(), Ok(same), "{text}");
        }
    }

    #[test]
    fn what_is_no_address_is_not_repeated() {
        for text in ["", "unix:c.sock", "ftp://secret", "host:0", "host:65536", "u:secret@host", "host/secret", "::1"] {
            let error = text.parse::<Address>().unwrap_err();
            assert!(error.ends_with(ADDRESSES) && !error.contains("secret"), "{text}: {error}");
        }
    }
}
