//! What troubles are called where somebody waits for an answer.
//!
//! The one place where they become statuses. Invariant: what is the server's own matter is not told.

use crate::Trouble;
use crate::inspect::Reason;
use catalog::{CommitError, StoreError};
use companion::{Code, FieldError, Problem, code, etag};
use http::StatusCode;
use http::header::ETAG;
use store::Failure;

const EXISTS: Code = Code::new("path-taken", StatusCode::CONFLICT, "There is a picture of that path");
const PATH: Code = Code::new("path-impossible", StatusCode::CONFLICT, "The path cannot be had");
const MISSING: Code = Code::new("precondition-failed", StatusCode::PRECONDITION_FAILED, "It is not as was said");
const QUOTA: Code = Code::new("over-quota", StatusCode::INSUFFICIENT_STORAGE, "The tenant has no more room");
const TOO_LONG: Code = Code::new("upload-too-long", StatusCode::PAYLOAD_TOO_LARGE, "The upload is too long");
const FULL: Code = Code::new("store-full", StatusCode::INSUFFICIENT_STORAGE, "There is no more room");
const GONE: Code = Code::new("upload-gone", StatusCode::GONE, "The upload is no longer there");
pub(crate) const BUSY: Code = Code::new("upload-locked", StatusCode::LOCKED, "Somebody else writes to this upload");
pub(crate) const OFFSET: Code = Code::new("upload-offset", StatusCode::CONFLICT, "The upload is at another offset");
pub(crate) const TOO_MANY: Code =
    Code::new("too-many-uploads", StatusCode::TOO_MANY_REQUESTS, "Too many uploads are under way");

const fn of_reason(reason: Reason) -> Code {
    let title = match reason {
        Reason::Empty => "The upload has no bytes",
        Reason::NotAPicture => "The upload is no picture",
        Reason::Unsupported => "Pictures of this kind are not taken",
        Reason::Damaged => "The picture is damaged",
        Reason::Truncated => "The picture is not whole",
        Reason::TooLarge => "The picture is too large",
        Reason::TypeMismatch => "The picture is not what its name or type says",
        Reason::ActiveSvg => "The drawing does more than it shows",
        Reason::TooSlow => "The picture takes too long to decode",
        Reason::HashMismatch => "The bytes are not those that were declared",
    };
    Code::new(reason.as_str(), StatusCode::UNPROCESSABLE_ENTITY, title)
}

/// Its name and status.
pub(crate) const fn code_of(trouble: &Trouble) -> Code {
    match trouble {
        Trouble::Refused(refused) => of_reason(refused.reason),
        Trouble::Commit(error) => match error {
            CommitError::Conflict(_) => code::CONFLICT,
            CommitError::PathTaken(_) => EXISTS,
            CommitError::KeyReused => code::KEY_REUSED,
            CommitError::OverQuota(_) => QUOTA,
            CommitError::Invalid(_) => code::BAD_FIELD,
            CommitError::Condemned(_) => code::UNAVAILABLE,
            CommitError::Store(error) => of_catalog(error),
        },
        Trouble::Catalog(error) => of_catalog(error),
        Trouble::Store(failure) => match failure {
            Failure::Name(_) => PATH,
            Failure::Busy => BUSY,
            Failure::Offset { .. } => OFFSET,
            Failure::Full => FULL,
            Failure::NotStaged => GONE,
            Failure::Absent => code::INTERNAL,
            Failure::Store(_) => code::UNAVAILABLE,
        },
        Trouble::Exists(_) | Trouble::Missing => MISSING,
        Trouble::Changed(_) => code::PRECONDITION,
        Trouble::NotAllowed => code::FORBIDDEN,
        Trouble::TooLong { .. } => TOO_LONG,
        Trouble::Condemned => code::UNAVAILABLE,
    }
}

const fn of_catalog(error: &StoreError) -> Code {
    match error {
        StoreError::Late | StoreError::Unreachable(_) => code::UNAVAILABLE,
        StoreError::BadCursor => code::BAD_FIELD,
        StoreError::Refused(_) | StoreError::Corrupt(_) => code::INTERNAL,
    }
}

impl From<Trouble> for Problem {
    fn from(trouble: Trouble) -> Self {
        let code = code_of(&trouble);
        let seen = match &trouble {
            Trouble::Exists(asset) | Trouble::Changed(asset) => Some(asset.revision.get()),
            Trouble::Commit(CommitError::Conflict(Some(asset))) => Some(asset.revision.get()),
            _ => None,
        };
        if code == code::INTERNAL {
            return Self::internal(trouble);
        }
        if code == code::UNAVAILABLE {
            return Self::unavailable(trouble);
        }
        let problem = match &trouble {
            Trouble::Catalog(StoreError::BadCursor) => {
                return Self::field("query.cursor", "…", "what the page before gave as `next`");
            }
            Trouble::Commit(CommitError::Invalid(flaw)) => Self::new(code, format!("{}: {}", flaw.field, flaw.problem))
                .with_error(FieldError { field: flaw.field.to_owned(), value: None, allowed: flaw.problem.clone() }),
            _ => Self::new(code, trouble.to_string()),
        };
        seen.map_or(problem.clone(), |revision| problem.with_header(ETAG, etag(revision)))
    }
}
