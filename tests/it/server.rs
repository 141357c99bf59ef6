//! The whole server inside of the test: built from its config as `tintype serve` does, listening on a port that the
//! system chooses, its metrics at hand.

use prometheus_client::registry::Registry;
use service::drain::Drain;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};
use testkit::{Connection, Folder, Reply, wire};
use tintype::app::App;
use tintype::config::Config;
use tintype::server::{Clock, Listeners, Stop, Tls};

/// A running server over a folder of its own. Stops when dropped.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    /// By TLS, where that is configured.
    pub(crate) secure: Option<SocketAddr>,
    pub(crate) tls: Option<Tls>,
    pub(crate) app: App,
    pub(crate) folder: Folder,
    registry: Registry,
    stop: Stop,
    drain: Drain,
}

/// What all servers of these tests have: few threads, small pictures. Later sets win.
pub(crate) fn sets(folder: &Folder, more: &[&str]) -> Vec<String> {
    let root = format!("origins.0.root={}", folder.root().display());
    let base = [
        "server.listen=127.0.0.1:0",
        "server.threads=2",
        "render.threads=2",
        // A busy machine shall not decide a test: those about time limits set their own.
        "render.nice=0",
        "render.deadline=5m",
        "render.queue_timeout=5m",
        "origins.0.name=folder",
        "origins.0.kind=file",
        &root,
        "routes.0.prefix=/img/",
        "routes.0.origin=folder",
    ];
    base.iter().chain(more).map(|set| (*set).to_owned()).collect()
}

impl Server {
    /// With these keys over the defaults of [`sets`].
    pub(crate) fn start(more: &[&str]) -> Self {
        Self::over(Folder::new(), more)
    }

    /// Over a folder that is there already.
    pub(crate) fn over(folder: Folder, more: &[&str]) -> Self {
        let loaded = service::config::load::<Config>(None, [], &sets(&folder, more));
        let config = loaded.unwrap_or_else(|errors| panic!("{errors}")).config;
        let mut registry = Registry::with_prefix("tintype");
        let app = App::build(&config, &mut registry, Clock::SYSTEM).expect("a sound config");
        let tls = Tls::open(&config.tls, SystemTime::now()).unwrap_or_else(|error| panic!("{error}"));
        let listeners = Listeners::bind(&Arc::new(config.server), tls.clone()).expect("a free port");
        let places = listeners.places().to_vec();
        let ip =
            |secure| places.iter().filter(move |place| place.secure == secure).find_map(|place| place.address.ip());
        let (address, secure) = (ip(false).expect("a cleartext port"), ip(true));
        let stop = Stop::new();
        let drain = Drain::new();
        app.work(&drain).expect("a thread");
        listeners.start(app.clone(), &stop, &drain).expect("threads");
        Self { address, secure, folder, registry, stop, drain, tls, app }
    }

    pub(crate) fn get(&self, target: &str) -> Reply {
        wire::get(self.address, target, &[])
    }

    pub(crate) fn get_with(&self, target: &str, fields: &[(&str, &str)]) -> Reply {
        wire::get(self.address, target, fields)
    }

    pub(crate) fn ask(&self, method: &str, target: &str, fields: &[(&str, &str)]) -> Reply {
        wire::ask(self.address, method, target, fields)
    }

    pub(crate) fn connect(&self) -> Connection {
        Connection::open(self.address).expect("a listening server")
    }

    /// The sum of all samples whose line starts so; 0 where there is none.
    pub(crate) fn metric(&self, start: &str) -> f64 {
        let mut text = String::new();
        prometheus_client::encoding::text::encode(&mut text, &self.registry).expect("text");
        let values = text.lines().filter(|line| line.starts_with(start)).filter_map(|line| line.rsplit(' ').next());
        values.map(|value| value.parse::<f64>().expect("a number")).sum()
    }

    /// Renditions made.
    pub(crate) fn fills(&self) -> f64 {
        self.metric("tintype_fills_total")
    }

    /// Waits until the metric has reached `value`.
    pub(crate) fn until(&self, start: &str, value: f64) {
        let began = Instant::now();
        while self.metric(start) < value {
            assert!(began.elapsed() < Duration::from_secs(60), "{start} stays {}", self.metric(start));
            std::thread::sleep(Duration::from_millis(2));
        }
    }
}

impl Server {
    /// Nothing more is accepted; connections end after what they have begun.
    pub(crate) fn stop(&self) {
        self.stop.stop();
    }

    /// Waits until the metric has come down to `value`.
    pub(crate) fn while_above(&self, start: &str, value: f64) {
        let began = Instant::now();
        while self.metric(start) > value {
            assert!(began.elapsed() < Duration::from_secs(60), "{start} stays {}", self.metric(start));
            std::thread::sleep(Duration::from_millis(2));
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.stop();
        // What works behind the requests ends with it.
        self.drain.begin();
    }
}

/// `Cache-Status` without its times.
pub(crate) fn cache(reply: &Reply) -> String {
    let parts = reply.field("cache-status").split("; ").filter(|part| !part.starts_with("ttl="));
    parts.collect::<Vec<_>>().join("; ")
}
