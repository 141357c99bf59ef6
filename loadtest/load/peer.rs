//! What stands behind the server, and fails from time to time: an HTTP origin and Redis, each behind a proxy for faults.

use crate::edge::sample;
use crate::visitor::Dice;
use std::time::Duration;
use testkit::{Act, Fault, Origin, Proxy, Redis};

/// Names that the origin has.
const PICTURES: [&str; 2] = ["river.jpg", "barn.jpg"];

/// Both of them.
pub(crate) struct Peers {
    far: Proxy,
    _origin: Origin,
    redis: Option<(Proxy, Redis)>,
}

impl Peers {
    /// Well. Without Redis where it is not installed.
    pub(crate) fn start() -> Self {
        let origin = Origin::new();
        for name in PICTURES {
            let fields = [("cache-control", "max-age=2"), ("content-type", "image/jpeg"), ("etag", "\"1\"")];
            origin.on(&format!("/{name}"), [Act::ok(&fields, sample(name))]);
        }
        let redis = Redis::start(&["--maxmemory", "32mb", "--maxmemory-policy", "allkeys-lru"]);
        let redis = redis.map(|redis| (Proxy::new(redis.address), redis));
        Self { far: Proxy::new(origin.address), _origin: origin, redis }
    }

    /// Keys of the configuration that lead to them.
    pub(crate) fn sets(&self) -> Vec<String> {
        let mut sets = vec![
            "origins.1.name=far".to_owned(),
            "origins.1.kind=http".to_owned(),
            format!("origins.1.base=http://{}/", self.far.address),
            "origins.1.allow_private=127.0.0.0/8".to_owned(),
            "origins.1.http.response_timeout=1s".to_owned(),
            "origins.1.http.pause_timeout=1s".to_owned(),
            "origins.1.http.timeout=3s".to_owned(),
            "routes.1.prefix=/far/".to_owned(),
            "routes.1.origin=far".to_owned(),
        ];
        sets.extend(self.redis.iter().map(|(proxy, _)| format!("cache.redis.urls=redis://{}", proxy.address)));
        sets
    }

    /// Another state of affairs: well in half of all cases. What it is, in words.
    pub(crate) fn change(&self, dice: &mut Dice) -> String {
        let far = match dice.below(14) {
            0 => Fault::Delay(Duration::from_millis(200)),
            1 => Fault::Throttle(20_000),
            2 => Fault::Reset(10_000),
            3 => Fault::Truncate(10_000),
            4 => Fault::Silent,
            5 => Fault::Refuse,
            6 => Fault::Reset(0),
            _ => Fault::Pass,
        };
        // Garbage only here: what Redis holds bears a checksum, and bytes of an origin do not.
        let near = match dice.below(12) {
            0 => Fault::Delay(Duration::from_millis(200)),
            1 => Fault::Garbage(200),
            2 => Fault::Silent,
            3 => Fault::Refuse,
            4 => Fault::Reset(5_000),
            _ => Fault::Pass,
        };
        self.set(far, near);
        format!("origin {far:?}, redis {near:?}")
    }

    /// All is well.
    pub(crate) fn mend(&self) {
        self.set(Fault::Pass, Fault::Pass);
    }

    fn set(&self, far: Fault, near: Fault) {
        self.far.set(far);
        if let Some((proxy, _)) = &self.redis {
            proxy.set(near);
        }
    }
}
