//! Who is at the other end of a connection, as far as sockets can tell.
//!
//! Knows no HTTP. What a client says of itself in a request is not here: nothing in it is proved.

use std::net::{IpAddr, Ipv4Addr};

pub use service::certificate::Identity;

/// The other end of a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peer {
    /// Of the socket, or what a balancer that the config believes said in front of the connection. Peers on a Unix socket
    /// count as 127.0.0.1.
    pub address: IpAddr,
    /// Whether the connection is encrypted.
    pub secure: bool,
    /// What the peer proved by a certificate that an authority of `tls.client_ca` signed.
    pub identity: Option<Identity>,
}

impl Peer {
    /// What peers on a Unix socket count as.
    pub const LOCAL: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

    /// Somebody without TLS.
    #[must_use]
    pub const fn plain(address: IpAddr) -> Self {
        Self { address, secure: false, identity: None }
    }
}
