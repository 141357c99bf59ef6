//! Varnish in front, with the VCL of `deploy/varnish` as it is: what a CDN makes of our headers.

use crate::server::Server;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};
use testkit::{Fault, Proxy, Reply, Varnish, picture, wire};

const AVIF: &str = "image/avif,image/webp,image/apng,image/svg+xml,image/*,*/*;q=0.8";
const AVIF_TOO: &str = "image/AVIF, image/webp ,text/html;q=0.1";
const WEBP: &str = "image/webp,*/*";
const NO_AVIF: &str = "image/avif;q=0, image/webp";
const NEITHER: &str = "text/html,image/png,*/*;q=0.5";

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/varnish")
}

/// The server, a fault proxy, and Varnish before both.
struct Front {
    server: Server,
    proxy: Proxy,
    varnish: Varnish,
}

impl Front {
    fn start(more: &[&str]) -> Option<Self> {
        Self::purged_by("127.0.0.1", more)
    }

    fn purged_by(purger: &str, more: &[&str]) -> Option<Self> {
        let server = Server::start(more);
        server.folder.put("a.png", picture::gradient(64, 48)).put("b.png", picture::alpha(64, 48));
        let proxy = Proxy::new(server.address);
        let vcl = format!(
            "vcl 4.1;\nbackend tintype {{ .host = \"127.0.0.1\"; .port = \"{}\"; .first_byte_timeout = 60s; }}\n\
             acl purgers {{ \"{purger}\"; }}\ninclude \"tintype.vcl\";\n",
            proxy.address.port()
        );
        let varnish = Varnish::start(&vcl, &folder())?;
        Some(Self { server, proxy, varnish })
    }

    fn get(&self, target: &str, accept: &str) -> Reply {
        wire::get(self.varnish.address, target, &[("accept", accept)])
    }

    fn ask(&self, method: &str, target: &str, fields: &[(&str, &str)]) -> Reply {
        wire::ask(self.varnish.address, method, target, fields)
    }

    /// Waits until Varnish says this of the picture.
    fn until(&self, target: &str, said: &str) -> Reply {
        let began = Instant::now();
        loop {
            let reply = self.get(target, NEITHER);
            assert_eq!(reply.status, 200, "{}", reply.text());
            if varnish(&reply) == said {
                return reply;
            }
            assert!(began.elapsed() < Duration::from_secs(60), "{said} never comes: {}", varnish(&reply));
            thread::sleep(Duration::from_millis(20));
        }
    }
}

/// What Varnish adds to `Cache-Status`.
fn varnish(reply: &Reply) -> String {
    let (ours, added) = reply.field("cache-status").rsplit_once(", ").expect("both have spoken");
    assert!(ours.starts_with("tintype; "), "{ours}");
    added.to_owned()
}

#[test]
fn the_configuration_for_users_is_sound() {
    if let Some(checked) = Varnish::check(&folder().join("default.vcl")) {
        assert_eq!(checked, Ok(()));
    }
}

#[test]
fn formats_share_what_they_can() {
    let Some(front) = Front::start(&[]) else { return };
    let target = "/img/a.png?w=32&f=auto";
    let mut asked = 0.0;
    for (accepts, kind) in [
        (&[AVIF, AVIF_TOO, AVIF][..], "image/avif"),
        (&[WEBP, NO_AVIF, WEBP], "image/webp"),
        (&[NEITHER, "", "*/*"], "image/jpeg"),
    ] {
        let first = front.get(target, accepts[0]);
        assert_eq!((first.status, first.field("content-type")), (200, kind));
        assert_eq!(varnish(&first), "varnish; fwd=miss");
        asked += 1.0;
        for accept in accepts {
            let again = front.get(target, accept);
            assert_eq!((varnish(&again).as_str(), again.field("content-type")), ("varnish; hit", kind), "{accept}");
            assert!(again.body == first.body && again.field("etag") == first.field("etag"));
        }
        assert_eq!(front.server.metric("tintype_requests_total"), asked, "of us Varnish asks once");
    }
    // The order of parameters makes no other picture.
    assert_eq!(varnish(&front.get("/img/a.png?f=auto&w=32", AVIF)), "varnish; hit");
    let etag = front.get(target, AVIF).field("etag").to_owned();
    let unchanged = front.ask("GET", target, &[("accept", AVIF), ("if-none-match", &etag)]);
    assert_eq!((unchanged.status, unchanged.body.len()), (304, 0));
    let part = front.ask("GET", target, &[("accept", AVIF), ("range", "bytes=0-9")]);
    assert_eq!((part.status, part.body.len()), (206, 10));
    assert_eq!(front.server.metric("tintype_requests_total"), asked, "all of that without us");
}

#[test]
fn purged_by_url_and_by_tag() {
    let Some(front) = Front::start(&[]) else { return };
    let [one, other] = ["/img/a.png?w=32&f=auto", "/img/a.png?w=16&f=auto&tags=sale"];
    let warm = || {
        for (target, accept) in [(one, AVIF), (one, WEBP), (other, AVIF), ("/img/b.png?w=16", AVIF)] {
            front.get(target, accept);
            assert_eq!(varnish(&front.get(target, accept)), "varnish; hit");
        }
    };
    warm();
    assert_eq!(front.ask("PURGE", "/img/a.png?f=auto&w=32", &[]).status, 200);
    for accept in [AVIF, WEBP] {
        assert_eq!(varnish(&front.get(one, accept)), "varnish; fwd=miss", "all formats");
    }
    assert_eq!(varnish(&front.get(other, AVIF)), "varnish; hit");
    for (tag, gone) in [
        ("src:a.png", &[one, other][..]),
        ("SALE", &[other]),
        ("route:/img/", &[one, other, "/img/b.png?w=16"]),
        // Part of a tag is none, and a tag is no pattern.
        ("src:a", &[]),
        ("src:.*", &[]),
    ] {
        warm();
        assert_eq!(front.ask("BAN", "/", &[("cache-tag", tag)]).status, 200, "{tag}");
        for target in [one, other, "/img/b.png?w=16"] {
            let expected = if gone.contains(&target) { "varnish; fwd=miss" } else { "varnish; hit" };
            let reply = front.get(target, AVIF);
            assert_eq!(varnish(&reply), expected, "{target} with {:?} after {tag}", reply.header("cache-tag"));
        }
    }
    for tag in ["", "a,b", "a b", "a\\Eb"] {
        assert_eq!(front.ask("BAN", "/", &[("cache-tag", tag)]).status, 400, "{tag}");
    }
}

#[test]
fn strangers_may_not_purge() {
    let Some(front) = Front::purged_by("192.0.2.1", &[]) else { return };
    let target = "/img/a.png?w=32";
    front.get(target, NEITHER);
    for (method, target) in [("PURGE", target), ("BAN", "/")] {
        assert_eq!(front.ask(method, target, &[("cache-tag", "src:a.png")]).status, 405);
    }
    assert_eq!(varnish(&front.get(target, NEITHER)), "varnish; hit");
}

#[test]
fn stale_while_revalidate() {
    let Some(front) = Front::start(&["routes.0.max_age=1s", "routes.0.stale_while_revalidate=1h"]) else { return };
    let target = "/img/a.png?w=32";
    let first = front.until(target, "varnish; fwd=miss");
    // Past its time it is given at once, and asked for behind that: nobody waits for us.
    front.proxy.set(Fault::Silent);
    let began = Instant::now();
    while front.server.metric("tintype_requests_total") < 2.0 {
        let reply = front.get(target, NEITHER);
        assert!(varnish(&reply) == "varnish; hit" && reply.body == first.body);
        assert!(began.elapsed() < Duration::from_secs(60), "it is never asked for anew");
        // What is under way reaches us when the silence ends.
        if began.elapsed() > Duration::from_millis(1500) {
            front.proxy.set(Fault::Pass);
        }
        thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn stale_if_error() {
    let times = ["routes.0.max_age=1s", "routes.0.stale_while_revalidate=0s", "routes.0.stale_if_error=1h"];
    let Some(front) = Front::start(&times) else { return };
    let target = "/img/a.png?w=32";
    let first = front.until(target, "varnish; fwd=miss");
    for (fault, new) in [(Fault::Refuse, "/img/b.png?w=20"), (Fault::Reset(0), "/img/b.png?w=21")] {
        front.proxy.set(fault);
        let stale = front.until(target, "varnish; fwd=stale; detail=error");
        assert!(stale.body == first.body, "{fault:?}");
        // What is not there is an error, which is not kept.
        let unknown = front.get(new, NEITHER);
        assert_eq!((unknown.status, unknown.field("cache-control")), (503, "no-store"));
        front.proxy.set(Fault::Pass);
        // Varnish itself leaves a backend alone for a moment.
        let began = Instant::now();
        while front.get(new, NEITHER).status != 200 {
            assert!(began.elapsed() < Duration::from_secs(60), "{fault:?}");
            thread::sleep(Duration::from_millis(20));
        }
        // Nothing stale is given any more: it is waited for, and fresh for a second.
        let fresh = front.until(target, "varnish; fwd=miss");
        assert!(fresh.body == first.body);
        thread::sleep(Duration::from_millis(1100));
        assert_eq!(varnish(&front.get(target, NEITHER)), "varnish; fwd=miss", "too old without an error");
    }
}
