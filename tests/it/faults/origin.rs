//! An HTTP origin dies, freezes, drips, breaks off, lies: who asks for something else does not notice, who asks for what is
//! known gets that, and all others an error that says so.

use super::{Edge, PATIENCE, content, hit, meanwhile};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};
use testkit::{Act, Fault, Origin, Proxy, Reply};

/// What the originals of these tests are, by their number.
const KEPT: u32 = 1_000_000;
const STALE: u32 = 1_000_001;
const NEW: u32 = 1_000_002;

struct Web {
    origin: Origin,
    proxy: Proxy,
    edge: Edge,
    asked: AtomicU32,
}

impl Web {
    fn start() -> Self {
        let origin = Origin::new();
        let proxy = Proxy::new(origin.address);
        let base = format!("origins.1.base=http://{}/", proxy.address);
        let own = ["origins.1.name=web", "origins.1.kind=http", &base, "origins.1.allow_private=127.0.0.0/8"];
        let times = "response_timeout=300ms connect_timeout=300ms pause_timeout=300ms timeout=600ms breaker_pause=50ms";
        let times: Vec<_> = times.split(' ').map(|set| format!("origins.1.http.{set}")).collect();
        let times: Vec<_> = times.iter().map(String::as_str).collect();
        let route = ["routes.2.prefix=/web/", "routes.2.origin=web", "routes.2.originals=true"];
        let limit = ["origins.1.max_bytes=64KiB"];
        let edge = Edge::start(&[&own[..], &times, &route, &limit].concat());
        let web = Self { origin, proxy, edge, asked: AtomicU32::new(NEW) };
        web.put(KEPT, "max-age=6000");
        web.put(STALE, "max-age=0, stale-if-error=6000");
        web.recovers();
        for number in [KEPT, STALE] {
            web.until_right(number);
        }
        web
    }

    fn put(&self, number: u32, terms: &str) {
        self.origin.on(&format!("/{number}"), [Act::ok(&[("cache-control", terms)], content(number))]);
    }

    fn get(&self, number: u32) -> Reply {
        self.edge.server.get(&format!("/web/{number}"))
    }

    /// A new original: its bytes, or an error.
    fn ask(&self) -> u16 {
        let number = self.asked.fetch_add(1, Ordering::Relaxed);
        self.put(number, "max-age=6000");
        sane(&self.get(number), number)
    }

    fn until_right(&self, number: u32) {
        let began = Instant::now();
        while sane(&self.get(number), number) != 200 {
            assert!(began.elapsed() < PATIENCE, "{number} does not come");
        }
    }

    fn recovers(&self) {
        let began = Instant::now();
        while self.ask() != 200 {
            assert!(began.elapsed() < PATIENCE, "the origin is not taken up again");
            thread::sleep(Duration::from_millis(10));
        }
    }

    /// Compares the latency of hits while somebody asks for what the origin does not give.
    fn hits_hold(&self, what: &str, fault: impl FnMut(bool), ask: impl Fn() + Sync) {
        let target = format!("/web/{KEPT}");
        hit(&mut self.edge.server.connect(), &target);
        meanwhile(ask, || self.edge.hits_of_hold(&target, &content(KEPT), what, fault));
    }
}

/// The status of an answer that is right, or honest.
fn sane(reply: &Reply, number: u32) -> u16 {
    match reply.status {
        200 => assert!(reply.body == content(number), "{number} is not what was asked for"),
        502 | 504 => assert_eq!(reply.field("content-type"), "application/problem+json"),
        status => panic!("{status} {}", reply.text()),
    }
    reply.status
}

#[test]
fn a_connection_that_fails_in_every_way() {
    let web = Web::start();
    let faults = [
        Fault::Refuse,
        Fault::Reset(0),
        Fault::Reset(200),
        Fault::Truncate(300),
        Fault::Silent,
        Fault::Delay(Duration::from_secs(2)),
        Fault::Throttle(2000),
        // Without TLS nobody can tell an altered byte in a body from a sound one: heads are noise here too.
        Fault::Garbage(1),
    ];
    for fault in faults {
        let set = |on| web.proxy.set(if on { fault } else { Fault::Pass });
        web.hits_hold(&format!("{fault:?}"), set, || _ = web.ask());
        assert_ne!(web.ask(), 200, "{fault:?}");
        let stale = web.get(STALE);
        assert_eq!(sane(&stale, STALE), 200, "{fault:?}: {}", stale.text());
        assert!(stale.field("cache-status").contains("fwd=stale"), "{}", stale.field("cache-status"));
        web.proxy.set(Fault::Pass);
        web.recovers();
        web.until_right(STALE);
    }
}

#[test]
fn an_origin_that_lies() {
    let web = Web::start();
    let head = |fields: &str, body: &[u8]| {
        [format!("HTTP/1.1 200 OK\r\ncache-control: max-age=60\r\n{fields}\r\n").as_bytes(), body].concat()
    };
    let whole = content(NEW);
    let lies = [
        Act::Hang(head("content-length: 20000\r\n", &whole[..10_000])),
        Act::Drip(head("content-length: 20000\r\n", &whole), Duration::from_millis(10)),
        Act::Raw(head("content-length: 20000\r\n", &whole[..19_999])),
        Act::Raw(head("transfer-encoding: chunked\r\n", b"ffffffffffffffff\r\n")),
        Act::Reset(head("content-length: 20000\r\n", &whole[..100])),
        Act::Raw(head("content-length: 99999999999\r\n", &whole)),
        Act::Raw(head("", &[0; 100_000])),
        Act::ok(&[("content-type", "image/avif"), ("content-encoding", "br")], whole.clone()),
    ];
    for lie in lies {
        let what = format!("{lie:?}").chars().take(60).collect::<String>();
        let target = format!("/{}", web.asked.fetch_add(1, Ordering::Relaxed));
        web.origin.on(&target, [lie]);
        let target = format!("/web{target}");
        let lying = AtomicBool::new(false);
        web.hits_hold(
            &what,
            |on| lying.store(on, Ordering::Relaxed),
            || {
                if !lying.load(Ordering::Relaxed) {
                    return;
                }
                let reply = web.edge.server.get(&target);
                assert!(matches!(reply.status, 422 | 502 | 504), "{what}: {}", reply.status);
            },
        );
        web.recovers();
    }
}
