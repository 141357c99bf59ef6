//! The store in a bucket of S3, or of a server that speaks like it: contents as objects, names as empty objects whose metadata
//! say what they point to.
//!
//! Owns the bucket's layout (`key.rs` has the places, below the bucket's prefix). Invariants: a key begins with the prefix; a
//! content appears whole, at the completion of its upload; sockets' threads neither sign nor wait for names.

mod ask;
mod contents;
mod names;
mod staging;

use crate::config::S3StoreConfig;
use crate::{Failure, Later};
use aws::bucket::Checks;
use aws::{Aws, Bucket, Patience};
use std::fmt;
use std::sync::Arc;

/// User metadata (`x-amz-meta-…`) of a name: the place of its content below the bucket's prefix. The edge's origin reads it.
pub const CONTENT: &str = "tintype-content";

/// A bucket. Clones share it.
#[derive(Clone)]
pub struct S3Store {
    aws: Aws,
    parts: Arc<Parts>,
}

/// What is asked, on the threads that speak to AWS.
struct Parts {
    bucket: Bucket,
    /// Bytes of one part.
    part: usize,
}

impl fmt::Debug for S3Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("S3Store").field("bucket", &self.parts.bucket).finish_non_exhaustive()
    }
}

impl S3Store {
    /// Asks nothing yet.
    ///
    /// # Errors
    /// A file of certificates that cannot be used.
    pub fn new(config: &S3StoreConfig, aws: &Aws) -> Result<Self, String> {
        let S3StoreConfig { bucket, connect_timeout, response_timeout, timeout, retries, part } = config;
        let patience =
            Patience { connect: *connect_timeout, response: *response_timeout, whole: *timeout, retries: *retries };
        let parts = Parts {
            bucket: Bucket::new(aws, bucket, patience, Checks::Compared, "store.s3")
                .map_err(|text| format!("store.s3: {text}"))?,
            part: usize::try_from(*part).map_err(|_| format!("store.s3.part: {part} is more than memory"))?,
        };
        Ok(Self { aws: aws.clone(), parts: Arc::new(parts) })
    }

    /// The key of a place: of what a stage's first object is called where clients put it themselves, for example.
    #[must_use]
    pub fn key(&self, place: &str) -> String {
        self.parts.bucket.key(place)
    }

    /// Does it where AWS is spoken to.
    fn run<'a, T, F, W>(&'a self, work: W) -> Later<'a, T>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, Failure>> + Send + 'static,
        W: FnOnce(Arc<Parts>) -> F,
    {
        let work = work(Arc::clone(&self.parts));
        Box::pin(async move { self.aws.run(work).await? })
    }
}

#[cfg(test)]
mod tests;
