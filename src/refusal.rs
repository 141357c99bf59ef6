//! The one place where an error becomes what HTTP says of it: an exhaustive match, so that a new kind cannot be forgotten.

use crate::error::{Error, Kind};
use crate::render::Failure;
use crate::render::admission::Shed;
use crate::semantics::Problem;
use crate::semantics::problem::Kind as P;
use cache_key::Reason;
use origin::{Cause, Missing, Trouble};
use signature::Refused;
use std::time::Duration;

/// When to ask again for what took too long to make: the machine may have been busy.
const BREATH: Duration = Duration::from_secs(1);

/// The document for `error`.
pub(crate) fn problem(error: &Error) -> Problem {
    use imaging::Error as I;
    let kind = match &error.0 {
        Kind::Method(_) => P::MethodNotAllowed,
        Kind::TargetTooLong { .. } => P::UrlTooLong,
        Kind::NoRoute | Kind::Missing(Missing::NotFound) => P::NotFound,
        Kind::Refused(Refused::Expired) => P::Expired,
        Kind::Refused(_) => P::BadSignature,
        Kind::NoProof => P::Forbidden,
        Kind::Hotlink => P::Hotlink,
        Kind::Path(_) => P::BadUrl,
        Kind::Parameter(error) if error.reason == Reason::Unknown => P::UnknownParameter,
        Kind::Parameter(_) | Kind::Originals | Kind::Srcset => P::BadParameter,
        Kind::Missing(Missing::TooLarge { .. }) => P::TooLarge,
        Kind::Missing(Missing::Forbidden) => P::Forbidden,
        Kind::Missing(Missing::Loop) => P::LoopDetected,
        Kind::Missing(Missing::Failed(trouble)) if trouble.cause == Cause::Late => P::OriginTimeout,
        Kind::Missing(Missing::Failed(_)) => P::OriginFailed,
        Kind::Render(Failure::Shed(Shed::TooDear { .. })) => P::TooLarge,
        Kind::Render(Failure::Shed(Shed::QueueFull { .. } | Shed::TooLate { .. } | Shed::TooLong { .. })) => {
            P::Overloaded
        }
        Kind::Render(Failure::Imaging(error)) => match error {
            I::Unsupported(_) => P::UnsupportedOriginal,
            I::Malformed(_) => P::BadOriginal,
            I::TooLarge { .. } => P::TooLarge,
            I::Impossible(_) | I::NotConfigured { .. } => P::BadParameter,
            I::NotImplemented(_) => P::NotImplemented,
            I::Deadline => P::RenderTimeout,
            I::Cancelled | I::Internal(_) => P::Internal,
            _ => P::Internal,
        },
        Kind::Limited(_) => P::TooManyRequests,
        Kind::Abandoned => P::Internal,
    };
    let problem = Problem::new(kind).detail(error.to_string());
    match &error.0 {
        Kind::Parameter(error) => {
            let problem = problem.parameter(error.parameter.clone()).value(&error.value);
            problem.allowed(error.allowed.clone())
        }
        Kind::Render(Failure::Imaging(I::NotConfigured { parameter, name })) => {
            problem.parameter(*parameter).value(name).allowed("a name from the server's configuration")
        }
        Kind::Srcset => problem.parameter("srcset"),
        Kind::Render(Failure::Imaging(I::NotImplemented(name))) => problem.parameter(*name),
        Kind::Render(Failure::Shed(shed)) if let Some(retry) = shed.retry() => problem.retry_after(retry),
        Kind::Limited(limited) => problem.retry_after(limited.retry),
        Kind::Render(Failure::Imaging(I::Deadline)) => problem.retry_after(BREATH),
        Kind::Missing(Missing::Failed(Trouble { cause: Cause::Paused(left), .. })) => problem.retry_after(*left),
        Kind::Missing(Missing::Failed(Trouble { retry_after: Some(delay), .. })) => problem.retry_after(*delay),
        _ => problem,
    }
}
