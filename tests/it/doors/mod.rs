//! What stands between the network and the handler: TLS, HTTP/3, sockets, and the limits of each.

mod admin;
mod http1;
mod http2;
mod http3;
mod sockets;
mod tls;

use crate::server::Server;
use std::net::SocketAddr;
use std::sync::Arc;
use testkit::certificate::{Authority, Issued};
use testkit::client::{Client, HOST, Protocol, Wrong};
use testkit::{Folder, picture};

/// A server with every protocol, and who certified it.
pub(crate) struct Doors {
    pub(crate) server: Server,
    pub(crate) authority: Authority,
    /// Where `cert.pem` and `key.pem` lie.
    pub(crate) files: Folder,
}

/// A limit for what must come, and soon.
pub(crate) const LIMIT: std::time::Duration = std::time::Duration::from_secs(60);

impl Doors {
    /// With these keys besides; `{files}` in them is where the certificates lie.
    pub(crate) fn open(more: &[&str]) -> Self {
        let (authority, files) = (Authority::new(), Folder::new());
        put(&files, "cert", &authority.issue(&[HOST]));
        files.put("ca.pem", authority.pem());
        let place = files.root().display().to_string();
        let base = [
            "tls.listen=127.0.0.1:0",
            "tls.http3=true",
            "tls.certificates.0.cert={files}/cert.pem",
            "tls.certificates.0.key={files}/cert.key",
        ];
        let sets: Vec<String> = base.iter().chain(more).map(|set| set.replace("{files}", &place)).collect();
        let server = Server::start(&sets.iter().map(String::as_str).collect::<Vec<_>>());
        server.folder.put("a.png", picture::gradient(60, 40)).put("large.png", picture::noise(3000, 2000, 9));
        Self { server, authority, files }
    }

    pub(crate) fn secure(&self) -> SocketAddr {
        self.server.secure.expect("TLS is configured")
    }

    pub(crate) async fn client(&self, protocol: Protocol) -> Client {
        self.try_client(protocol, None).await.unwrap_or_else(|error| panic!("{protocol:?}: {error}"))
    }

    /// With a certificate of its own, where there is one.
    pub(crate) async fn try_client(&self, protocol: Protocol, identity: Option<&Issued>) -> Result<Client, Wrong> {
        let address = if protocol.is_secure() { self.secure() } else { self.server.address };
        Client::open(protocol, address, &self.authority.client(identity, &[])).await
    }

    /// Takes up changed files as `tintype serve` does.
    pub(crate) fn keep_up(&self) -> (tokio::task::JoinHandle<()>, Arc<tokio::sync::Notify>) {
        let now = Arc::new(tokio::sync::Notify::new());
        let tls = self.server.tls.clone().expect("TLS is configured");
        let clock = tintype::server::Clock::SYSTEM;
        (tokio::spawn(tls.keep_up(self.server.app.clone(), clock, Arc::clone(&now))), now)
    }
}

/// Writes a certificate and its key.
pub(crate) fn put(files: &Folder, name: &str, issued: &Issued) {
    files.put(&format!("{name}.pem"), issued.pem()).put(&format!("{name}.key"), issued.key_pem());
}
