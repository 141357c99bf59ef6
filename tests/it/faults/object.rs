//! Object storage is slow, throttled, forbidden, silent, broken off, gone.

use super::{Edge, right};
use std::time::Duration;
use testkit::s3::{Inside, sets};
use testkit::{Act, Fault, Origin, Proxy};

/// An error of S3, to whatever is asked.
fn saying(status: u16, code: &str) -> Origin {
    let text = format!("<?xml version=\"1.0\"?><Error><Code>{code}</Code><Message>no</Message></Error>");
    let origin = Origin::new();
    origin.otherwise(Act::status(status, &[("content-type", "application/xml")], text));
    origin
}

#[test]
fn hits_do_not_notice_and_nothing_wrong_is_served() {
    let bucket = Inside::start(&["renditions"]);
    let proxy = Proxy::new(bucket.address);
    let mut sets = sets("cache.s3", "cache.s3", proxy.address, "renditions");
    // Short times: what is too slow here is a miss, which is right too.
    let own = "timeout=300ms connect_timeout=300ms failures=2 pause=50ms retries=0";
    sets.extend(own.split(' ').map(|set| format!("cache.s3.{set}")));
    let edge = Edge::start(&sets.iter().map(String::as_str).collect::<Vec<_>>());
    // It keeps nothing in memory: whatever it is asked for, it asks the bucket.
    let forgetful = edge.other(&["cache.memory.bytes=0"]);
    let known: Vec<u32> = (0..4).map(|_| edge.miss().0).collect();
    edge.recovers("object");
    let holds = |what: &str, fault: &dyn Fn(bool)| {
        edge.hits_hold(what, fault);
        known.iter().for_each(|number| drop(right(&forgetful, *number)));
        fault(false);
        edge.recovers("object");
    };
    for fault in [
        Fault::Refuse,
        Fault::Reset(5000),
        Fault::Truncate(5000),
        Fault::Silent,
        Fault::Delay(Duration::from_secs(2)),
        Fault::Throttle(2000),
        Fault::Garbage(1),
        Fault::Garbage(2003),
    ] {
        holds(&format!("{fault:?}"), &|on| proxy.set(if on { fault } else { Fault::Pass }));
    }
    for (status, code) in [(503, "SlowDown"), (403, "AccessDenied"), (500, "InternalError"), (404, "NoSuchBucket")] {
        let other = saying(status, code);
        holds(code, &|on| proxy.lead(if on { other.address } else { bucket.address }));
    }
    edge.is_shared("object");
}
