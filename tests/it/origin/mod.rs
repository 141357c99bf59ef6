//! Originals on an HTTP server, which here does what each test tells it to.

mod answers;
mod faults;
mod freshness;
mod places;
mod shared;
pub(crate) mod tls;

use crate::server::Server;
use testkit::{Act, Origin, Reply, picture};

/// The server with a route of renditions at `/web/` and one of originals at `/raw/`, both of this origin.
struct Web {
    origin: Origin,
    server: Server,
}

impl Web {
    fn new() -> Self {
        Self::with(&[])
    }

    /// With these keys too; `origins.1` is the HTTP origin, `routes.1` and `routes.2` are its routes.
    fn with(more: &[&str]) -> Self {
        Self::of(Origin::new(), more)
    }

    fn of(origin: Origin, more: &[&str]) -> Self {
        let server = Self::beside(&origin, more);
        Self { origin, server }
    }

    /// One more server of this origin.
    fn beside(origin: &Origin, more: &[&str]) -> Server {
        let base = format!("origins.1.base={}", origin.base());
        let own = [
            "origins.1.name=web",
            "origins.1.kind=http",
            &base,
            "origins.1.allow_private=127.0.0.0/8",
            "routes.1.prefix=/web/",
            "routes.1.origin=web",
            "routes.2.prefix=/raw/",
            "routes.2.origin=web",
            "routes.2.originals=true",
        ];
        Server::start(&[&own, more].concat())
    }

    fn get(&self, target: &str) -> Reply {
        self.server.get(target)
    }

    /// How often the original `/a.png` was asked for.
    fn count(&self) -> usize {
        self.origin.count("/a.png")
    }
}

/// A picture with this `Cache-Control`.
fn kept(value: &str) -> Act {
    Act::ok(&[("cache-control", value)], png())
}

fn png() -> Vec<u8> {
    picture::gradient(60, 40)
}

fn other_png() -> Vec<u8> {
    picture::alpha(60, 40)
}
