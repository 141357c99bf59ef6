//! Pictures: reading, finding by name, editing, deleting, bringing back.

use crate::failure::Failure;
use crate::session::Client;
use http::header::{CONTENT_TYPE, IF_MATCH};
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// A picture's record. What this version does not know by name is kept in `more`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Asset {
    /// Its id.
    pub id: String,
    /// Whose it is.
    pub tenant: String,
    /// Its published name.
    pub path: String,
    /// Grows with every change.
    pub revision: u64,
    /// Grows when the content is replaced.
    pub version: u64,
    /// What it consists of.
    pub content: Content,
    /// The path of its URLs; add `?w=640&f=auto` and the like. Absent where it is not published.
    #[serde(default)]
    pub url: Option<String>,
    /// All else that the server tells.
    #[serde(flatten)]
    pub more: Map<String, Value>,
}

/// What a picture consists of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Content {
    /// BLAKE3 of the bytes, in hexadecimal.
    pub hash: String,
    /// How many.
    pub bytes: u64,
    /// Such as `image/jpeg`.
    pub media_type: String,
    /// In pixels.
    pub width: u32,
    /// In pixels.
    pub height: u32,
}

/// One page of a list. It may be shorter than was asked for, also empty, and not be the last.
#[derive(Clone, Debug)]
pub struct Page {
    /// The records.
    pub assets: Vec<Asset>,
    /// Where the next page begins; `None`: this is the last.
    pub next: Option<String>,
}

/// A record with its URL, as the server tells it.
#[derive(Deserialize)]
struct View {
    asset: Asset,
    url: Option<String>,
}

#[derive(Deserialize)]
struct Views {
    items: Vec<View>,
    next: Option<String>,
}

impl From<View> for Asset {
    fn from(view: View) -> Self {
        Self { url: view.url, ..view.asset }
    }
}

/// What shall be different; what is absent stays.
#[derive(Clone, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Changes {
    /// The title; `Some(None)` removes it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<Option<String>>,
    /// The description; likewise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<Option<String>>,
    /// All tags.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tags: Option<Vec<String>>,
    /// The published name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// `tenant` or `public`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub visibility: Option<String>,
}

const ASSETS: &str = "/ingest/v1/assets";

pub(crate) fn escaped(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}

/// A published name in a path.
fn segments(path: &str) -> String {
    path.split('/').map(escaped).collect::<Vec<_>>().join("/")
}

fn one(id: &str) -> String {
    format!("{ASSETS}/{}", escaped(id))
}

fn matching(revision: Option<u64>) -> HeaderMap {
    let tag = revision.map_or_else(|| "*".to_owned(), |revision| format!("\"r{revision}\""));
    HeaderMap::from_iter([(IF_MATCH, HeaderValue::try_from(tag).expect("digits are a header value"))])
}

impl Client {
    /// A picture by its id.
    ///
    /// # Errors
    /// See [`Failure`]; there is none: refused with 404.
    pub async fn asset(&self, id: &str) -> Result<Asset, Failure> {
        Ok(self.get(&one(id)).await?.json::<View>()?.into())
    }

    /// The picture that is published under a name.
    ///
    /// # Errors
    /// See [`Failure`].
    pub async fn find(&self, path: &str) -> Result<Option<Asset>, Failure> {
        match self.get(&format!("/ingest/v1/paths/{}", segments(path))).await {
            Ok(answer) => Ok(Some(answer.json::<View>()?.into())),
            Err(Failure::Refused { status, .. }) if status == StatusCode::NOT_FOUND => Ok(None),
            Err(failure) => Err(failure),
        }
    }

    /// Publishes bytes under a name; what was there becomes a version, unless it is the same.
    pub(crate) async fn put(&self, path: &str, bytes: bytes::Bytes) -> Result<Asset, Failure> {
        let octets = (CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
        let place = format!("/ingest/v1/files/{}", segments(path));
        let answer = self.ask(Method::PUT, &place, HeaderMap::from_iter([octets]), bytes).await?;
        Ok(answer.accepted()?.json::<View>()?.into())
    }

    /// One page of all pictures.
    ///
    /// # Errors
    /// See [`Failure`].
    pub async fn list(&self, after: Option<&str>, limit: usize) -> Result<Page, Failure> {
        let after = after.map_or_else(String::new, |cursor| format!("&cursor={}", escaped(cursor)));
        let Views { items, next } = self.get(&format!("{ASSETS}?limit={limit}{after}")).await?.json()?;
        Ok(Page { assets: items.into_iter().map(Asset::from).collect(), next })
    }

    /// Changes what is said of a picture. With a revision only if that is still the present one.
    ///
    /// # Errors
    /// See [`Failure`]; it has changed since: refused with 412.
    pub async fn edit(&self, id: &str, revision: Option<u64>, changes: &Changes) -> Result<Asset, Failure> {
        let body = serde_json::to_value(changes).map_err(|error| Failure::Local(error.to_string()))?;
        Ok(self.send(Method::PATCH, &one(id), matching(revision), &body).await?.json::<View>()?.into())
    }

    /// Deletes a picture; for a while it can be brought back.
    ///
    /// # Errors
    /// See [`Failure`].
    pub async fn delete(&self, id: &str, revision: Option<u64>) -> Result<(), Failure> {
        let answer = self.ask(Method::DELETE, &one(id), matching(revision), bytes::Bytes::new()).await?;
        answer.accepted().map(drop)
    }

    /// Brings a deleted picture back.
    ///
    /// # Errors
    /// See [`Failure`]; its name is taken by now: refused with 409.
    pub async fn restore(&self, id: &str) -> Result<Asset, Failure> {
        let path = format!("{}/restore", one(id));
        let answer = self.send(Method::POST, &path, HeaderMap::new(), &Value::Object(Map::new())).await?;
        Ok(answer.json::<View>()?.into())
    }
}
