//! A wire to the API server that can be cut.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;

/// A TCP proxy; TLS goes through it unread. It ends when this is dropped.
pub struct Proxy {
    server: SocketAddr,
    address: SocketAddr,
    shared: Arc<Shared>,
}

struct Shared {
    connections: AtomicUsize,
    /// Fires when the connections of now are to end.
    cut: Mutex<CancellationToken>,
    ended: CancellationToken,
}

impl Proxy {
    /// One to the API server of this kubeconfig.
    pub fn before(runtime: &Runtime, kubeconfig: &str) -> Self {
        let server = server(kubeconfig);
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared {
            connections: AtomicUsize::new(0),
            cut: Mutex::new(CancellationToken::new()),
            ended: CancellationToken::new(),
        });
        runtime.spawn(accept(listener, server, shared.clone()));
        Self { server, address, shared }
    }

    /// A kubeconfig that leads through it. The API server's certificate is
    /// for the address, whatever the port.
    pub fn kubeconfig(&self, kubeconfig: &str) -> String {
        kubeconfig.replace(&self.server.to_string(), &self.address.to_string())
    }

    /// Connections so far.
    pub fn connections(&self) -> usize {
        self.shared.connections.load(Ordering::Relaxed)
    }

    /// Ends every connection that there is. New ones are welcome.
    pub fn cut(&self) {
        std::mem::take(&mut *self.shared.cut.lock().unwrap()).cancel();
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.shared.ended.cancel();
        self.cut();
    }
}

/// The address in `https://127.0.0.1:PORT`.
fn server(kubeconfig: &str) -> SocketAddr {
    let (_, rest) = kubeconfig.split_once("https://").expect("a kubeconfig has a server");
    let address = rest.split(|c: char| c != '.' && c != ':' && !c.is_ascii_digit()).next().unwrap_or_default();
    address.parse().unwrap_or_else(|error| panic!("{error}: {address}"))
}

async fn accept(listener: TcpListener, server: SocketAddr, shared: Arc<Shared>) {
    while let Some(Ok((mut near, _))) = shared.ended.run_until_cancelled(listener.accept()).await {
        shared.connections.fetch_add(1, Ordering::Relaxed);
        let cut = shared.cut.lock().unwrap().clone();
        tokio::spawn(async move {
            let both = async {
                let mut far = TcpStream::connect(server).await?;
                tokio::io::copy_bidirectional(&mut near, &mut far).await
            };
            // However it ends, both sides see it: their sockets are dropped.
            let _ = cut.run_until_cancelled(both).await;
        });
    }
}
