//! The canonical form of a whole URL, for `Link: rel=canonical` and the command line.

use crate::delivery::Delivery;
use crate::dialect::native::parse;
use crate::error::ParseError;
use crate::path::{PathError, SourcePath};
use crate::percent::encode;
use crate::presets::Presets;
use std::fmt;

/// The one URL that stands for `path_and_query` (native dialect, starting with `/`) and all that mean the same: path
/// escaped in one way, presets spelt out, transform canonical, then `dl` and `tags`. Without the seal, which would not
/// fit it any more, and without unknown parameters. Idempotent where the presets have no `default`.
///
/// # Errors
/// What [`SourcePath::parse`] and [`parse`] refuse.
pub fn canonical_url(path_and_query: &str, presets: &Presets) -> Result<String, UrlError> {
    let (path, query) = match path_and_query.split_once('?') {
        Some((path, query)) => (path, Some(query)),
        None => (path_and_query, None),
    };
    let path = SourcePath::parse(path.strip_prefix('/').unwrap_or(path))?;
    let parsed = parse(query, presets)?;
    let mut out = format!("/{}", path.encoded());
    let start = out.len();
    out.push('?');
    parsed.transform.write_canonical(&mut out);
    put_delivery(&parsed.delivery, start, &mut out);
    if out.len() == start + 1 {
        out.truncate(start);
    }
    Ok(out)
}

fn put_delivery(delivery: &Delivery, start: usize, out: &mut String) {
    let mut put = |name: &str, value: &str| {
        if out.len() > start + 1 {
            out.push('&');
        }
        out.push_str(name);
        out.push('=');
        encode(value, ",:", out);
    };
    if let Some(download) = &delivery.download {
        put("dl", download.file_name.as_deref().unwrap_or("1"));
    }
    if !delivery.tags.is_empty() {
        put("tags", &delivery.tags.join(","));
    }
}

/// Why a URL has no canonical form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UrlError {
    /// The path is refused.
    Path(PathError),
    /// The query is refused.
    Query(ParseError),
}

impl From<PathError> for UrlError {
    fn from(error: PathError) -> Self {
        Self::Path(error)
    }
}

impl From<ParseError> for UrlError {
    fn from(error: ParseError) -> Self {
        Self::Query(error)
    }
}

impl fmt::Display for UrlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Path(error) => error.fmt(f),
            Self::Query(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for UrlError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_form() {
        let canonical = |url: &str| canonical_url(url, &Presets::none()).unwrap();
        assert_eq!(canonical("/img/a%62%20c.jpg?h=50&width=100.0&x=1&s=AAAA&exp=5"), "/img/ab%20c.jpg?h=50&w=100");
        assert_eq!(canonical("/img/a.jpg?"), "/img/a.jpg");
        assert_eq!(canonical("/img/a.jpg?tags=b,a&dl=x+y.jpg&w=1"), "/img/a.jpg?w=1&dl=x%20y.jpg&tags=b,a");
        for url in ["/img/a.jpg?tags=b,a&dl=x+y.jpg&w=1", "/img/%C3%A9.jpg?dl", "/img/100%25.jpg?then=w=5"] {
            let once = canonical(url);
            assert_eq!(canonical(&once), once);
        }
        assert!(canonical_url("/img/../a.jpg", &Presets::none()).is_err());
        assert!(canonical_url("/img/a.jpg?w=0", &Presets::none()).is_err());
    }
}
