//! Where tokens are kept: a file that only its user can read.
//!
//! Knows no request. Invariant: the file is replaced whole and never readable by others; who reads it in order to change it
//! holds a lock that other processes wait for.

use crate::failure::Failure;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

/// Largest file that is read, in bytes.
const LIMIT: u64 = 1 << 20;

/// The tokens for one server.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Tokens {
    pub(crate) access: String,
    pub(crate) refresh: String,
    /// Seconds since 1970 at which `access` is over.
    pub(crate) until: u64,
    pub(crate) login: String,
}

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tokens").field("login", &self.login).field("until", &self.until).finish_non_exhaustive()
    }
}

#[derive(Default, Serialize, Deserialize)]
struct Kept {
    /// The server that commands mean where none is named.
    #[serde(default)]
    server: Option<String>,
    #[serde(default)]
    servers: BTreeMap<String, Tokens>,
}

/// The file of tokens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vault {
    file: PathBuf,
}

/// The file while no other process changes it.
pub(crate) struct Open<'v> {
    vault: &'v Vault,
    kept: Kept,
    /// Unlocks when it is closed.
    _lock: File,
}

impl Vault {
    /// The user's own: `$TINTYPE_CREDENTIALS`, or `tintype/credentials.json` in `$XDG_CONFIG_HOME` or `~/.config`.
    ///
    /// # Errors
    /// There is no home.
    pub fn of_user() -> Result<Self, Failure> {
        let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        if let Some(file) = set("TINTYPE_CREDENTIALS") {
            return Ok(Self::at(file));
        }
        let folder = set("XDG_CONFIG_HOME").or_else(|| Some(set("HOME")?.join(".config")));
        let none = || Failure::Local("there is no HOME to keep the sign-in in: set TINTYPE_CREDENTIALS".to_owned());
        Ok(Self::at(folder.ok_or_else(none)?.join("tintype/credentials.json")))
    }

    /// This file; its folder is made where it is missing.
    pub fn at(file: impl Into<PathBuf>) -> Self {
        Self { file: file.into() }
    }

    /// Where it is.
    #[must_use]
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// The server that was signed in to last.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn server(&self) -> Result<Option<String>, Failure> {
        Ok(self.read()?.server)
    }

    pub(crate) fn tokens(&self, server: &str) -> Result<Option<Tokens>, Failure> {
        Ok(self.read()?.servers.remove(server))
    }

    /// Waits for other processes, and blocks: call it where that is allowed.
    pub(crate) fn open(&self) -> Result<Open<'_>, Failure> {
        let fault = |error| Failure::file(&self.file, error);
        if let Some(folder) = self.file.parent().filter(|folder| *folder != Path::new("")) {
            fs::DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(fault)?;
        }
        let lock = self.file.with_extension("lock");
        let lock = OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(lock).map_err(fault)?;
        lock.lock().map_err(fault)?;
        Ok(Open { vault: self, kept: self.read()?, _lock: lock })
    }

    fn read(&self) -> Result<Kept, Failure> {
        let text = match fs::metadata(&self.file) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Kept::default()),
            Ok(about) if about.len() > LIMIT => Err(std::io::Error::other("larger than a file of tokens can be")),
            other => other.and_then(|_| fs::read(&self.file)),
        };
        let text = text.map_err(|error| Failure::file(&self.file, error))?;
        // The reader's own words would repeat what it read.
        serde_json::from_slice(&text)
            .map_err(|_| Failure::file(&self.file, "cannot be understood; remove it and sign in"))
    }
}

impl Open<'_> {
    pub(crate) fn tokens(&self, server: &str) -> Option<&Tokens> {
        self.kept.servers.get(server)
    }

    /// Keeps tokens, or forgets them; a server that is signed in to is the one that commands mean.
    pub(crate) fn put(mut self, server: &str, tokens: Option<Tokens>) -> Result<(), Failure> {
        match tokens {
            Some(tokens) => {
                self.kept.servers.insert(server.to_owned(), tokens);
                self.kept.server = Some(server.to_owned());
            }
            None => {
                self.kept.servers.remove(server);
            }
        }
        let text = serde_json::to_vec_pretty(&self.kept).expect("texts and numbers are JSON");
        let file = &self.vault.file;
        let fresh = file.with_extension(format!("new-{}", std::process::id()));
        let written = OpenOptions::new().create(true).write(true).truncate(true).mode(0o600).open(&fresh);
        let written = written.and_then(|mut out| out.write_all(&text).and_then(|()| out.sync_all()));
        written.and_then(|()| fs::rename(&fresh, file)).map_err(|error| Failure::file(file, error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    fn tokens(access: &str) -> Tokens {
        Tokens { access: access.into(), refresh: "r".into(), until: 1, login: "ann".into() }
    }

    #[test]
    fn tokens_are_kept_by_server_and_for_the_user_alone() {
        let folder = tempfile::tempdir().unwrap();
        let vault = Vault::at(folder.path().join("deep/credentials.json"));
        assert_eq!(vault.tokens("http://a").unwrap(), None);
        vault.open().unwrap().put("http://a", Some(tokens("one"))).unwrap();
        vault.open().unwrap().put("http://b", Some(tokens("two"))).unwrap();
        assert_eq!(vault.tokens("http://a").unwrap().unwrap().access, "one");
        assert_eq!(vault.server().unwrap().as_deref(), Some("http://b"));
        assert_eq!(fs::metadata(vault.file()).unwrap().permissions().mode() & 0o777, 0o600);
        vault.open().unwrap().put("http://a", None).unwrap();
        assert_eq!(vault.tokens("http://a").unwrap(), None);
        assert!(!format!("{:?}", tokens("secret")).contains("secret"));
    }

    #[test]
    fn changes_of_several_processes_wait_for_each_other() {
        let folder = tempfile::tempdir().unwrap();
        let vault = Vault::at(folder.path().join("credentials.json"));
        std::thread::scope(|scope| {
            for number in 0..8 {
                let vault = &vault;
                scope.spawn(move || vault.open().unwrap().put(&format!("http://{number}"), Some(tokens("t"))).unwrap());
            }
        });
        assert!((0..8).all(|number| vault.tokens(&format!("http://{number}")).unwrap().is_some()));
    }

    #[test]
    fn noise_is_told_and_not_repeated() {
        let folder = tempfile::tempdir().unwrap();
        let vault = Vault::at(folder.path().join("credentials.json"));
        fs::write(vault.file(), "{\"servers\": \"hunter2\"").unwrap();
        let text = vault.tokens("http://a").unwrap_err().to_string();
        assert!(text.contains("cannot be understood") && !text.contains("hunter2"), "{text}");
    }
}
