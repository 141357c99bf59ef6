//! Asks one URL of an issuer or of `tintype-auth`: a connection for each question, which there are few of.
//!
//! The URL comes from the configuration, so that no address is refused. Invariants: an answer has a limit of size and of time;
//! redirects are not followed; over TLS the certificate has to be good for the name.

use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderValue, Method, Request, Uri};
use http_body_util::Full;
use service::peer::{Away, Bounds, Peer};
use std::time::Duration;

/// Largest answer, in bytes.
const LARGEST: usize = 256 << 10;
/// Longest time to a whole answer.
const LONGEST: Duration = Duration::from_secs(5);

/// What is asked.
pub(crate) struct Question<'a> {
    pub(crate) method: Method,
    pub(crate) url: &'a Uri,
    pub(crate) bearer: Option<&'a str>,
    /// JSON.
    pub(crate) body: Option<Vec<u8>>,
}

/// Asks. Clones share the certificates that are trusted.
#[derive(Clone, Debug)]
pub(crate) struct Client(Peer);

impl Client {
    /// Trusts the authorities of the system.
    ///
    /// # Errors
    /// The library refuses its own defaults.
    pub(crate) fn new() -> Result<Self, String> {
        Peer::new(Bounds { connect: LONGEST, whole: LONGEST, largest: LARGEST, idle: 0 }).map(Self)
    }

    /// Status and body of the answer.
    ///
    /// # Errors
    /// In words: no connection, no answer in time, too large.
    pub(crate) async fn ask(&self, question: Question<'_>) -> Result<(u16, Bytes), String> {
        let answer = self.0.ask(request(question)?).await.map_err(|away| match away {
            Away::Late => format!("no answer within {} s", LONGEST.as_secs()),
            Away::Broken(why) => why,
        })?;
        Ok((answer.status().as_u16(), answer.into_body()))
    }
}

fn request(question: Question<'_>) -> Result<Request<Full<Bytes>>, String> {
    let mut request = Request::builder()
        .method(question.method)
        .uri(question.url)
        .header(ACCEPT, "application/json")
        .header(CONTENT_TYPE, "application/json");
    if let Some(bearer) = question.bearer {
        let mut value = HeaderValue::try_from(format!("Bearer {bearer}")).map_err(|error| error.to_string())?;
        value.set_sensitive(true);
        request = request.header(AUTHORIZATION, value);
    }
    request.body(Full::from(question.body.unwrap_or_default())).map_err(|error| error.to_string())
}
