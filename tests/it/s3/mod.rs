//! Originals and renditions in buckets: of `s3s-fs`, which checks signatures, and of moto, which knows more of S3.

mod edge;
mod faults;
mod origin;

use crate::server::Server;
use std::net::SocketAddr;
use testkit::picture;

/// The key pair and the place of a bucket called `originals`, for an origin; short waits for what can be repeated.
fn origin(address: SocketAddr, more: &[&str]) -> Vec<String> {
    let mut sets = testkit::s3::sets("origins.1", "origins.1.s3", address, "originals");
    let own = [
        "origins.1.name=media",
        "origins.1.kind=s3",
        "routes.1.prefix=/media/",
        "routes.1.origin=media",
        "routes.2.prefix=/raw/",
        "routes.2.origin=media",
        "routes.2.originals=true",
    ];
    sets.extend(own.iter().chain(more).map(|set| (*set).to_owned()));
    sets
}

fn start(sets: &[String]) -> Server {
    Server::start(&sets.iter().map(String::as_str).collect::<Vec<_>>())
}

fn edge(address: SocketAddr, more: &[&str]) -> Server {
    start(&origin(address, more))
}

fn png() -> Vec<u8> {
    picture::gradient(60, 40)
}
