//! The installation's secret, and the keys that are made of it: for API keys, refresh tokens, the audit chain, and the private
//! keys in the database.
//!
//! Invariants: each use has a key of its own; none is printed; what is sealed was not changed when it can be opened.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::{hmac, rand};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use std::fmt;
use std::io::Write as _;
use std::path::Path;

/// A file's secret, without white space at its end. Where there is no file, 256 random bits are put into one that only its
/// user can read: whole or not at all, whenever the process ends.
///
/// # Errors
/// It cannot be read or made.
pub fn secret_of_file(path: &Path) -> Result<Vec<u8>, SealError> {
    let wrong = |error: std::io::Error| SealError(format!("{}: {error}", path.display()));
    if !path.exists() {
        let fresh = path.with_extension(format!("new-{}", std::process::id()));
        let mut options = std::fs::OpenOptions::new();
        options.write(true).create(true).truncate(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let text = random_text()?;
        let written = options.open(&fresh).and_then(|mut file| writeln!(file, "{text}").and_then(|()| file.sync_all()));
        // Another process may have been quicker: its secret holds.
        let linked = written.and_then(|()| match std::fs::hard_link(&fresh, path) {
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
            other => other,
        });
        let _there_or_not = std::fs::remove_file(&fresh);
        linked.map_err(wrong)?;
        tracing::info!(path = %path.display(), "made a secret; back it up with the data: neither is of use alone");
    }
    Ok(std::fs::read(path).map_err(wrong)?.trim_ascii_end().to_vec())
}

/// Least bytes of the secret.
pub const SHORTEST: usize = 32;

/// Keys of one installation.
pub struct Seals {
    pepper: Vec<u8>,
    refresh: hmac::Key,
    audit: hmac::Key,
    box_: LessSafeKey,
}

/// A secret that cannot be used, or something sealed that cannot be opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealError(pub String);

impl fmt::Display for SealError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for SealError {}

fn failed(what: &str) -> SealError {
    SealError(what.to_owned())
}

impl Seals {
    /// Keys made of a secret.
    ///
    /// # Errors
    /// It is too short.
    pub fn new(secret: &[u8]) -> Result<Self, SealError> {
        if secret.len() < SHORTEST {
            return Err(SealError(format!("the secret has {} bytes; at least {SHORTEST}", secret.len())));
        }
        let root = hmac::Key::new(hmac::HMAC_SHA256, secret);
        let made = |label: &str| hmac::sign(&root, label.as_bytes()).as_ref().to_vec();
        let mac = |label: &str| hmac::Key::new(hmac::HMAC_SHA256, &made(label));
        let key = UnboundKey::new(&AES_256_GCM, &made("tintype auth 1 sealed keys")).map_err(|_| failed("the key"))?;
        Ok(Self {
            pepper: made("tintype auth 1 api keys"),
            refresh: mac("tintype auth 1 refresh tokens"),
            audit: mac("tintype auth 1 audit chain"),
            box_: LessSafeKey::new(key),
        })
    }

    /// Keys made of a file's secret, which is made where there is no file.
    ///
    /// # Errors
    /// It cannot be read or made.
    pub fn of_file(path: &Path) -> Result<Self, SealError> {
        let text = secret_of_file(path)?;
        Self::new(&text).map_err(|error| SealError(format!("{}: {error}", path.display())))
    }

    /// For the hashes of API keys.
    pub fn pepper(&self) -> &[u8] {
        &self.pepper
    }

    /// What is kept of a refresh token.
    pub fn refresh_hash(&self, token: &str) -> String {
        URL_SAFE_NO_PAD.encode(hmac::sign(&self.refresh, token.as_bytes()))
    }

    /// A link of the audit chain, over parts that are told apart by their lengths.
    pub fn chain(&self, parts: &[&str]) -> String {
        let mut context = hmac::Context::with_key(&self.audit);
        for part in parts {
            context.update(&(part.len() as u64).to_be_bytes());
            context.update(part.as_bytes());
        }
        URL_SAFE_NO_PAD.encode(context.sign())
    }

    /// Encrypts something that belongs to a name.
    ///
    /// # Errors
    /// The system gives no random bytes.
    pub fn seal(&self, name: &str, secret: &[u8]) -> Result<String, SealError> {
        let mut nonce = [0_u8; NONCE_LEN];
        rand::fill(&mut nonce).map_err(|_| failed("the system gives no random bytes"))?;
        let mut sealed = secret.to_vec();
        self.box_
            .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(name.as_bytes()), &mut sealed)
            .map_err(|_| failed("it could not be sealed"))?;
        Ok(URL_SAFE_NO_PAD.encode([nonce.as_slice(), &sealed].concat()))
    }

    /// Decrypts what was sealed for a name.
    ///
    /// # Errors
    /// It was sealed with another secret, or changed.
    pub fn open(&self, name: &str, sealed: &str) -> Result<Vec<u8>, SealError> {
        let other = || failed("it was sealed with another secret: put the old one back, or remove the signing keys");
        let bytes = URL_SAFE_NO_PAD.decode(sealed).map_err(|_| other())?;
        let (nonce, rest) = bytes.split_at_checked(NONCE_LEN).ok_or_else(other)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| other())?;
        let mut rest = rest.to_vec();
        let plain = self.box_.open_in_place(nonce, Aad::from(name.as_bytes()), &mut rest).map_err(|_| other())?;
        Ok(plain.to_vec())
    }
}

/// Nothing of the keys.
impl fmt::Debug for Seals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Seals(…)")
    }
}

/// A text of 256 random bits.
///
/// # Errors
/// The system gives none.
pub fn random_text() -> Result<String, SealError> {
    let mut bytes = [0_u8; 32];
    rand::fill(&mut bytes).map_err(|_| failed("the system gives no random bytes"))?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sealed_opens_for_its_name_and_secret_only() {
        let seals = Seals::new(&[7; 32]).unwrap();
        let sealed = seals.seal("k1", b"private").unwrap();
        assert_eq!(seals.open("k1", &sealed).unwrap(), b"private");
        assert!(seals.open("k2", &sealed).is_err());
        assert!(Seals::new(&[8; 32]).unwrap().open("k1", &sealed).is_err());
        assert!(seals.open("k1", &sealed[..sealed.len() - 2]).is_err());
        assert!(seals.open("k1", "").is_err());
        assert!(Seals::new(&[7; 31]).is_err());
    }

    #[test]
    fn parts_of_a_link_are_told_apart() {
        let seals = Seals::new(&[7; 32]).unwrap();
        assert_ne!(seals.chain(&["ab", "c"]), seals.chain(&["a", "bc"]));
    }

    #[test]
    fn a_secret_is_made_once() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("auth.secret");
        let sealed = Seals::of_file(&path).unwrap().seal("a", b"b").unwrap();
        assert_eq!(Seals::of_file(&path).unwrap().open("a", &sealed).unwrap(), b"b");
        std::fs::write(&path, "short\n").unwrap();
        assert!(Seals::of_file(&path).unwrap_err().0.contains("at least 32"));
    }
}
