//! An HTTP/1.1 server that does to its clients whatever a test tells it to: answers, waits, drips, breaks off, lies.
//!
//! One thread accepts, one serves each connection. What it was asked is on record. Every wait ends when it is dropped.

use std::collections::HashMap;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

/// What is done with one request.
#[derive(Clone, Debug)]
pub enum Act {
    /// Answers so: status, fields, body. `Content-Length` is added where no field says how the body ends.
    Answer(u16, Vec<(String, String)>, Vec<u8>),
    /// Answers as the other does, once the test has called [`Origin::release`].
    Held(Box<Act>),
    /// Sends these bytes as they are, and ends the connection.
    Raw(Vec<u8>),
    /// Sends these bytes, and then nothing more while the connection stays open.
    Hang(Vec<u8>),
    /// Sends these bytes one by one with a pause between them.
    Drip(Vec<u8>, Duration),
    /// Sends these bytes and resets the connection.
    Reset(Vec<u8>),
}

impl Act {
    /// 200 with these fields.
    #[must_use]
    pub fn ok(fields: &[(&str, &str)], body: impl Into<Vec<u8>>) -> Self {
        Self::status(200, fields, body)
    }

    /// Any status.
    #[must_use]
    pub fn status(status: u16, fields: &[(&str, &str)], body: impl Into<Vec<u8>>) -> Self {
        let fields = fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Self::Answer(status, fields, body.into())
    }

    /// Waits for the test.
    #[must_use]
    pub fn held(self) -> Self {
        Self::Held(Box::new(self))
    }
}

/// A request as it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// Such as `/a.png?v=1`.
    pub target: String,
    /// Names in lower case.
    pub fields: Vec<(String, String)>,
    /// Which connection it came by, counted from 0.
    pub connection: usize,
}

impl Asked {
    /// The value of a field; the first where there are several.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str())
    }
}

#[derive(Debug, Default)]
struct State {
    /// What to do by target; the last act of a list is repeated.
    acts: HashMap<String, Vec<Act>>,
    asked: Vec<Asked>,
    connections: usize,
    released: bool,
    over: bool,
}

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

/// The server. Ends when dropped.
#[derive(Debug)]
pub struct Origin {
    /// Where it listens.
    pub address: SocketAddr,
    shared: Arc<Shared>,
}

impl Default for Origin {
    fn default() -> Self {
        Self::new()
    }
}

impl Origin {
    /// On a port of 127.0.0.1 that the system chooses. It answers 404 to whatever no act is set for.
    ///
    /// # Panics
    /// Where no port is free.
    #[must_use]
    pub fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("bound");
        let shared = Arc::new(Shared::default());
        let served = Arc::clone(&shared);
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let number = {
                    let mut state = served.lock();
                    if state.over {
                        return;
                    }
                    state.connections += 1;
                    state.connections - 1
                };
                let shared = Arc::clone(&served);
                // A client that leaves is no failure of the test.
                thread::spawn(move || drop(serve(&shared, &stream, number)));
            }
        });
        Self { address, shared }
    }

    /// Its root, such as `http://127.0.0.1:1234/`.
    #[must_use]
    pub fn base(&self) -> String {
        format!("http://{}/", self.address)
    }

    /// What requests for `target` get, in this order; the last again and again.
    pub fn on(&self, target: &str, acts: impl IntoIterator<Item = Act>) -> &Self {
        self.shared.lock().acts.insert(target.to_owned(), acts.into_iter().collect());
        self
    }

    /// Lets all [`Act::Held`] go on, now and later.
    pub fn release(&self) {
        self.shared.lock().released = true;
        self.shared.changed.notify_all();
    }

    /// Every request so far.
    #[must_use]
    pub fn asked(&self) -> Vec<Asked> {
        self.shared.lock().asked.clone()
    }

    /// How many requests there were for `target`.
    #[must_use]
    pub fn count(&self, target: &str) -> usize {
        self.shared.lock().asked.iter().filter(|asked| asked.target == target).count()
    }

    /// Waits until there were so many requests for `target`.
    ///
    /// # Panics
    /// After a minute.
    pub fn until(&self, target: &str, count: usize) {
        let (state, patience) = (self.shared.lock(), Duration::from_secs(60));
        let missing = |state: &mut State| state.asked.iter().filter(|asked| asked.target == target).count() < count;
        let waited = self.shared.changed.wait_timeout_while(state, patience, missing);
        let (_state, result) = waited.unwrap_or_else(PoisonError::into_inner);
        assert!(!result.timed_out(), "{target} was not asked for {count} times");
    }
}

impl Drop for Origin {
    fn drop(&mut self) {
        self.shared.lock().over = true;
        self.shared.changed.notify_all();
        // Wakes the thread that accepts.
        drop(TcpStream::connect(self.address));
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits; true when the time has passed, false when the server ends before.
    fn wait(&self, time: Duration) -> bool {
        let waited = self.changed.wait_timeout_while(self.lock(), time, |state| !state.over);
        !waited.unwrap_or_else(PoisonError::into_inner).0.over
    }

    fn next(&self, asked: Asked) -> Act {
        let mut state = self.lock();
        let before = state.asked.iter().filter(|other| other.target == asked.target).count();
        let acts = state.acts.get(&asked.target);
        let act = acts.and_then(|acts| acts.get(before.min(acts.len().saturating_sub(1)))).cloned();
        state.asked.push(asked);
        drop(state);
        self.changed.notify_all();
        act.unwrap_or_else(|| Act::status(404, &[], "nothing here"))
    }
}

fn serve(shared: &Shared, stream: &TcpStream, connection: usize) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut reader = BufReader::new(stream.try_clone()?);
    while let Some(asked) = read(&mut reader, connection)? {
        let mut act = shared.next(asked);
        while let Act::Held(inner) = act {
            let state = shared.changed.wait_while(shared.lock(), |state| !state.released && !state.over);
            if state.unwrap_or_else(PoisonError::into_inner).over {
                return Ok(());
            }
            act = *inner;
        }
        if !perform(shared, stream, act)? {
            return Ok(());
        }
    }
    Ok(())
}

/// True where the connection can be used again.
fn perform(shared: &Shared, mut stream: &TcpStream, act: Act) -> io::Result<bool> {
    match act {
        Act::Answer(status, fields, body) => {
            let framed = fields.iter().any(|(name, _)| {
                name.eq_ignore_ascii_case("content-length") || name.eq_ignore_ascii_case("transfer-encoding")
            });
            let mut head = format!("HTTP/1.1 {status} Said So\r\n");
            fields.iter().for_each(|(name, value)| head.push_str(&format!("{name}: {value}\r\n")));
            if !framed && status != 304 {
                head.push_str(&format!("content-length: {}\r\n", body.len()));
            }
            let mut message = format!("{head}\r\n").into_bytes();
            message.extend_from_slice(&body);
            stream.write_all(&message)?;
            return Ok(!framed);
        }
        Act::Raw(bytes) => {
            stream.write_all(&bytes)?;
            stream.shutdown(Shutdown::Write)?;
            // Whoever closes over unread bytes resets; the client shall see an orderly end.
            let _until_the_client_leaves = stream.read(&mut [0; 64]);
        }
        Act::Hang(bytes) => {
            stream.write_all(&bytes)?;
            shared.wait(Duration::from_secs(600));
        }
        Act::Drip(bytes, pause) => {
            for byte in bytes {
                stream.write_all(&[byte])?;
                if !shared.wait(pause) {
                    break;
                }
            }
        }
        Act::Reset(bytes) => {
            stream.write_all(&bytes)?;
            // Closing with nothing to linger for sends RST.
            socket2::SockRef::from(stream).set_linger(Some(Duration::ZERO))?;
        }
        Act::Held(_) => {}
    }
    Ok(false)
}

/// The next request's head; `None` at the connection's end.
fn read(reader: &mut impl BufRead, connection: usize) -> io::Result<Option<Asked>> {
    let mut line = String::new();
    if reader.read_line(&mut line)? == 0 {
        return Ok(None);
    }
    let target = line.split(' ').nth(1).unwrap_or_default().to_owned();
    let mut fields = Vec::new();
    loop {
        line.clear();
        if reader.read_line(&mut line)? == 0 {
            return Ok(None);
        }
        match line.trim_end().split_once(':') {
            Some((name, value)) => fields.push((name.to_ascii_lowercase(), value.trim().to_owned())),
            None => return Ok(Some(Asked { target, fields, connection })),
        }
    }
}
