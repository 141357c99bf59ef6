//! What S3's answers mean: heads as HTTP has them, absences, and troubles that may pass.
//!
//! Pure. Does not ask anybody. Invariant: only what S3 says of the one object is an absence; what it says of the bucket, of
//! our credentials or of itself is trouble.

use super::object::Object;
use crate::http::config::Forbidden;
use crate::{Cause, Missing, Phase, Trouble};
use ::http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, EXPIRES, LAST_MODIFIED};
use ::http::{HeaderMap, HeaderName, HeaderValue};
use aws::Fault;
use aws_sdk_s3::operation::get_object::GetObjectOutput;
use std::time::SystemTime;

/// The fields that freshness, validation and the type follow from.
pub(super) fn head(output: &GetObjectOutput) -> HeaderMap {
    let modified = output.last_modified.and_then(|at| SystemTime::try_from(at).ok()).map(httpdate::fmt_http_date);
    let texts = [
        (CACHE_CONTROL, output.cache_control.as_deref()),
        (CONTENT_TYPE, output.content_type.as_deref()),
        (ETAG, output.e_tag.as_deref()),
        (EXPIRES, output.expires_string.as_deref()),
        (LAST_MODIFIED, modified.as_deref()),
    ];
    fields(texts.iter().filter_map(|(name, text)| Some((name.as_str(), (*text)?))))
}

/// Those that HTTP can hold; a bucket's owner may have written anything.
pub(super) fn fields<'f>(fields: impl Iterator<Item = (&'f str, &'f str)>) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, text) in fields {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(text)) {
            headers.append(name, value);
        }
    }
    headers
}

/// Whether the bytes are not the original's own. Some servers leave the transfer's encoding standing.
pub(super) fn is_encoded(encoding: &str) -> bool {
    encoding.split(',').any(|one| !matches!(one.trim().to_ascii_lowercase().as_str(), "" | "identity" | "aws-chunked"))
}

/// What an answer without an object says of it.
///
/// # Errors
/// It says nothing of it.
pub(super) fn refused(fault: &Fault, object: &Object, forbidden: Forbidden) -> Result<Missing, Missing> {
    let Fault::Answered(answer) = fault else { return Err(trouble(fault).into()) };
    match (answer.status, answer.code.as_str()) {
        (_, "NoSuchKey" | "NoSuchVersion") | (404, "" | "NotFound") => Ok(Missing::NotFound),
        // A version that never was, or that is the mark of a deletion.
        (400, "InvalidArgument") | (405, "MethodNotAllowed") if object.version.is_some() => Ok(Missing::NotFound),
        (403, "AccessDenied" | "AllAccessDisabled" | "") => match forbidden {
            Forbidden::NotFound => Ok(Missing::NotFound),
            Forbidden::Forbidden => Ok(Missing::Forbidden),
        },
        _ => {
            let mut trouble = trouble(fault);
            trouble.text = format!("{}: {}", object.place, trouble.text);
            Err(trouble.into())
        }
    }
}

/// What a fault is to those who wait for the original.
pub(super) fn trouble(fault: &Fault) -> Trouble {
    let (phase, cause, retry_after) = match fault {
        Fault::Late => (Phase::Response, Cause::Late, None),
        Fault::Broken(_) => (Phase::Response, Cause::Broken, None),
        Fault::Credentials(_) | Fault::Config(_) => (Phase::Credentials, Cause::Broken, None),
        Fault::Answered(answer) => (Phase::Response, Cause::Status(answer.status), answer.retry_after),
    };
    Trouble { retry_after, ..Trouble::new(phase, cause, fault.to_string()) }
}

/// Nothing was done, or it will be better soon: S3 asks to repeat after 500 (InternalError) and 503 (SlowDown).
pub(super) fn may_be_repeated(trouble: &Trouble) -> bool {
    match (trouble.phase, trouble.cause) {
        (Phase::Response, Cause::Broken) => true,
        (_, Cause::Status(status)) => matches!(status, 429 | 500 | 502..=504),
        _ => false,
    }
}

/// Whether the bucket should be left alone when it goes on so, rather than that somebody asked for the wrong thing.
pub(super) fn speaks_against_it(trouble: &Trouble) -> bool {
    match trouble.cause {
        Cause::Status(status) => matches!(status, 429 | 500 | 502..=504),
        Cause::Refused | Cause::Paused(_) => false,
        Cause::Late | Cause::Broken => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws::fault::Answer;

    fn object(version: Option<&str>) -> Object {
        Object { key: "a".into(), version: version.map(str::to_owned), place: "s3://b/a".into() }
    }

    fn said(status: u16, code: &str) -> Fault {
        Fault::Answered(Answer { status, code: code.into(), message: "words".into(), retry_after: None })
    }

    #[test]
    fn absence_is_told_from_trouble() {
        let of = |status, code| refused(&said(status, code), &object(None), Forbidden::Forbidden);
        assert_eq!(of(404, "NoSuchKey"), Ok(Missing::NotFound));
        assert_eq!(of(404, ""), Ok(Missing::NotFound));
        assert_eq!(of(403, "AccessDenied"), Ok(Missing::Forbidden));
        let hidden = refused(&said(403, "AccessDenied"), &object(None), Forbidden::NotFound);
        assert_eq!(hidden, Ok(Missing::NotFound));
        for (status, code) in [
            (404, "NoSuchBucket"),
            (403, "SignatureDoesNotMatch"),
            (403, "InvalidAccessKeyId"),
            (403, "InvalidObjectState"),
            (400, "InvalidArgument"),
            (301, "PermanentRedirect"),
            (503, "SlowDown"),
        ] {
            let Err(Missing::Failed(trouble)) = of(status, code) else { panic!("{status} {code}") };
            assert!(trouble.cause == Cause::Status(status) && trouble.text.contains(code), "{trouble:?}");
        }
        let never = refused(&said(400, "InvalidArgument"), &object(Some("x")), Forbidden::NotFound);
        assert_eq!(never, Ok(Missing::NotFound));
    }

    #[test]
    fn what_may_pass() {
        for (status, again) in [(500, true), (503, true), (429, true), (403, false), (404, false), (501, false)] {
            let trouble = Trouble::new(Phase::Response, Cause::Status(status), "");
            assert_eq!((may_be_repeated(&trouble), speaks_against_it(&trouble)), (again, again), "{status}");
        }
        let late = Trouble::late(Phase::Response);
        assert!(!may_be_repeated(&late) && speaks_against_it(&late));
        assert!(!may_be_repeated(&trouble(&Fault::Credentials("none".into()))));
    }

    #[test]
    fn encodings() {
        assert!(!is_encoded("") && !is_encoded("identity") && !is_encoded("aws-chunked"));
        assert!(is_encoded("gzip") && is_encoded("aws-chunked,br"));
    }
}
