//! Why a server of this room does not run.

use std::io;
use std::net::SocketAddr;

use thiserror::Error;

/// Why it does not serve, and what to try.
#[derive(Debug, Error)]
pub enum CellError {
    /// Somebody listens there already.
    #[error("{address} is in use: stop what listens there, or choose another address; port 0 takes any free one")]
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
    /// The listener ended by itself.
    #[error("the server at {address} stopped: {error}: start it again")]
    Stopped {
        /// Where it listened.
        address: SocketAddr,
        /// What the system says.
        error: io::Error,
    },
}
