//! Why an AWS service did not do what it was asked: the SDK's errors, sorted by what follows from them.
//!
//! Does not know what was asked. Invariant: texts are for the log; they hold no secret.

use aws_credential_types::provider::error::CredentialsError;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use std::error::Error;
use std::fmt;
use std::time::Duration;

/// What went wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// No answer in time.
    Late,
    /// No connection, or it broke off.
    Broken(String),
    /// Nobody to ask as.
    Credentials(String),
    /// The config does not allow it to be asked at all.
    Config(String),
    /// It answered, with something else than was hoped for.
    Answered(Answer),
}

/// An answer that is no success.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The service's own name for it, such as `NoSuchKey`; empty where it gave none, as for HEAD and 304.
    pub code: String,
    /// Its words, and the right region where that is what it says.
    pub message: String,
    /// When it wants to be asked again.
    pub retry_after: Option<Duration>,
}

/// What the SDK's errors say of nothing that is there at all, and what can be done.
const NOWHERE: &str = "no AWS credentials: none in the config, in the environment (AWS_ACCESS_KEY_ID), in the profile, by web \
    identity, container or instance metadata";

impl Fault {
    /// Reads an SDK's error.
    pub fn of<E: ProvideErrorMetadata + Error + 'static>(error: &SdkError<E, HttpResponse>) -> Self {
        match error {
            SdkError::TimeoutError(_) => Self::Late,
            SdkError::ServiceError(service) => Self::Answered(answer(service.raw(), service.err())),
            SdkError::DispatchFailure(failure) if failure.is_timeout() => Self::Late,
            error => match credentials(error) {
                Some(error) => Self::credentials(error),
                None if matches!(error, SdkError::ConstructionFailure(_)) => Self::Config(chain(error)),
                None => Self::Broken(chain(error)),
            },
        }
    }

    /// Reads what a chain of credentials says.
    pub(super) fn credentials(error: &CredentialsError) -> Self {
        match error {
            CredentialsError::CredentialsNotLoaded(_) => Self::Credentials(NOWHERE.to_owned()),
            CredentialsError::ProviderTimedOut(_) => Self::Late,
            error => Self::Credentials(format!("AWS credentials: {}", chain(error))),
        }
    }

    /// The answer's code, where it is an answer.
    pub fn code(&self) -> &str {
        match self {
            Self::Answered(answer) => &answer.code,
            _ => "",
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Late => f.write_str("no answer in time"),
            Self::Broken(text) | Self::Credentials(text) | Self::Config(text) => f.write_str(text),
            Self::Answered(answer) => {
                write!(f, "{} {}", answer.status, answer.code)?;
                if answer.message.is_empty() { Ok(()) } else { write!(f, ": {}", answer.message) }
            }
        }
    }
}

impl Error for Fault {}

fn answer(response: &HttpResponse, error: &impl ProvideErrorMetadata) -> Answer {
    let field = |name: &str| response.headers().get(name);
    let mut message = error.message().unwrap_or_default().to_owned();
    if let (301 | 307 | 400, Some(region)) = (response.status().as_u16(), field("x-amz-bucket-region")) {
        message = format!("{message} (the bucket is in the region {region})");
    }
    Answer {
        status: response.status().as_u16(),
        code: error.code().unwrap_or_default().to_owned(),
        message,
        retry_after: field("retry-after").and_then(|text| text.trim().parse().ok()).map(Duration::from_secs),
    }
}

fn credentials<'e>(error: &'e (dyn Error + 'static)) -> Option<&'e CredentialsError> {
    let mut error = Some(error);
    while let Some(at) = error {
        if let Some(found) = at.downcast_ref() {
            return Some(found);
        }
        error = at.source();
    }
    None
}

/// All its causes in one line.
fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let more = cause.to_string();
        if !text.contains(&more) {
            text = format!("{text}: {more}");
        }
        source = cause.source();
    }
    text
}
