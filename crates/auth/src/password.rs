//! Passwords: Argon2id off the async threads, so many at once and no more.
//!
//! Invariants: an unknown user costs the same time as a wrong password; a hash says with which parameters it was made, so that
//! those of the configuration may change; who waits for a turn too long is refused.

use crate::config::Passwords;
use argon2::{Algorithm, Argon2, Params, PasswordHash, PasswordHasher as _, PasswordVerifier as _, Version};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;

/// Longest wait for a turn.
const PATIENCE: Duration = Duration::from_secs(5);
/// Longest password, in bytes: longer ones only cost time.
pub const LONGEST: usize = 256;

/// Hashes and compares.
#[derive(Clone)]
pub struct Hasher {
    argon: Argon2<'static>,
    turns: Arc<Semaphore>,
    /// What an unknown user's password is compared with.
    decoy: Arc<str>,
}

/// Why there is no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HashError {
    /// Too many others are being looked at.
    Busy,
    /// The library or the system refuses.
    Failed,
}

impl fmt::Display for HashError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Busy => "too many passwords are being looked at",
            Self::Failed => "the password could not be hashed",
        })
    }
}

impl std::error::Error for HashError {}

impl Hasher {
    /// Makes the decoy, which takes as long as a password.
    ///
    /// # Errors
    /// The parameters do not suit each other.
    pub fn new(config: &Passwords) -> Result<Self, HashError> {
        let kibibytes = u32::try_from(config.memory >> 10).map_err(|_| HashError::Failed)?;
        let params = Params::new(kibibytes, config.rounds, 1, None).map_err(|_| HashError::Failed)?;
        let argon = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        let decoy = hash(&argon, "nobody's password")?.into();
        Ok(Self { argon, turns: Arc::new(Semaphore::new(config.at_once)), decoy })
    }

    /// The hash of a new password.
    ///
    /// # Errors
    /// See [`HashError`].
    pub async fn hash(&self, password: String) -> Result<String, HashError> {
        let argon = self.argon.clone();
        self.turn(move || hash(&argon, &password)).await?
    }

    /// Whether a password is the one of this hash; of nobody's where there is none, which takes as long.
    ///
    /// # Errors
    /// See [`HashError`].
    pub async fn is_right(&self, password: String, hash: Option<String>) -> Result<bool, HashError> {
        let (argon, decoy) = (self.argon.clone(), Arc::clone(&self.decoy));
        self.turn(move || {
            let known = hash.is_some();
            let kept = hash.as_deref().unwrap_or(&decoy);
            let right =
                PasswordHash::new(kept).is_ok_and(|kept| argon.verify_password(password.as_bytes(), &kept).is_ok());
            known && right
        })
        .await
    }

    async fn turn<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, HashError> {
        let turn = tokio::time::timeout(PATIENCE, Arc::clone(&self.turns).acquire_owned());
        let turn = turn.await.map_err(|_| HashError::Busy)?.map_err(|_| HashError::Failed)?;
        #[expect(clippy::disallowed_methods, reason = "so many at once as the configuration says, which is few")]
        let done = tokio::task::spawn_blocking(move || {
            let _held_until_it_is_done = turn;
            work()
        });
        done.await.map_err(|_| HashError::Failed)
    }
}

fn hash(argon: &Argon2<'_>, password: &str) -> Result<String, HashError> {
    let hash: PasswordHash = argon.hash_password(password.as_bytes()).map_err(|_| HashError::Failed)?;
    Ok(hash.to_string())
}

/// Without the decoy.
impl fmt::Debug for Hasher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hasher").field("turns", &self.turns.available_permits()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hasher() -> Hasher {
        Hasher::new(&Passwords { memory: 64 << 10, rounds: 1, at_once: 2, shortest: 12 }).unwrap()
    }

    #[tokio::test]
    async fn a_password_is_known_again_and_others_are_not() {
        let hasher = hasher();
        let kept = hasher.hash("correct horse".into()).await.unwrap();
        assert!(kept.starts_with("$argon2id$v=19$m=64,t=1,p=1$"), "{kept}");
        assert!(hasher.is_right("correct horse".into(), Some(kept.clone())).await.unwrap());
        assert!(!hasher.is_right("correct horsf".into(), Some(kept.clone())).await.unwrap());
        assert!(!hasher.is_right("correct horse".into(), Some("no hash".into())).await.unwrap());
        assert!(!hasher.is_right("nobody's password".into(), None).await.unwrap(), "the decoy lets nobody in");
        assert_ne!(kept, hasher.hash("correct horse".into()).await.unwrap(), "salted");
    }

    #[tokio::test]
    async fn an_old_hash_is_good_after_the_parameters_were_changed() {
        let kept = hasher().hash("correct horse".into()).await.unwrap();
        let other = Hasher::new(&Passwords { memory: 128 << 10, rounds: 2, at_once: 1, shortest: 12 }).unwrap();
        assert!(other.is_right("correct horse".into(), Some(kept)).await.unwrap());
    }

    #[tokio::test(start_paused = true)]
    async fn who_waits_too_long_is_refused() {
        let hasher = hasher();
        let _all = Arc::clone(&hasher.turns).acquire_many_owned(2).await.unwrap();
        assert_eq!(hasher.is_right("x".into(), None).await, Err(HashError::Busy));
    }
}
