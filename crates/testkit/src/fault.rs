//! A TCP proxy in front of any real server, which does to its answers what a test tells it to, while it runs.
//!
//! It knows bytes, not protocols. A fault holds for connections that are open as well as for new ones, from the moment
//! [`Proxy::set`] returns. Every wait ends when the proxy is dropped; a connection holds one buffer in each direction.

use socket2::{Domain, SockRef, Socket, Type};
use std::io::{self, ErrorKind, Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::thread;
use std::time::Duration;

/// What is done to the bytes that come from the server; counts are of each connection since the fault began.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Nothing.
    Pass,
    /// Whatever comes is held for so long before it goes on.
    Delay(Duration),
    /// So many bytes a second, on each connection.
    Throttle(u32),
    /// So many bytes, then RST. With 0 connections are reset as soon as they are accepted, and open ones at once.
    Reset(u64),
    /// So many bytes, then an orderly end.
    Truncate(u64),
    /// Connections are accepted, and nothing passes in either direction: a machine that froze. What was sent meanwhile
    /// passes afterwards.
    Silent,
    /// One byte of each so many is another one; with 1, all of them are noise.
    Garbage(u32),
    /// Nobody listens, and open connections are reset: a server that died.
    Refuse,
}

impl Fault {
    /// Whether connections that are open end with it.
    fn cuts(self) -> bool {
        matches!(self, Self::Refuse | Self::Reset(0) | Self::Truncate(0))
    }
}

/// The proxy. Ends, with all its connections, when dropped.
#[derive(Debug)]
pub struct Proxy {
    /// Where it listens.
    pub address: SocketAddr,
    shared: Arc<Shared>,
    /// Keeps the port while nobody listens.
    _port: Socket,
}

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug)]
struct State {
    server: SocketAddr,
    fault: Fault,
    /// Counts changes of the fault.
    turn: u64,
    over: bool,
    listening: bool,
    connections: usize,
    links: Vec<Weak<Link>>,
}

/// Both ends of a connection.
#[derive(Debug)]
struct Link {
    client: TcpStream,
    server: TcpStream,
    cut: AtomicBool,
}

impl Link {
    /// Resets the client once both directions have let go.
    fn cut(&self) {
        self.cut.store(true, Ordering::Relaxed);
        let _linger = SockRef::from(&self.client).set_linger(Some(Duration::ZERO));
        self.wake();
    }

    /// Both directions read an end. The client is not told: that happens when they let go.
    fn wake(&self) {
        let _reading = self.client.shutdown(Shutdown::Read);
        let _both = self.server.shutdown(Shutdown::Both);
    }
}

impl Proxy {
    /// On a port of 127.0.0.1 that the system chooses, in front of `server`, which need not be there yet.
    ///
    /// # Panics
    /// Where no port is free.
    #[must_use]
    pub fn new(server: SocketAddr) -> Self {
        let port = socket((Ipv4Addr::LOCALHOST, 0).into()).expect("a free port");
        let address = port.local_addr().ok().and_then(|address| address.as_socket()).expect("bound");
        let (fault, links) = (Fault::Pass, Vec::new());
        let state = State { server, fault, turn: 0, over: false, listening: false, connections: 0, links };
        let shared = Arc::new(Shared { state: Mutex::new(state), changed: Condvar::new() });
        let accepting = Arc::clone(&shared);
        thread::spawn(move || accepting.run(address));
        shared.until(|state| state.listening);
        Self { address, shared, _port: port }
    }

    /// What happens from now on.
    ///
    /// # Panics
    /// Where the port is gone.
    pub fn set(&self, fault: Fault) {
        let links = {
            let mut state = self.shared.lock();
            state.fault = fault;
            state.turn += 1;
            let links: Vec<_> = state.links.iter().filter_map(Weak::upgrade).collect();
            state.links.retain(|link| link.strong_count() > 0);
            links
        };
        self.shared.changed.notify_all();
        if fault.cuts() {
            links.iter().for_each(|link| if fault == Fault::Truncate(0) { link.wake() } else { link.cut() });
        }
        drop(links);
        if fault == Fault::Refuse {
            // Wakes the thread that accepts.
            drop(TcpStream::connect(self.address));
        }
        self.shared.until(|state| state.listening == (fault != Fault::Refuse));
    }

    /// Stands before another server from now on, as after a fail-over. Open connections are reset.
    pub fn lead(&self, server: SocketAddr) {
        let links: Vec<_> = {
            let mut state = self.shared.lock();
            state.server = server;
            state.links.iter().filter_map(Weak::upgrade).collect()
        };
        links.iter().for_each(|link| link.cut());
    }

    /// How many connections it has accepted.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.shared.lock().connections
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        let links = {
            let mut state = self.shared.lock();
            state.over = true;
            state.turn += 1;
            std::mem::take(&mut state.links)
        };
        self.shared.changed.notify_all();
        links.iter().filter_map(Weak::upgrade).for_each(|link| link.cut());
        drop(TcpStream::connect(self.address));
    }
}

/// Bound, so that others can bind too but nobody else is given the port.
fn socket(address: SocketAddr) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
    socket.set_reuse_port(true)?;
    socket.bind(&address.into())?;
    Ok(socket)
}

fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = socket(address)?;
    socket.listen(1024)?;
    Ok(socket.into())
}

/// What a direction does after a wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Next {
    /// The time is over.
    On,
    /// The fault is another one by now.
    Changed,
    Over,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn until(&self, done: impl Fn(&State) -> bool) {
        let waited = self.changed.wait_timeout_while(self.lock(), Duration::from_secs(60), |state| !done(state));
        let (state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        assert!(done(&state), "the port of the proxy is gone");
    }

    fn wait(&self, turn: u64, limit: Duration) -> Next {
        let same = |state: &mut State| !state.over && state.turn == turn;
        let waited = self.changed.wait_timeout_while(self.lock(), limit, same);
        let (state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        match (state.over, state.turn == turn) {
            (true, _) => Next::Over,
            (_, true) => Next::On,
            _ => Next::Changed,
        }
    }

    fn now(&self) -> (Fault, u64) {
        let state = self.lock();
        (state.fault, state.turn)
    }

    /// Listens whenever it may, until it is over.
    fn run(self: &Arc<Self>, address: SocketAddr) {
        loop {
            let refused = |state: &mut State| !state.over && state.fault == Fault::Refuse;
            let state = self.changed.wait_while(self.lock(), refused).unwrap_or_else(PoisonError::into_inner);
            if state.over {
                return;
            }
            drop(state);
            let Ok(listener) = listen(address) else { return };
            self.tell(true);
            for client in listener.incoming().map_while(Result::ok) {
                let mut state = self.lock();
                if state.over || state.fault == Fault::Refuse {
                    break;
                }
                state.connections += 1;
                drop(state);
                let shared = Arc::clone(self);
                thread::spawn(move || shared.connect(client));
            }
            drop(listener);
            self.tell(false);
        }
    }

    fn tell(&self, listening: bool) {
        self.lock().listening = listening;
        self.changed.notify_all();
    }

    fn connect(self: &Arc<Self>, client: TcpStream) {
        let fault = loop {
            match self.now() {
                (Fault::Silent, turn) if self.wait(turn, Duration::MAX) == Next::Over => return,
                (Fault::Silent, _) => {}
                (fault, _) => break fault,
            }
        };
        let server = if fault.cuts() { None } else { TcpStream::connect(self.lock().server).ok() };
        let Some(server) = server else {
            if fault != Fault::Truncate(0) {
                let _linger = SockRef::from(&client).set_linger(Some(Duration::ZERO));
            }
            return;
        };
        let _latency = (client.set_nodelay(true), server.set_nodelay(true));
        let link = Arc::new(Link { client, server, cut: AtomicBool::new(false) });
        {
            let mut state = self.lock();
            // What was set meanwhile has not seen this one.
            if state.over || state.fault.cuts() {
                return link.cut();
            }
            state.links.retain(|link| link.strong_count() > 0);
            state.links.push(Arc::downgrade(&link));
        }
        let (shared, other) = (Arc::clone(self), Arc::clone(&link));
        thread::spawn(move || {
            // Whoever leaves ends the one direction.
            let _left = shared.ask(&other);
            let _done = other.server.shutdown(Shutdown::Write);
        });
        match self.answer(&link) {
            // An orderly end goes on as one.
            Ok(()) if !link.cut.load(Ordering::Relaxed) => {
                let _done = link.client.shutdown(Shutdown::Write);
                link.wake();
            }
            _ => link.cut(),
        }
    }

    /// From the client to the server.
    fn ask(&self, link: &Link) -> io::Result<()> {
        let mut buffer = vec![0; 16 << 10];
        loop {
            let read = read(&link.client, &mut buffer)?;
            if read == 0 {
                return Ok(());
            }
            while let (Fault::Silent, turn) = self.now() {
                if self.wait(turn, Duration::MAX) == Next::Over {
                    return Ok(());
                }
            }
            (&link.server).write_all(&buffer[..read])?;
        }
    }

    /// From the server to the client. `Ok` is an orderly end, an error a reset.
    fn answer(&self, link: &Link) -> io::Result<()> {
        let mut buffer = vec![0; 16 << 10];
        let (mut turn, mut passed, mut noise) = (0, 0_u64, Noise(0x9e37_79b9_7f4a_7c15));
        loop {
            let read = read(&link.server, &mut buffer)?;
            if read == 0 {
                return Ok(());
            }
            let mut rest = &mut buffer[..read];
            while !rest.is_empty() {
                let (fault, now) = self.now();
                if turn != now {
                    (turn, passed) = (now, 0);
                }
                let (some, wait) = pace(fault, rest.len(), passed);
                if fault == Fault::Silent || !wait.is_zero() {
                    match self.wait(turn, if wait.is_zero() { Duration::MAX } else { wait }) {
                        Next::On => {}
                        Next::Changed => continue,
                        Next::Over => return Ok(()),
                    }
                }
                let (chunk, later) = rest.split_at_mut(some);
                if let Fault::Garbage(every) = fault {
                    noise.spoil(chunk, every, passed);
                }
                (&link.client).write_all(chunk)?;
                passed += some as u64;
                rest = later;
                match fault {
                    Fault::Reset(after) if passed >= after => return Err(ErrorKind::ConnectionReset.into()),
                    Fault::Truncate(after) if passed >= after => return Ok(()),
                    _ => {}
                }
            }
        }
    }
}

/// How many of so many bytes go on next, and after which wait.
fn pace(fault: Fault, bytes: usize, passed: u64) -> (usize, Duration) {
    let most = |limit: u64| bytes.min(usize::try_from(limit).unwrap_or(usize::MAX));
    match fault {
        Fault::Delay(time) => (bytes, time),
        Fault::Throttle(rate) => {
            let rate = u64::from(rate.max(1));
            let some = most((rate / 50).max(1));
            (some, Duration::from_secs_f64(some as f64 / rate as f64))
        }
        Fault::Reset(after) | Fault::Truncate(after) => (most(after.saturating_sub(passed)), Duration::ZERO),
        _ => (bytes, Duration::ZERO),
    }
}

fn read(mut stream: &TcpStream, buffer: &mut [u8]) -> io::Result<usize> {
    loop {
        match stream.read(buffer) {
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            other => return other,
        }
    }
}

/// Xorshift: the same noise each time.
struct Noise(u64);

impl Noise {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    /// Alters one byte of each `every`, counted from the fault's beginning.
    fn spoil(&mut self, bytes: &mut [u8], every: u32, passed: u64) {
        let every = u64::from(every.max(1));
        for (byte, place) in bytes.iter_mut().zip(passed..) {
            if place % every == every - 1 {
                // Never 0: it is another byte afterwards.
                *byte ^= (self.next() % 255 + 1) as u8;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Instant;

    /// Answers each byte with 1000 of it.
    fn server() -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("bound");
        thread::spawn(move || {
            for mut stream in listener.incoming().map_while(Result::ok) {
                thread::spawn(move || {
                    let mut byte = [0];
                    while stream.read_exact(&mut byte).is_ok() && stream.write_all(&[byte[0]; 1000]).is_ok() {}
                });
            }
        });
        address
    }

    fn open(proxy: &Proxy) -> TcpStream {
        let stream = TcpStream::connect(proxy.address).expect("it listens");
        stream.set_read_timeout(Some(Duration::from_secs(30))).expect("above zero");
        stream
    }

    /// Asks with one byte and reads until the whole answer is there, or what comes instead.
    fn ask(mut stream: &TcpStream) -> io::Result<Vec<u8>> {
        stream.write_all(b"a")?;
        let mut answer = Vec::new();
        let mut buffer = [0; 1000];
        while answer.len() < 1000 {
            match stream.read(&mut buffer)? {
                0 => break,
                read => answer.extend_from_slice(&buffer[..read]),
            }
        }
        Ok(answer)
    }

    const WHOLE: [u8; 1000] = [b'a'; 1000];

    fn passes(stream: &TcpStream) -> bool {
        ask(stream).is_ok_and(|answer| answer == WHOLE)
    }

    #[test]
    fn it_passes_delays_and_throttles() {
        let proxy = Proxy::new(server());
        let stream = open(&proxy);
        assert!(passes(&stream) && passes(&stream));
        for (fault, least) in [(Fault::Delay(Duration::from_millis(100)), 100), (Fault::Throttle(5000), 180)] {
            proxy.set(fault);
            let began = Instant::now();
            assert!(passes(&stream), "{fault:?}");
            assert!(began.elapsed() >= Duration::from_millis(least), "{fault:?}: {:?}", began.elapsed());
        }
        assert_eq!(proxy.connections(), 1);
    }

    #[test]
    fn it_resets_and_truncates() {
        let proxy = Proxy::new(server());
        let stream = open(&proxy);
        assert!(passes(&stream));
        proxy.set(Fault::Reset(0));
        let broken = ask(&stream).map_err(|error| error.kind());
        assert!(matches!(broken, Err(ErrorKind::ConnectionReset | ErrorKind::BrokenPipe)), "open ones too: {broken:?}");
        let broken = ask(&open(&proxy)).map_err(|error| error.kind());
        assert!(matches!(broken, Err(ErrorKind::ConnectionReset | ErrorKind::BrokenPipe)), "{broken:?}");
        proxy.set(Fault::Reset(10));
        let broken = ask(&open(&proxy));
        assert!(broken.is_err(), "{broken:?}");
        proxy.set(Fault::Truncate(10));
        assert_eq!(ask(&open(&proxy)).expect("an orderly end"), [b'a'; 10]);
        proxy.set(Fault::Pass);
        assert!(passes(&open(&proxy)));
    }

    #[test]
    fn it_falls_silent_and_speaks_again() {
        let proxy = Proxy::new(server());
        let known = open(&proxy);
        assert!(passes(&known));
        proxy.set(Fault::Silent);
        let unknown = open(&proxy);
        for stream in [&known, &unknown] {
            stream.set_read_timeout(Some(Duration::from_millis(50))).expect("above zero");
            let silence = ask(stream).map_err(|error| error.kind());
            assert!(matches!(silence, Err(ErrorKind::WouldBlock | ErrorKind::TimedOut)), "{silence:?}");
            stream.set_read_timeout(Some(Duration::from_secs(30))).expect("above zero");
        }
        proxy.set(Fault::Pass);
        for mut stream in [&known, &unknown] {
            let mut late = [0; 1000];
            stream.read_exact(&mut late).expect("what was asked meanwhile");
            assert!(late == WHOLE && passes(stream));
        }
    }

    #[test]
    fn it_speaks_garbage() {
        let proxy = Proxy::new(server());
        let stream = open(&proxy);
        for (every, altered) in [(1, 1000), (100, 10)] {
            proxy.set(Fault::Garbage(every));
            let answer = ask(&stream).expect("as many bytes");
            assert_eq!(answer.iter().filter(|byte| **byte != b'a').count(), altered);
        }
    }

    #[test]
    fn it_refuses_and_keeps_its_port() {
        let proxy = Proxy::new(server());
        let known = open(&proxy);
        assert!(passes(&known));
        for _ in 0..3 {
            proxy.set(Fault::Refuse);
            assert!(ask(&known).is_err());
            let refused = TcpStream::connect(proxy.address).map_err(|error| error.kind());
            assert!(matches!(refused, Err(ErrorKind::ConnectionRefused)), "{refused:?}");
            proxy.set(Fault::Pass);
            assert!(passes(&open(&proxy)));
        }
        let address = proxy.address;
        drop(proxy);
        let began = Instant::now();
        while TcpStream::connect(address).is_ok() {
            assert!(began.elapsed() < Duration::from_secs(30), "it does not end");
        }
    }

    #[test]
    fn it_leads_elsewhere() {
        let nobody = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a port");
        let proxy = Proxy::new(server());
        let known = open(&proxy);
        assert!(passes(&known));
        proxy.lead(nobody);
        assert!(ask(&known).is_err() && !passes(&open(&proxy)));
        proxy.lead(server());
        assert!(passes(&open(&proxy)));
    }

    #[test]
    fn without_a_server_connections_end() {
        let nobody = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a port");
        let proxy = Proxy::new(nobody);
        // It may be reset before it is told that it is open.
        match TcpStream::connect(proxy.address) {
            Ok(stream) => {
                stream.set_read_timeout(Some(Duration::from_secs(30))).expect("above zero");
                assert!(!passes(&stream));
            }
            Err(error) => assert_eq!(error.kind(), io::ErrorKind::ConnectionReset),
        }
    }
}
