//! The first start: who may sign in, told once, and something to see.
//!
//! Knows auth's accounts and asks the server as anybody would. Invariants: the password goes to standard output and nowhere else;
//! the token of the import is written nowhere; an import that was cut off goes on at the next start, and ends for good once
//! every file has been tried.

use auth::{Auth, FirstAdministrator};
use client::{Client, Failure, Import, Summary, Vault};
use service::drain::Drain;
use std::io::Write as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Seconds that an import may take: as long as a token lives at most.
const LONGEST: u64 = 24 * 3600;
/// Uploads at once: people look at the console meanwhile.
const AT_ONCE: usize = 2;

/// Says who may sign in. Not by the log: that is kept, and the password must not be.
pub(crate) fn tell(first: &FirstAdministrator, address: SocketAddr) {
    let text = format!(
        "\n  The first administrator of http://{address}/\n\n    e-mail:   {}\n    password: {}\n\n  \
         It is shown this once. Lost it? tintype-standalone reset-password\n\n",
        first.email, first.password
    );
    let mut out = std::io::stdout().lock();
    if let Err(error) = out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        tracing::warn!(%error, "the first administrator's password could not be printed: tintype-standalone reset-password");
    }
}

/// Pictures that are there from the start.
#[derive(Debug)]
pub(crate) struct FirstImport {
    folder: PathBuf,
    journal: PathBuf,
}

impl FirstImport {
    /// What is to be imported: everything at the very first start, what is left where that was cut off, else nothing.
    pub(crate) fn due(folder: Option<&Path>, data: &Path, first: bool) -> Result<Option<Self>, String> {
        let journal = data.join("first-import.journal");
        let Some(folder) = folder.filter(|_| first || journal.exists()) else { return Ok(None) };
        // There from the beginning: a kill before the first picture is no end either.
        let begun = std::fs::OpenOptions::new().create(true).append(true).open(&journal);
        begun.map_err(|error| format!("{}: {error}", journal.display()))?;
        Ok(Some(Self { folder: folder.to_owned(), journal }))
    }

    /// Imports the folder in the first administrator's name, below its own name.
    pub(crate) async fn run(self, auth: Arc<Auth>, address: SocketAddr, drain: Drain) {
        let folder = self.folder.display();
        match self.import(&auth, address, drain).await {
            Ok(Some(Summary { sent, there, failed, interrupted })) => {
                for (path, failure) in &failed {
                    tracing::warn!(%folder, path, %failure, "not imported");
                }
                tracing::info!(%folder, sent, there, failed = failed.len(), interrupted, "imported");
                if !interrupted {
                    let _there_or_not = std::fs::remove_file(&self.journal);
                }
            }
            Ok(None) => tracing::warn!(%folder, "not imported: there is no account {}", auth::EMAIL),
            Err(failure) => tracing::warn!(%folder, %failure, "not imported; the next start tries again"),
        }
    }

    async fn import(&self, auth: &Auth, address: SocketAddr, drain: Drain) -> Result<Option<Summary>, Failure> {
        let token = auth.token_of(auth::EMAIL, crate::platform::TENANT, LONGEST).await.map_err(Failure::Local)?;
        let Some(token) = token else { return Ok(None) };
        // A vault that nothing is put into: the token is given like a key.
        let vault = Vault::at(self.journal.with_extension("none"));
        let client = Client::new(&format!("http://{address}"), vault)?.with_key(&token);
        let name = self.folder.file_name().and_then(|name| name.to_str()).unwrap_or("imported");
        let import = Import {
            folder: self.folder.clone(),
            prefix: format!("{name}/"),
            at_once: AT_ONCE,
            journal: Some(self.journal.clone()),
        };
        let stop = Arc::new(AtomicBool::new(false));
        let stopping = Arc::clone(&stop);
        let run = import.run(&client, stop, |_step| {});
        tokio::pin!(run);
        tokio::select! {
            summary = &mut run => return summary.map(Some),
            () = drain.draining() => stopping.store(true, Ordering::Relaxed),
        }
        run.await.map(Some)
    }
}
