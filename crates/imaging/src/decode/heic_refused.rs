//! In place of the HEIC decoder where the feature `heic` is left out: a refusal in words.

use super::{Decoded, File};
use crate::error::Error;
use crate::probe::Probe;

fn refused<T>() -> Result<T, Error> {
    Err(Error::Unsupported("HEIC pictures are not supported: this server was built without their decoder".into()))
}

pub(crate) fn probe(_bytes: &[u8]) -> Result<Probe, Error> {
    refused()
}

pub(super) fn decode(_file: File<'_>) -> Result<Decoded, Error> {
    refused()
}
