//! The picture that a route shows in place of an original that cannot be had.
//!
//! Owns its bytes, read once at the start. Rendered as the URL asks, under a key of its own, and answered under the error's
//! status: people see a picture, caches and monitors see the error.

use crate::app::App;
use crate::error::{Error, Kind};
use crate::fill;
use crate::handler::Asked;
use crate::refusal;
use crate::semantics::{self, Request, Vary};
use bytes::Bytes;
use cache_key::OriginalVersion;
use http::Response;
use std::io::Read;
use std::path::Path;

/// Bytes of such a picture.
const MOST: u64 = 16 << 20;

/// A picture, ready to be rendered.
#[derive(Debug)]
pub(crate) struct StandIn {
    pub(crate) bytes: Bytes,
    pub(crate) version: OriginalVersion,
}

impl StandIn {
    /// # Errors
    /// It cannot be read or is too large, in words for the person who configures.
    pub(crate) fn open(path: &Path) -> Result<Self, String> {
        let wrong = |why: &dyn std::fmt::Display| format!("fallback_image {}: {why}", path.display());
        let mut bytes = Vec::new();
        let file = std::fs::File::open(path).map_err(|error| wrong(&error))?;
        file.take(MOST + 1).read_to_end(&mut bytes).map_err(|error| wrong(&error))?;
        if bytes.len() as u64 > MOST {
            return Err(wrong(&format!("more than {MOST} bytes")));
        }
        Ok(Self { version: OriginalVersion::from_content(&bytes), bytes: bytes.into() })
    }
}

/// The response that shows it, where the route has one and the original is what is missing.
pub(crate) async fn show(
    app: &App,
    asked: &Asked,
    error: &Error,
    request: Request<'_>,
    vary: Vary,
) -> Option<Response<Bytes>> {
    let route = &asked.reading.route;
    let stand_in = match error.0 {
        Kind::Missing(_) => route.stand_in.as_ref(),
        Kind::Hotlink => route.not_here.as_ref(),
        _ => None,
    };
    let stand_in = stand_in.filter(|_| !route.originals)?;
    // What cannot be made of it is no reason to hide the error that led here.
    let kept = fill::stand_in(app, asked, stand_in).await.ok()?;
    let problem = refusal::problem(error);
    Some(semantics::stand_in(request, &kept.representation, &problem, &route.delivery, vary))
}
