//! Where a Cortex is looked for.

use std::fmt;
use std::path::PathBuf;

/// Where a Cortex listens that was told nothing else, besides its socket.
pub const DEFAULT_PORT: u16 = 50_051;

/// One place to look.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Address {
    /// A unix socket.
    Socket(PathBuf),
    /// `http://HOST:PORT`.
    Tcp(String),
}

impl Address {
    /// Reads `HOST:PORT`, `unix:PATH` or `http://HOST:PORT`.
    ///
    /// # Errors
    /// What is wrong with it, in words.
    pub fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        if let Some(path) = text.strip_prefix("unix:") {
            let path = path.strip_prefix("//").unwrap_or(path);
            return if path.is_empty() {
                Err("a path is missing after unix:".into())
            } else {
                Ok(Self::Socket(path.into()))
            };
        }
        if text.starts_with("https://") {
            return Err(
                "a Cortex is not asked over TLS by this build; write HOST:PORT and reach it through a tunnel".into()
            );
        }
        let rest = text.strip_prefix("http://").unwrap_or(text).trim_end_matches('/');
        let uri: http::Uri = format!("http://{rest}").parse().map_err(|_| hint(text))?;
        let plain = uri.path() == "/" && uri.query().is_none();
        let names_port = rest.rsplit_once(']').map_or(rest, |(_, after)| after).contains(':');
        match (uri.host().filter(|host| !host.is_empty()), uri.port_u16()) {
            (Some(host), port) if plain && names_port == port.is_some() => {
                Ok(Self::Tcp(format!("http://{host}:{}", port.unwrap_or(DEFAULT_PORT))))
            }
            _ => Err(hint(text)),
        }
    }
}

fn hint(text: &str) -> String {
    // What looks like a name with a password is not repeated.
    let shown = if text.contains('@') { "what is set".to_owned() } else { format!("{text:?}") };
    format!("{shown} is no address: write HOST:PORT, unix:PATH or http://HOST:PORT")
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Socket(path) => write!(f, "{}", path.display()),
            Self::Tcp(url) => f.write_str(url.strip_prefix("http://").unwrap_or(url)),
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
pub(crate) fn places(said: Option<&str>) -> Result<Vec<Address>, String> {
    if let Some(text) = said {
        return Ok(vec![Address::parse(text)?]);
    }
    let socket = default_socket().map(Address::Socket);
    Ok(socket.into_iter().chain([Address::Tcp(format!("http://127.0.0.1:{DEFAULT_PORT}"))]).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_in_every_form() {
        let read = |text: &str| Address::parse(text).map(|address| address.to_string());
        for (text, expected) in [
            ("127.0.0.1:50051", "127.0.0.1:50051"),
            (" http://cortex.kgents-system:9/ ", "cortex.kgents-system:9"),
            ("cortex", "cortex:50051"),
            ("[::1]:7", "[::1]:7"),
            ("unix:/run/x.sock", "/run/x.sock"),
            ("unix:///run/x.sock", "/run/x.sock"),
        ] {
            assert_eq!(read(text), Ok(expected.to_owned()), "{text}");
        }
        for text in ["", "unix:", "https://x:1", "x:port", "x:", "http://x/y", "a b", "x:99999"] {
            assert!(read(text).is_err(), "{text}");
        }
    }
}
