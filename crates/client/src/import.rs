//! Import of a folder: every picture below it, several at once; what the server has already is not sent again.
//!
//! Knows no terminal. Invariants: an import that is interrupted, however, goes on where it was; one file that is refused
//! does not end it.

use crate::failure::Failure;
use crate::journal::{Entry, Journal};
use crate::session::Client;
use crate::upload::{Progress, Source, Target};
use crate::walk::{self, Found};
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::task::JoinSet;

/// What is imported.
#[derive(Clone, Debug)]
pub struct Import {
    /// The folder.
    pub folder: PathBuf,
    /// What published names begin with: empty, or a folder with a slash at its end.
    pub prefix: String,
    /// Uploads at once.
    pub at_once: usize,
    /// Where it is written down how far the import is; `.tintype-import` in the folder where nothing is said.
    pub journal: Option<PathBuf>,
}

/// What became of a file.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// It was sent.
    Sent,
    /// The server had it.
    There,
    /// It was not taken.
    Failed(Failure),
}

/// What an import tells while it runs.
#[derive(Clone, Debug)]
pub enum Step {
    /// So many pictures, of so many bytes, are in the folder.
    Counted {
        /// Pictures.
        files: usize,
        /// Their bytes.
        bytes: u64,
    },
    /// So many bytes more have been sent.
    Sent(u64),
    /// A file is done with.
    Ended {
        /// The name that it is published under.
        path: String,
        /// Its length.
        bytes: u64,
        /// What became of it.
        outcome: Outcome,
    },
}

/// What an import came to.
#[derive(Clone, Debug, Default)]
pub struct Summary {
    /// Pictures that were sent.
    pub sent: usize,
    /// Pictures that the server had.
    pub there: usize,
    /// Pictures and folders that could not be read or were not taken, with the reason.
    pub failed: Vec<(String, Failure)>,
    /// It was interrupted.
    pub interrupted: bool,
}

struct Run {
    client: Client,
    journal: Journal,
    files: Vec<(Found, u64)>,
    prefix: String,
    next: AtomicUsize,
    stop: Arc<AtomicBool>,
    summary: Mutex<Summary>,
}

/// Who hears of steps.
type Listener = Arc<dyn Fn(Step) + Send + Sync>;

impl Import {
    /// Runs it. Once `stop` is true nothing more is begun; what is being sent is finished.
    ///
    /// # Errors
    /// The folder cannot be read, the journal cannot be kept, or nobody is signed in.
    pub async fn run(
        &self,
        client: &Client,
        stop: Arc<AtomicBool>,
        tell: impl Fn(Step) + Send + Sync + 'static,
    ) -> Result<Summary, Failure> {
        let tell: Listener = Arc::new(tell);
        client.account().await?;
        let (found, unread) = walk::pictures(&self.folder)?;
        let length = |found: Found| {
            let bytes = std::fs::metadata(&found.file).map_or(0, |about| about.len());
            (found, bytes)
        };
        let files: Vec<_> = found.into_iter().map(length).collect();
        tell(Step::Counted { files: files.len(), bytes: files.iter().map(|(_, bytes)| bytes).sum() });
        let place = self.journal.clone().unwrap_or_else(|| self.folder.join(".tintype-import"));
        let journal = Journal::open(&place, &client.server(), &self.prefix)?;
        let failed = unread.into_iter().map(|failure| (self.folder.display().to_string(), failure)).collect();
        let run = Arc::new(Run {
            client: client.clone(),
            journal,
            files,
            prefix: self.prefix.clone(),
            next: AtomicUsize::new(0),
            stop,
            summary: Mutex::new(Summary { failed, ..Summary::default() }),
        });
        let mut workers = JoinSet::new();
        for _ in 0..self.at_once.max(1) {
            workers.spawn(Arc::clone(&run).work(Arc::clone(&tell)));
        }
        while let Some(ended) = workers.join_next().await {
            ended.map_err(|error| Failure::Local(format!("the import: {error}")))??;
        }
        let run = Arc::into_inner(run).expect("every worker has ended");
        let mut summary = run.summary.into_inner().unwrap_or_else(PoisonError::into_inner);
        summary.interrupted = run.next.into_inner() < run.files.len();
        if !summary.interrupted && summary.failed.is_empty() {
            run.journal.remove()?;
        }
        Ok(summary)
    }
}

impl Run {
    /// Takes one file after the other. Ends with an error where going on would fail for every file.
    async fn work(self: Arc<Self>, tell: Listener) -> Result<(), Failure> {
        while !self.stop.load(Ordering::Relaxed) {
            let at = self.next.fetch_add(1, Ordering::Relaxed);
            let Some((found, bytes)) = self.files.get(at) else {
                self.next.fetch_min(self.files.len(), Ordering::Relaxed);
                return Ok(());
            };
            let path = format!("{}{}", self.prefix, found.name);
            let told = Mutex::new(0);
            let progress = |progress: Progress| {
                let mut told = told.lock().unwrap_or_else(PoisonError::into_inner);
                let more = progress.sent.saturating_sub(*told);
                *told = (*told).max(progress.sent);
                if more > 0 {
                    tell(Step::Sent(more));
                }
            };
            let outcome = match self.one(&found.file, &path, &progress).await {
                Ok(outcome) => outcome,
                Err(failure @ Failure::SignedOut(_)) => {
                    self.stop.store(true, Ordering::Relaxed);
                    return Err(failure);
                }
                Err(failure) => Outcome::Failed(failure),
            };
            {
                let mut summary = self.summary.lock().unwrap_or_else(PoisonError::into_inner);
                match &outcome {
                    Outcome::Sent => summary.sent += 1,
                    Outcome::There => summary.there += 1,
                    Outcome::Failed(failure) => summary.failed.push((path.clone(), failure.clone())),
                }
            }
            tell(Step::Ended { path, bytes: *bytes, outcome });
        }
        Ok(())
    }

    async fn one(&self, file: &Path, path: &str, tell: &(dyn Fn(Progress) + Sync)) -> Result<Outcome, Failure> {
        let source = Source::look(file)?;
        let begun = match self.journal.known(path, source.bytes, source.modified) {
            Some(Entry::Done { .. }) => return Ok(Outcome::There),
            Some(Entry::Begun { upload }) => Some(upload.clone()),
            None => None,
        };
        let note = |entry| self.journal.note(path, source.bytes, source.modified, entry);
        if begun.is_none()
            && let Some(asset) = self.client.find(path).await?
            && asset.content.bytes == source.bytes
        {
            let hash = hash(file.to_owned()).await?;
            if hash == asset.content.hash {
                note(Entry::Done { hash })?;
                return Ok(Outcome::There);
            }
        }
        // Without it the upload would begin anew next time: worth telling, not worth failing.
        let remember = |upload: &str| drop(note(Entry::Begun { upload: upload.to_owned() }));
        let asset = self.client.transfer(&source, Target { path, begun }, tell, &remember).await?;
        note(Entry::Done { hash: asset.content.hash })?;
        Ok(Outcome::Sent)
    }
}

/// BLAKE3 of a file, in hexadecimal.
async fn hash(file: PathBuf) -> Result<String, Failure> {
    #[expect(clippy::disallowed_methods, reason = "one for each upload at work")]
    let work = tokio::task::spawn_blocking(move || {
        let mut hasher = blake3::Hasher::new();
        let mut chunk = vec![0; 256 << 10];
        let fault = |error| Failure::file(&file, error);
        let mut open = std::fs::File::open(&file).map_err(fault)?;
        loop {
            match open.read(&mut chunk).map_err(fault)? {
                0 => break,
                count => hasher.update(&chunk[..count]),
            };
        }
        Ok(hasher.finalize().to_hex().to_string())
    });
    work.await.map_err(|error| Failure::Local(format!("hashing: {error}")))?
}
