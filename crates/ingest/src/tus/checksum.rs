//! `Upload-Checksum`: whether what came is what was sent.
//!
//! Invariant: what does not agree is not staged.

use super::head::UPLOAD_CHECKSUM;
use crate::inspect::base64;
use aws_lc_rs::digest;
use companion::{Code, Problem};
use http::{HeaderMap, HeaderValue, StatusCode};
use std::fmt;

pub(super) const ALGORITHMS: HeaderValue = HeaderValue::from_static("sha1,sha256,sha512");

/// The sum that a body has to have.
pub(super) struct Checksum {
    context: digest::Context,
    wanted: Vec<u8>,
}

impl fmt::Debug for Checksum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Checksum").field("algorithm", self.context.algorithm()).finish_non_exhaustive()
    }
}

/// tus' own status.
fn mismatch() -> Code {
    let status = StatusCode::from_u16(460).expect("three digits");
    Code::new("checksum-mismatch", status, "The bytes are not those that were sent")
}

impl Checksum {
    pub(super) fn of(headers: &HeaderMap) -> Result<Option<Self>, Problem> {
        let Some(value) = headers.get(UPLOAD_CHECKSUM) else { return Ok(None) };
        let text = value.to_str().unwrap_or_default();
        let wrong =
            || Problem::field("header.Upload-Checksum", text, "sha1, sha256 or sha512, a blank, and the sum in base64");
        let (name, sum) = text.split_once(' ').ok_or_else(wrong)?;
        let algorithm = match name {
            "sha1" => &digest::SHA1_FOR_LEGACY_USE_ONLY,
            "sha256" => &digest::SHA256,
            "sha512" => &digest::SHA512,
            _ => return Err(wrong()),
        };
        let wanted = base64::decode(sum).filter(|sum| sum.len() == algorithm.output_len()).ok_or_else(wrong)?;
        Ok(Some(Self { context: digest::Context::new(algorithm), wanted }))
    }

    pub(super) fn take(&mut self, bytes: &[u8]) {
        self.context.update(bytes);
    }

    pub(super) fn agrees(self) -> Result<(), Problem> {
        if self.context.finish().as_ref() == self.wanted {
            return Ok(());
        }
        Err(Problem::new(mismatch(), "Upload-Checksum is another one; nothing of this request was taken."))
    }
}
