//! What an upload is, by its bytes alone, and whether it may be published.
//!
//! Synchronous; [`pool`] runs it away from sockets. Owns the order of checks: cheap ones first, limits from the header before a
//! pixel is decoded, then every frame. Does not know who sent it nor where it goes. Invariants: a name or a declared type never
//! makes a picture of what is none; each refusal has a reason that clients can branch on.

pub(crate) mod base64;
mod declared;
mod end;
mod foreign;
pub mod pool;
mod reason;
mod svg;

pub use declared::Declared;
pub use reason::{Reason, Refused, Suspicion};

use crate::facts::{self, Private};
use bytes::Bytes;
use catalog::{Content, ContentHash, Facts};
use end::End;
use imaging::{Limits, Probe, Scratch, Setup, SourceFormat, Watch};

/// A picture that is whole.
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    /// What it is.
    pub content: Content,
    /// What is told of it.
    pub facts: Facts,
    /// Why it should be looked at before it is published, if it should.
    pub suspicion: Option<Suspicion>,
}

/// Looks at an upload.
///
/// # Errors
/// Why it is refused.
pub fn inspect(
    bytes: &Bytes,
    declared: &Declared,
    private: Private,
    limits: &Limits,
    watch: &Watch,
) -> Result<Found, Refused> {
    if bytes.is_empty() {
        return Err(Refused::new(Reason::Empty, "there is nothing in it"));
    }
    let probe = imaging::probe(bytes, limits)?;
    declared.check(probe.format)?;
    let end = End::of(bytes, probe.format);
    if end == End::Missing {
        let text = format!("{} that ends before its end", probe.format.as_str());
        return Err(Refused::new(Reason::Truncated, text));
    }
    if probe.format == SourceFormat::Svg {
        svg::check(bytes, limits, watch)?;
    }
    let mut scratch = Scratch::new(0);
    let frames = imaging::verify(bytes, &probe, limits, watch, &mut scratch)?;
    let suspicion = suspicion(bytes, &probe, end);
    // Nothing is made of it but what is told: a result in the size of the original is none too large.
    let told = Limits { output_side: limits.source_side, output_pixels: limits.source_pixels, ..limits.clone() };
    let setup = Setup::from(told);
    let facts = facts::of(bytes, &probe, private, &setup, watch, &mut scratch)?;
    Ok(Found { content: content(bytes, &probe, frames), facts, suspicion })
}

/// Whether a file embedded in another one, such as a picture in a drawing, is a picture within the limits.
fn inner(bytes: &[u8], limits: &Limits, watch: &Watch) -> Result<(), Refused> {
    let probe = imaging::probe(bytes, limits)?;
    if probe.format == SourceFormat::Svg {
        return Err(Refused::new(Reason::ActiveSvg, "a drawing inside a drawing"));
    }
    imaging::verify(bytes, &probe, limits, watch, &mut Scratch::new(0))?;
    Ok(())
}

fn suspicion(bytes: &[u8], probe: &Probe, end: End) -> Option<Suspicion> {
    if let Some(kind) = foreign::inside(bytes, probe.format) {
        return Some(Suspicion::Foreign(kind));
    }
    match end {
        End::At(at) => {
            let rest = bytes.get(at..).unwrap_or_default();
            (!end::is_known(rest, probe.format)).then_some(Suspicion::Trailing(rest.len() as u64))
        }
        End::Missing | End::Unknown => None,
    }
}

fn content(bytes: &[u8], probe: &Probe, frames: u32) -> Content {
    let (width, height) = probe.upright_size();
    Content {
        hash: ContentHash::of(bytes),
        bytes: bytes.len() as u64,
        media_type: probe.format.media_type().parse().expect("media types of formats are media types"),
        width,
        height,
        frames,
    }
}

#[cfg(test)]
pub(crate) mod tests;
