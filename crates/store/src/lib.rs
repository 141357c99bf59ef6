//! Several binaries need it: originals kept under their content, and the names that point to them. Knows no records.
//!
//! Three traits, since parts of the platform need one without the others: [`Contents`] (immutable, by hash), [`Names`]
//! (links to contents, which the edge follows) and [`Staging`] (what is being uploaded). A folder and S3 implement all of
//! them; one suite ([`contract`]) holds both. Invariants: a content never changes; a name points to a whole content or to
//! nothing; what was acknowledged as staged is there after a restart.

pub mod config;
#[cfg(test)]
mod contract;
mod failure;
pub mod folder;
mod key;
pub mod s3;

pub use config::StoreConfig;
pub use failure::Failure;
pub use folder::FolderStore;
pub use key::{ContentKey, Name, StageId};
pub use s3::S3Store;

use aws::Aws;
use bytes::Bytes;
use catalog::ContentHash;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

/// A future that a trait object can give.
pub type Later<'a, T> = Pin<Box<dyn Future<Output = Result<T, Failure>> + Send + 'a>>;

/// Whether a content was there before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    /// It was not.
    New,
    /// It was: nothing was copied.
    Known,
}

/// Originals under their hashes. Contents are apart by tenant: nobody learns what another one has.
pub trait Contents: fmt::Debug + Send + Sync {
    /// Makes what is staged the content of `key`. It stays staged until it is discarded. The caller has hashed it. Durable
    /// when it returns.
    ///
    /// # Errors
    /// [`Failure::NotStaged`], and what the store itself cannot do.
    fn keep<'a>(&'a self, stage: &'a StageId, key: &'a ContentKey) -> Later<'a, Kept>;

    /// How long it is; `None` where it is not there.
    ///
    /// # Errors
    /// What the store itself cannot do.
    fn look<'a>(&'a self, key: &'a ContentKey) -> Later<'a, Option<u64>>;

    /// At most `most` bytes of it from `from` on; empty at its end.
    ///
    /// # Errors
    /// [`Failure::Absent`], and what the store itself cannot do.
    fn read<'a>(&'a self, key: &'a ContentKey, from: u64, most: usize) -> Later<'a, Bytes>;

    /// Removes it; also when it is not there. That nobody refers to it, nor keeps it at this moment, is for the catalog to say.
    ///
    /// # Errors
    /// What the store itself cannot do.
    fn remove<'a>(&'a self, key: &'a ContentKey) -> Later<'a, ()>;

    /// Up to `limit` contents behind `after`, in the order of their keys; empty at the end.
    ///
    /// # Errors
    /// What the store itself cannot do.
    fn contents<'a>(&'a self, after: Option<&'a ContentKey>, limit: usize) -> Later<'a, Vec<ContentKey>>;
}

/// Published names.
pub trait Names: fmt::Debug + Send + Sync {
    /// Why this store cannot have such a name, if it cannot: one that is too long, or a folder of other names.
    ///
    /// # Errors
    /// [`Failure::Name`], and what the store itself cannot do.
    fn fits<'a>(&'a self, name: &'a Name) -> Later<'a, ()>;

    /// Lets the name point to a content, whatever it pointed to before. Whoever reads sees the old or the new one.
    ///
    /// # Errors
    /// [`Failure::Absent`] where there is no such content, [`Failure::Name`].
    fn link<'a>(&'a self, name: &'a Name, hash: &'a ContentHash) -> Later<'a, ()>;

    /// Takes the name away; also when there is none.
    ///
    /// # Errors
    /// What the store itself cannot do.
    fn unlink<'a>(&'a self, name: &'a Name) -> Later<'a, ()>;

    /// What it points to.
    ///
    /// # Errors
    /// What the store itself cannot do.
    fn resolve<'a>(&'a self, name: &'a Name) -> Later<'a, Option<ContentHash>>;

    /// Up to `limit` names behind `after`, in the store's own order, with what they point to; empty at the end.
    ///
    /// # Errors
    /// What the store itself cannot do.
    fn names<'a>(&'a self, after: Option<&'a Name>, limit: usize) -> Later<'a, Vec<(Name, Option<ContentHash>)>>;
}

/// What is being uploaded.
pub trait Staging: fmt::Debug + Send + Sync {
    /// The bytes that one [`Staging::append`] should have: a store may pay for each piece.
    fn piece(&self) -> usize;

    /// Appends at `offset`, which has to be what is there so far; the new length. Durable when it returns.
    ///
    /// # Errors
    /// [`Failure::Offset`] where that is not the length: somebody else wrote, or the caller is wrong.
    fn append<'a>(&'a self, stage: &'a StageId, offset: u64, bytes: Bytes) -> Later<'a, u64>;

    /// How much there is; 0 where nothing is.
    ///
    /// # Errors
    /// What the store itself cannot do.
    fn length<'a>(&'a self, stage: &'a StageId) -> Later<'a, u64>;

    /// At most `most` bytes from `from` on; empty at the end.
    ///
    /// # Errors
    /// [`Failure::NotStaged`], and what the store itself cannot do.
    fn staged<'a>(&'a self, stage: &'a StageId, from: u64, most: usize) -> Later<'a, Bytes>;

    /// Keeps a note of up to [`MAX_NOTE`] bytes with the stage, over an earlier one. Durable when it returns.
    ///
    /// # Errors
    /// What the store itself cannot do.
    fn note<'a>(&'a self, stage: &'a StageId, note: Bytes) -> Later<'a, ()>;

    /// The note.
    ///
    /// # Errors
    /// What the store itself cannot do.
    fn noted<'a>(&'a self, stage: &'a StageId) -> Later<'a, Option<Bytes>>;

    /// Takes bytes and note away; also when there are none.
    ///
    /// # Errors
    /// What the store itself cannot do.
    fn discard<'a>(&'a self, stage: &'a StageId) -> Later<'a, ()>;

    /// Up to `limit` stages behind `after`, in order.
    ///
    /// # Errors
    /// What the store itself cannot do.
    fn stages<'a>(&'a self, after: Option<&'a StageId>, limit: usize) -> Later<'a, Vec<StageId>>;

    /// An URL to which a client may PUT the whole of a stage itself, of exactly `bytes` bytes, while it holds. `None` where
    /// the store has no server of its own.
    ///
    /// # Errors
    /// What the store itself cannot do.
    fn invite<'a>(&'a self, stage: &'a StageId, bytes: u64, holds: Duration) -> Later<'a, Option<Invitation>>;
}

/// Bytes of a note.
pub const MAX_NOTE: usize = 64 << 10;

/// A request that a client may make of the store's own server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invitation {
    /// Where to; it holds the signature.
    pub url: String,
    /// Fields that the request has to have.
    pub headers: Vec<(String, String)>,
}

/// All of it.
pub trait Store: Contents + Names + Staging {}
impl<S: Contents + Names + Staging> Store for S {}

/// Opens the store that the config names.
///
/// # Errors
/// In words for the person who wrote the config.
pub fn open(config: &StoreConfig, aws: &Aws) -> Result<Arc<dyn Store>, String> {
    match &config.bucket {
        None => {
            let root = &config.root;
            let folder = FolderStore::open(root).map_err(|error| format!("store.root {}: {error}", root.display()))?;
            Ok(Arc::new(folder))
        }
        Some(bucket) => Ok(Arc::new(S3Store::new(bucket, aws)?)),
    }
}
