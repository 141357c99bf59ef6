//! S3 for tests, twice: within this process over a folder, with signatures checked (`s3s-fs`); and moto, a process of its own
//! that checks none, but knows more of S3: conditions, versions, buckets that are not there.
//!
//! Both listen on a port of 127.0.0.1 and end with the test. moto stands in for other AWS services too: its endpoint answers
//! for Secrets Manager and CloudFront.

use crate::wire::{self, Connection, Reply};
use hyper::Request;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use s3s::auth::SimpleAuth;
use s3s::service::{S3Service, S3ServiceBuilder};
use s3s::{Body, HttpError, HttpResponse};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};
use tokio::net::TcpListener;
use tokio::sync::oneshot;

/// The one key pair that [`Inside`] knows.
pub const KEY_ID: &str = "tintype-test";
/// Its secret.
pub const SECRET: &str = "a secret that only tests know";
/// Whose all that moto has is.
const ACCOUNT: &str = "123456789012";

/// The keys of a config, below `table`, that lead to a bucket of the server at `address`, with the key pair above.
#[must_use]
pub fn sets(table: &str, identity: &str, address: SocketAddr, bucket: &str) -> Vec<String> {
    vec![
        format!("{table}.bucket={bucket}"),
        format!("{table}.endpoint=http://{address}"),
        format!("{identity}.access_key_id={KEY_ID}"),
        format!("{identity}.secret_access_key={SECRET}"),
    ]
}

/// Status and code that everything is answered with for now.
type Refusal = Arc<Mutex<Option<(u16, &'static str)>>>;

/// A server within this process. Ends when dropped.
#[derive(Debug)]
pub struct Inside {
    /// Where it listens.
    pub address: SocketAddr,
    folder: tempfile::TempDir,
    refusal: Refusal,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Inside {
    /// With these buckets, empty.
    ///
    /// # Panics
    /// Where there is no port or no room.
    #[must_use]
    pub fn start(buckets: &[&str]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        for bucket in buckets {
            std::fs::create_dir(folder.path().join(bucket)).expect("a bucket is a folder");
        }
        let mut builder = S3ServiceBuilder::new(s3s_fs::FileSystem::new(folder.path()).expect("a folder"));
        builder.set_auth(SimpleAuth::from_single(KEY_ID, SECRET));
        let service = builder.build();
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("bound");
        let (stop, stopped) = oneshot::channel();
        let refusal = Refusal::default();
        let refusing = Arc::clone(&refusal);
        let thread = thread::spawn(move || serve(listener, &service, &refusing, stopped));
        Self { address, folder, refusal, stop: Some(stop), thread: Some(thread) }
    }

    /// From now on everything is answered with this status and code, such as 503 `SlowDown`; with `None` as it should be.
    pub fn refuse(&self, refusal: Option<(u16, &'static str)>) {
        *self.refusal.lock().unwrap_or_else(PoisonError::into_inner) = refusal;
    }

    /// Puts an object there behind the server's back.
    ///
    /// # Panics
    /// Where the file system cannot have such a name.
    pub fn put(&self, bucket: &str, key: &str, bytes: impl AsRef<[u8]>) -> &Self {
        let path = self.path(bucket, key);
        std::fs::create_dir_all(path.parent().expect("below the bucket")).expect("a folder");
        std::fs::write(path, bytes).expect("a file");
        self
    }

    /// The file that an object is.
    #[must_use]
    pub fn path(&self, bucket: &str, key: &str) -> PathBuf {
        self.folder.path().join(bucket).join(key)
    }

    /// The keys of a bucket, in order.
    ///
    /// # Panics
    /// Where there is no such bucket.
    #[must_use]
    pub fn keys(&self, bucket: &str) -> Vec<String> {
        let root = self.folder.path().join(bucket);
        let mut keys = Vec::new();
        let mut folders = vec![root.clone()];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(&folder).expect("a bucket").map(|entry| entry.expect("readable").path()) {
                if entry.is_dir() {
                    folders.push(entry);
                } else {
                    let key = entry.strip_prefix(&root).expect("below the bucket");
                    keys.push(key.to_string_lossy().into_owned());
                }
            }
        }
        keys.sort();
        keys
    }
}

impl Drop for Inside {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            // Its thread has ended where nobody takes the word.
            let _ended = stop.send(());
        }
        if let Some(thread) = self.thread.take() {
            let _panicked = thread.join();
        }
    }
}

fn serve(listener: std::net::TcpListener, service: &S3Service, refusal: &Refusal, mut stopped: oneshot::Receiver<()>) {
    listener.set_nonblocking(true).expect("a socket");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let listener = TcpListener::from_std(listener).expect("a runtime");
        loop {
            let stream = tokio::select! {
                accepted = listener.accept() => accepted,
                _ = &mut stopped => return,
            };
            let Ok((stream, _)) = stream else { continue };
            // The head and the body of an answer are written apart: Nagle's algorithm would hold back the body for the client's
            // delayed acknowledgement, 40 ms.
            let _latency = stream.set_nodelay(true);
            let (service, refusal) = (service.clone(), Arc::clone(refusal));
            tokio::spawn(async move {
                let builder = Builder::new(TokioExecutor::new());
                let service = service_fn(move |request| answer(service.clone(), Arc::clone(&refusal), request));
                let _client_left = builder.serve_connection(TokioIo::new(stream), service).await;
            });
        }
    });
}

async fn answer(service: S3Service, refusal: Refusal, request: Request<Incoming>) -> Result<HttpResponse, HttpError> {
    let refusal = *refusal.lock().unwrap_or_else(PoisonError::into_inner);
    let Some((status, code)) = refusal else { return service.call(request.map(Body::from)).await };
    let mut response = HttpResponse::new(Body::from(format!("<Error><Code>{code}</Code></Error>")));
    *response.status_mut() = status.try_into().expect("a status");
    Ok(response)
}

/// moto's own start, with a lock round its application.
const ONE_AT_A_TIME: &str = "
import sys, threading, moto.server
lock, run = threading.Lock(), moto.server.run_simple
def ordered(host, port, application, **rest):
    def one(environment, start):
        with lock:
            return list(application(environment, start))
    run(host, port, one, **rest)
moto.server.run_simple = ordered
moto.server.main(sys.argv[1:])
";

/// moto's server. Killed when dropped.
#[derive(Debug)]
pub struct Moto {
    child: Child,
    /// Where it listens.
    pub address: SocketAddr,
}

impl Moto {
    /// With these buckets, empty. `None`, with a line that says so, where it is not installed and `TINTYPE_NEED_SERVERS` does
    /// not demand it (`make test` installs it and does).
    ///
    /// # Panics
    /// Where it does not come up, or is demanded and missing.
    #[must_use]
    pub fn start(buckets: &[&str]) -> Option<Self> {
        let server = Self::begin("moto_server", &[])?;
        for bucket in buckets {
            assert_eq!(server.ask("PUT", &format!("/{bucket}"), &[], b"").status, 200, "a bucket {bucket}");
        }
        Some(server)
    }

    /// One that answers one request at a time. Transactions of moto's DynamoDB are not kept apart from requests beside them:
    /// what one takes back, others lose. `None` as for [`Moto::start`].
    ///
    /// # Panics
    /// As [`Moto::start`].
    #[must_use]
    pub fn start_ordered() -> Option<Self> {
        Self::begin("python3", &["-c", ONE_AT_A_TIME])
    }

    fn begin(program: &str, arguments: &[&str]) -> Option<Self> {
        let binary = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../.tools/moto/bin")).join(program);
        let address = crate::redis::free();
        let mut command = Command::new(&binary);
        command.args(arguments).args(["-H", "127.0.0.1", "-p", &address.port().to_string()]);
        let started = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        let child = match started {
            Ok(child) => child,
            Err(error) => {
                crate::skip(&format!("{}: {error} (scripts/setup/test.sh installs moto)", binary.display()));
                return None;
            }
        };
        let server = Self { child, address };
        let began = Instant::now();
        while Connection::open(address).is_err() {
            assert!(began.elapsed() < Duration::from_secs(60), "moto does not answer at {address}");
            thread::sleep(Duration::from_millis(20));
        }
        Some(server)
    }

    /// Puts an object there; `key` as a URL has it, escaped.
    ///
    /// # Panics
    /// Where it does not take it.
    pub fn put(&self, bucket: &str, key: &str, fields: &[(&str, &str)], bytes: impl AsRef<[u8]>) -> Reply {
        let reply = self.ask("PUT", &format!("/{bucket}/{key}"), fields, bytes.as_ref());
        assert_eq!(reply.status, 200, "{key}: {}", reply.text());
        reply
    }

    /// Any request, as if it were signed.
    ///
    /// # Panics
    /// Where no whole response comes.
    #[must_use]
    pub fn ask(&self, method: &str, target: &str, fields: &[(&str, &str)], body: &[u8]) -> Reply {
        self.ask_service("s3", method, target, fields, body)
    }

    /// Makes a queue of SQS, and gives its URL.
    ///
    /// # Panics
    /// Where it is not made.
    #[must_use]
    pub fn queue(&self, name: &str) -> String {
        let form = [("content-type", "application/x-www-form-urlencoded")];
        let body = format!("Action=CreateQueue&QueueName={name}&Version=2012-11-05");
        let reply = self.ask_service("sqs", "POST", "/", &form, body.as_bytes());
        assert_eq!(reply.status, 200, "a queue {name}: {}", reply.text());
        format!("http://{}/{ACCOUNT}/{name}", self.address)
    }

    /// Has a bucket tell a queue of every new object whose key begins so.
    ///
    /// # Panics
    /// Where it does not take that.
    pub fn notify(&self, bucket: &str, prefix: &str, queue: &str) {
        let body = format!(
            "<NotificationConfiguration><QueueConfiguration><Queue>arn:aws:sqs:us-east-1:{ACCOUNT}:{queue}</Queue>\
             <Event>s3:ObjectCreated:*</Event><Filter><S3Key><FilterRule><Name>prefix</Name><Value>{prefix}</Value>\
             </FilterRule></S3Key></Filter></QueueConfiguration></NotificationConfiguration>"
        );
        let reply = self.ask("PUT", &format!("/{bucket}?notification"), &[], body.as_bytes());
        assert_eq!(reply.status, 200, "notifications: {}", reply.text());
    }

    fn ask_service(&self, service: &str, method: &str, target: &str, fields: &[(&str, &str)], body: &[u8]) -> Reply {
        let signed = format!(
            "AWS4-HMAC-SHA256 Credential={KEY_ID}/20200101/us-east-1/{service}/aws4_request, SignedHeaders=host, Signature=0"
        );
        let length = body.len().to_string();
        let mut own = vec![("authorization", signed.as_str()), ("content-length", &length)];
        if !fields.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-type")) {
            // Without a type, moto takes a body for a form's.
            own.push(("content-type", "application/octet-stream"));
        }
        let host = self.address.to_string();
        own.push(("host", &host));
        own.extend(fields);
        let message = [wire::head(method, target, &own).as_bytes(), body].concat();
        let reply = Connection::open(self.address).and_then(|mut connection| {
            connection.send(&message)?;
            connection.reply(method)
        });
        reply.unwrap_or_else(|error| panic!("{method} {target}: {error}"))
    }
}

impl Drop for Moto {
    fn drop(&mut self) {
        // Ended already where the test went well.
        let _gone = self.child.kill();
        let _status = self.child.wait();
    }
}
