//! Secrets: where the config says that they are, and their bytes when they are needed.
//!
//! Owns the reading of them; does not know what they are for. Invariants: a secret is printed nowhere, neither by `Debug`
//! nor in an error; what is read is bounded; an error names the place, so that it can be mended.

mod aws;
pub mod config;
mod source;

pub use source::Source;

use self::aws::Manager;
use ::aws::Aws;
use config::SecretsConfig;
use std::collections::HashMap;
use std::fmt;
use std::io::Read as _;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

/// Most bytes of one secret.
const MOST: u64 = 64 << 10;

/// The bytes of a secret.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Value(Vec<u8>);

impl Value {
    /// The secret itself. The name is long so that it is seen in a review.
    pub(crate) fn expose(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

/// Reads secrets. Clones share what AWS Secrets Manager said last.
#[derive(Clone, Debug)]
pub(crate) struct Vault {
    manager: Manager,
    managed: Arc<Mutex<HashMap<Managed, Vec<Value>>>>,
}

/// A name in AWS Secrets Manager, and a field of its JSON.
type Managed = (String, Option<String>);

impl Vault {
    /// Reads nothing yet.
    pub(crate) fn new(config: &SecretsConfig, aws: &Aws) -> Self {
        Self { manager: Manager::new(config, aws), managed: Arc::default() }
    }

    /// The values of a secret, the newest first: it is the one to make new things with, all are to be taken. Holds up its
    /// thread where AWS Secrets Manager is asked.
    ///
    /// # Errors
    /// It is not there, empty or too large; in words that name the place and not the secret.
    pub(crate) fn open(&self, source: &Source) -> Result<Vec<Value>, String> {
        let values = match source {
            Source::Given(secret) => vec![Value(secret.expose().as_bytes().to_vec())],
            Source::Variable(name) => vec![Value(variable(name)?)],
            Source::File(path) => vec![Value(file(path)?)],
            Source::Managed { name, field } => self.managed(name, field.as_deref(), source)?,
        };
        if values.iter().any(|value| value.0.is_empty()) {
            return Err(format!("{source} is empty"));
        }
        Ok(values)
    }

    fn managed(&self, name: &str, field: Option<&str>, source: &Source) -> Result<Vec<Value>, String> {
        let values = self.manager.open(name, field).map_err(|error| format!("{source}: {error}"))?;
        let mut known = self.managed.lock().unwrap_or_else(PoisonError::into_inner);
        known.insert((name.to_owned(), field.map(str::to_owned)), values.clone());
        Ok(values)
    }

    /// Whether AWS Secrets Manager has something else by now than when it was asked last. Holds up its thread.
    ///
    /// # Errors
    /// It does not say.
    pub(crate) fn has_changed(&self) -> Result<bool, String> {
        let known = self.managed.lock().unwrap_or_else(PoisonError::into_inner).clone();
        for ((name, field), values) in known {
            let now = self.manager.open(&name, field.as_deref()).map_err(|error| format!("{name}: {error}"))?;
            if now != values {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

fn variable(name: &str) -> Result<Vec<u8>, String> {
    let found = std::env::var_os(name).ok_or_else(|| format!("the environment has no {name}"))?;
    Ok(found.into_encoded_bytes())
}

/// A file's bytes without the end of its last line: editors and `openssl rand -hex` put one there.
fn file(path: &Path) -> Result<Vec<u8>, String> {
    let wrong = |why: &dyn fmt::Display| format!("the file {}: {why}", path.display());
    let file = std::fs::File::open(path).map_err(|error| wrong(&error))?;
    let mut bytes = Vec::new();
    file.take(MOST + 1).read_to_end(&mut bytes).map_err(|error| wrong(&error))?;
    if bytes.len() as u64 > MOST {
        return Err(wrong(&format!("more than {MOST} bytes")));
    }
    if bytes.last() == Some(&b'\n') {
        bytes.pop();
        if bytes.last() == Some(&b'\r') {
            bytes.pop();
        }
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use service::config::Secret;

    fn vault() -> Vault {
        let loaded = service::config::load::<SecretsConfig>(None, [], &[]).unwrap();
        Vault::new(&loaded.config, &Aws::new())
    }

    fn open(source: &Source) -> Result<Vec<u8>, String> {
        vault().open(source).map(|values| values[0].expose().to_vec())
    }

    #[test]
    fn one_line_end_is_no_part_of_a_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        for (written, read) in [
            (&b"secret"[..], &b"secret"[..]),
            (b"secret\n", b"secret"),
            (b"secret\r\n", b"secret"),
            (b"secret\n\n", b"secret\n"),
            (b"\xff\x00 \n", b"\xff\x00 "),
        ] {
            std::fs::write(&path, written).unwrap();
            assert_eq!(open(&Source::File(path.clone())).unwrap(), read, "{written:?}");
        }
        std::fs::write(&path, b"\n").unwrap();
        assert!(open(&Source::File(path.clone())).unwrap_err().ends_with("is empty"));
        std::fs::write(&path, vec![b'x'; 70_000]).unwrap();
        assert!(open(&Source::File(path)).unwrap_err().contains("more than 65536 bytes"));
        let missing = open(&Source::File(folder.path().join("missing"))).unwrap_err();
        assert!(missing.contains("missing"), "{missing}");
    }

    #[test]
    fn the_environment_and_the_config() {
        assert_eq!(open(&Source::Given(Secret::new("abc"))).unwrap(), b"abc");
        let path = std::env::var("PATH").unwrap();
        assert_eq!(open(&Source::Variable("PATH".into())).unwrap(), path.as_bytes());
        assert_eq!(
            open(&Source::Variable("TINTYPE_NO_SUCH".into())).unwrap_err(),
            "the environment has no TINTYPE_NO_SUCH"
        );
    }

    #[test]
    fn a_secret_is_not_printed() {
        let source = Source::Given(Secret::new("hidden"));
        let values = vault().open(&source).unwrap();
        assert!(!format!("{source:?} {source} {values:?}").contains("hidden"));
    }
}
