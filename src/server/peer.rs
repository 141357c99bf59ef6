//! Who is at the other end of a connection, as far as sockets can tell.
//!
//! Knows no HTTP. What a client says of itself in a request is not here: nothing in it is proved.

use std::net::{IpAddr, Ipv4Addr};

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

/// Whom a certificate names. Its chain has been verified.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Identity {
    /// SHA-256 over the certificate (DER).
    pub fingerprint: [u8; 32],
    /// The subject's common name (X.520), where it has one in ASCII or UTF-8.
    pub common_name: Option<String>,
    /// DNS names of its `subjectAltName` (RFC 5280 §4.2.1.6).
    pub names: Vec<String>,
}
