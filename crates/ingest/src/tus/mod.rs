//! tus 1.0 (<https://tus.io/protocols/resumable-upload>): uploads that go on where they were cut off.
//!
//! Core, and the extensions creation, creation-with-upload, expiration, checksum, termination and concatenation. Owns no state:
//! what there is of an upload lies in the store, so that offsets survive restarts and any instance can go on. Invariants: one
//! writer at a time; what is acknowledged is durable; the last byte's answer says whether the picture is taken.

mod checksum;
mod head;

pub(crate) use handlers::{__path_create, __path_head, __path_options, __path_patch, __path_status, __path_terminate};
pub(crate) use handlers::{create, head, options, patch, status, terminate};

mod handlers;
