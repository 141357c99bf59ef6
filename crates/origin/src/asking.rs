//! A question to an origin that answers with a head, and its answer.
//!
//! The same for every such origin, so that those who read answers need not know which one gave it. Does not know what a
//! head says. Invariant: an answer is whole.

use super::Missing;
use ::http::{HeaderMap, HeaderValue};
use bytes::Bytes;
use std::time::{Duration, SystemTime};

/// What is asked.
#[derive(Clone, Copy, Debug)]
pub struct Asking<'a> {
    /// The original's path, decoded; behind its first `?`, its query.
    pub path: &'a str,
    /// Conditions, and the URL whose answer they are about: they are sent to no other.
    pub known: Option<(&'a HeaderMap, &'a str)>,
    /// `CDN-Loop` of the request that asks for it.
    pub cdn_loop: Option<&'a HeaderValue>,
    /// Longest time in all, where it is not the origin's own.
    pub timeout: Option<Duration>,
}

/// An answer, with its head and the times of request and head.
#[derive(Clone, Debug)]
pub struct Reply {
    /// What it brought.
    pub found: Found,
    /// All fields; not to be kept as they are.
    pub headers: HeaderMap,
    /// The URL that answered, after redirects.
    pub place: Box<str>,
    /// When it was asked.
    pub requested: SystemTime,
    /// When its head came.
    pub received: SystemTime,
}

/// What an answer brought.
#[derive(Clone, Debug)]
pub enum Found {
    /// An original, with the BLAKE3 hash of its bytes.
    Original(Bytes, [u8; 32]),
    /// The known one still holds.
    NotModified,
    /// None, for certain: [`Missing::NotFound`] or [`Missing::Forbidden`].
    Nothing(Missing),
}
