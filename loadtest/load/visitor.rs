//! Clients of every kind, each with its own way, and what they think of the answers.
//!
//! An answer is wrong where it is not what HTTP and the scenario promise; other bytes than before for the same picture are
//! always wrong. Invariant: a visitor never waits for ever, and takes its connections with it.

use crate::edge::Edge;
use bytes::Bytes;
use http::{Method, Response};
use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;
use std::time::Duration;
use testkit::client::{Client, Protocol, Wrong};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};

/// Wrong answers that are told in words.
const TOLD: usize = 20;

const PICTURES: [&str; 7] =
    ["river.jpg", "barn.jpg", "aeroplane.jpg", "lighthouse.jpg", "statue.png", "portrait.webp", "logo.png"];
const WIDTHS: [u32; 4] = [64, 160, 320, 480];
const BROWSER: (&str, &str) = ("accept", "image/webp,image/*,*/*;q=0.8");

/// What all visitors together have seen.
#[derive(Default)]
pub(crate) struct Seen {
    etags: RefCell<HashMap<String, String>>,
    counts: RefCell<HashMap<&'static str, u64>>,
    wrong: RefCell<Vec<String>>,
}

impl Seen {
    pub(crate) fn count(&self, what: &'static str) {
        *self.counts.borrow_mut().entry(what).or_default() += 1;
    }

    /// How often; 0 where never.
    pub(crate) fn counted(&self, what: &str) -> u64 {
        self.counts.borrow().get(what).copied().unwrap_or(0)
    }

    /// All that was counted, in words.
    pub(crate) fn told(&self) -> String {
        let mut all: Vec<_> = self.counts.borrow().iter().map(|(what, count)| format!("{what} {count}")).collect();
        all.sort();
        all.join(", ")
    }

    fn wrong(&self, what: String) {
        self.count("wrong");
        let mut told = self.wrong.borrow_mut();
        if told.len() < TOLD {
            told.push(what);
        }
    }

    pub(crate) fn wrongs(&self) -> Vec<String> {
        self.wrong.borrow().clone()
    }

    /// A whole picture, the same as ever.
    fn picture(&self, target: &str, response: &Response<Bytes>) {
        let field = |name: &str| response.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let (kind, etag) = (field("content-type"), field("etag").to_owned());
        if !kind.starts_with("image/") || field("content-length") != response.body().len().to_string() {
            return self.wrong(format!("{target}: {} bytes of {kind}", response.body().len()));
        }
        let known = self.etags.borrow_mut().entry(target.to_owned()).or_insert_with(|| etag.clone()).clone();
        if known != etag {
            self.wrong(format!("{target}: {etag} was {known}"));
        }
    }
}

/// Numbers that look random and are the same in each run.
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }

    fn one<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len() as u64) as usize]
    }
}

/// One of them.
pub(crate) struct Visitor {
    pub(crate) edge: Rc<Edge>,
    pub(crate) seen: Rc<Seen>,
    pub(crate) dice: Dice,
    /// Mean pause between what it does.
    pub(crate) pause: Duration,
}

impl Visitor {
    async fn rest(&mut self) {
        let millis = self.pause.as_millis() as u64 * 2;
        sleep(Duration::from_millis(self.dice.below(millis.max(1)))).await;
    }

    /// A browser: comes back again and again by connections that it keeps for a while.
    pub(crate) async fn browse(mut self, protocol: Protocol) {
        loop {
            match self.edge.connect(protocol).await {
                Ok(client) => {
                    if let Err(error) = self.stay(&client, protocol).await {
                        self.seen.wrong(format!("{protocol:?}: {error}"));
                    }
                }
                Err(error) => self.seen.wrong(format!("{protocol:?}: no connection: {error}")),
            }
            self.rest().await;
        }
    }

    async fn stay(&mut self, client: &Client, protocol: Protocol) -> Result<(), Wrong> {
        for _ in 0..10 + self.dice.below(40) {
            self.rest().await;
            self.look(client).await?;
            // A request that is given up ends its connection where there is one at a time only.
            let several = !matches!(protocol, Protocol::Http1 | Protocol::Http1Tls);
            if several && self.dice.below(25) == 0 {
                self.leave(client).await?;
            }
        }
        self.leave(client).await
    }

    /// Asks for one thing, as browsers do.
    async fn look(&mut self, client: &Client) -> Result<(), Wrong> {
        match self.dice.below(100) {
            0..60 => self.popular(client).await,
            60..72 => self.again(client).await,
            72..82 => self.discover(client).await,
            82..94 => self.far(client).await,
            _ => self.mistaken(client).await,
        }
    }

    fn url(&mut self) -> String {
        format!("/img/{}?w={}&f=auto", self.dice.one(&PICTURES), self.dice.one(&WIDTHS))
    }

    async fn popular(&mut self, client: &Client) -> Result<(), Wrong> {
        let target = self.url();
        let response = client.ask(Method::GET, &target, &[BROWSER]).await?;
        match response.status().as_u16() {
            200 => {
                self.seen.count("popular");
                self.seen.picture(&target, &response);
            }
            // It may have been purged.
            503 if response.headers().contains_key("retry-after") => self.seen.count("refused"),
            status => self.seen.wrong(format!("{target}: {status}")),
        }
        Ok(())
    }

    async fn again(&mut self, client: &Client) -> Result<(), Wrong> {
        let target = self.url();
        let Some(etag) = self.seen.etags.borrow().get(&target).cloned() else { return Ok(()) };
        let response = client.ask(Method::GET, &target, &[BROWSER, ("if-none-match", &etag)]).await?;
        self.seen.count("revalidated");
        if response.status() != 304 {
            self.seen.wrong(format!("{target}: {} instead of 304", response.status()));
        }
        Ok(())
    }

    /// What nobody has asked for yet.
    async fn discover(&mut self, client: &Client) -> Result<(), Wrong> {
        let target = self.fresh();
        let response = client.ask(Method::GET, &target, &[BROWSER]).await?;
        match response.status().as_u16() {
            200 => self.seen.count("new"),
            503 if response.headers().contains_key("retry-after") => self.seen.count("refused"),
            status => self.seen.wrong(format!("{target}: {status}")),
        }
        Ok(())
    }

    fn fresh(&mut self) -> String {
        let (picture, width) = (self.dice.one(&PICTURES), 50 + self.dice.below(250));
        format!("/img/{picture}?w={width}&f=webp&cb={:016x}", self.dice.below(u64::MAX))
    }

    /// From the origin that fails from time to time: the picture, or an honest error.
    async fn far(&mut self, client: &Client) -> Result<(), Wrong> {
        let picture = self.dice.one(&PICTURES[..2]);
        let target = format!("/far/{picture}?w={}&f=webp", 40 + self.dice.below(400));
        let response = client.ask(Method::GET, &target, &[]).await?;
        match response.status().as_u16() {
            200 => {
                self.seen.count("far");
                self.seen.picture(&target, &response);
            }
            502..=504 => self.seen.count("far-failed"),
            status => self.seen.wrong(format!("{target}: {status}")),
        }
        Ok(())
    }

    async fn mistaken(&mut self, client: &Client) -> Result<(), Wrong> {
        let (target, expected) = self.dice.one(&[("/img/not-there.jpg?w=10", 404), ("/img/river.jpg?w=banana", 400)]);
        let response = client.ask(Method::GET, target, &[]).await?;
        self.seen.count("mistaken");
        if response.status() != expected {
            self.seen.wrong(format!("{target}: {}", response.status()));
        }
        Ok(())
    }

    /// Does not wait for what it has asked for.
    async fn leave(&mut self, client: &Client) -> Result<(), Wrong> {
        let target = self.fresh();
        self.seen.count("left");
        let patience = Duration::from_millis(self.dice.below(20));
        match timeout(patience, client.ask(Method::GET, &target, &[])).await {
            Ok(Ok(_)) | Err(_) => Ok(()),
            Ok(Err(error)) => Err(error),
        }
    }

    /// Comes by a connection of its own for each thing.
    pub(crate) async fn drop_in(mut self) {
        loop {
            self.rest().await;
            let protocol = self.dice.one(&Protocol::ALL);
            let asked = match self.edge.connect(protocol).await {
                Ok(client) => self.look(&client).await,
                Err(error) => Err(error),
            };
            self.seen.count("dropped-in");
            if let Err(error) = asked {
                self.seen.wrong(format!("{protocol:?}: {error}"));
            }
        }
    }

    /// Breaks the rules.
    pub(crate) async fn misbehave(mut self) {
        loop {
            self.rest().await;
            self.seen.count("rude");
            let secure = self.dice.below(2) == 0;
            let address = if secure { self.edge.secure() } else { self.edge.address() };
            // Whatever the server makes of it is right, as long as it is rid of them: the samples tell.
            let _its_end = match self.dice.below(4) {
                0 => say(address, b"GET /img/river.jpg?w=64 HTTP/1.1\r\nHost: a.ex", false).await,
                1 => say(address, b"\x16\x03\x01\xff\xff nonsense \r\n\r\n", true).await,
                2 => say(address, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0", true).await,
                _ => {
                    let head = b"GET /img/landscape.jpg?w=2000&f=jpeg&q=95 HTTP/1.1\r\nHost: a.example\r\n\r\n";
                    say(self.edge.address(), &head.repeat(20), false).await
                }
            };
        }
    }
}

/// Says this and waits for the end, reading all or nothing. A server that holds such a client for longer than its time-outs
/// keeps more and more of them.
async fn say(address: std::net::SocketAddr, words: &[u8], read: bool) -> std::io::Result<()> {
    let mut stream = TcpStream::connect(address).await?;
    stream.write_all(words).await?;
    let limit = Duration::from_secs(if read { 20 } else { 12 });
    let mut sink = [0; 1024];
    let end = async {
        while read && stream.read(&mut sink).await? > 0 {}
        if !read {
            sleep(limit).await;
        }
        Ok(())
    };
    timeout(limit, end).await.unwrap_or(Ok(()))
}

/// The value below which so large a share of them lies.
pub(crate) fn percentile(values: &mut [f64], share: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get((values.len() as f64 * share) as usize).copied().unwrap_or(f64::NAN)
}
