//! Why the Cortex does not start.

use std::io;
use std::net::SocketAddr;

use thiserror::Error;

/// Why the Cortex does not serve, and what to try.
#[derive(Debug, Error)]
pub enum CortexError {
    /// Others could reach it and nothing would keep them out.
    #[error(
        "{address} can be reached from other machines, and the Cortex refuses to start there without a token: set one, or listen on 127.0.0.1"
    )]
    NoToken {
        /// The address that is not loopback.
        address: SocketAddr,
    },
    /// No client could ever send it, or an empty one would let everybody in.
    #[error("the token cannot be sent in a header: make it of visible ASCII characters, at least one, without spaces")]
    BadToken,
    /// Somebody listens there already.
    #[error(
        "{address} is in use: stop what listens there (another Cortex?), or choose another address; port 0 takes any free one"
    )]
    InUse {
        /// The address that is taken.
        address: SocketAddr,
    },
    /// The address is not ours to take.
    #[error("cannot listen on {address}: {error}: choose an address of this machine and a port that you may use")]
    Bind {
        /// The address.
        address: SocketAddr,
        /// What the system says.
        error: io::Error,
    },
    /// The socket cannot be used and there is no TCP address either.
    #[error("{why}; there is no TCP address either, so nobody could ask")]
    Socket {
        /// What is wrong with the socket, and what to try.
        why: String,
    },
    /// Neither an address nor a socket was named.
    #[error("there is neither an address nor a socket to listen on: name at least one")]
    Nowhere,
    /// A listener ended by itself.
    #[error("the server stopped: {why}")]
    Stopped {
        /// What it said.
        why: String,
    },
}
