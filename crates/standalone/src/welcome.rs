//! The first start: who may sign in, told once, and something to see.
//!
//! Knows auth's first administrator and asks the server as anybody would. Invariant: the password goes to standard output and
//! nowhere else.

use auth::FirstAdministrator;
use client::{Client, Import, Vault};
use std::io::Write as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// Says who may sign in. Not by the log: that is kept, and the password must not be.
pub(crate) fn tell(first: &FirstAdministrator, address: SocketAddr) {
    let text = format!(
        "\n  The first administrator of http://{address}/\n\n    e-mail:   {}\n    password: {}\n\n  \
         It is shown this once. Change it: POST /auth/v1/password\n\n",
        first.email, first.password
    );
    let mut out = std::io::stdout();
    // Whoever read it may have left already: no reason to end.
    if let Err(error) = out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        tracing::warn!(%error, "the first administrator's password could not be printed");
    }
}

/// Imports a folder in the first administrator's name, below its own name.
pub(crate) async fn import(folder: PathBuf, data: PathBuf, first: FirstAdministrator, address: SocketAddr) {
    let keys = data.join("first-import.json");
    let done = run(&folder, &data, &keys, &first, address).await;
    for left in [keys.clone(), keys.with_extension("lock")] {
        let _there_or_not = std::fs::remove_file(left);
    }
    match done {
        Ok(summary) => {
            tracing::info!(folder = %folder.display(), sent = summary.sent, failed = summary.failed.len(), "imported");
        }
        Err(failure) => tracing::warn!(folder = %folder.display(), %failure, "not imported"),
    }
}

async fn run(
    folder: &Path,
    data: &Path,
    keys: &Path,
    first: &FirstAdministrator,
    address: SocketAddr,
) -> Result<client::Summary, client::Failure> {
    let client = Client::new(&format!("http://{address}"), Vault::at(keys))?;
    client.sign_in(&first.email, &first.password).await?;
    let name = folder.file_name().and_then(|name| name.to_str()).unwrap_or("imported");
    let import = Import {
        folder: folder.to_owned(),
        prefix: format!("{name}/"),
        at_once: 2,
        journal: Some(data.join("first-import.journal")),
    };
    let summary = import.run(&client, Arc::new(AtomicBool::new(false)), |_step| {}).await;
    client.sign_out().await?;
    summary
}
