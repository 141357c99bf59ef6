//! Search, and signed URLs.

use crate::asset::escaped;
use crate::failure::Failure;
use crate::session::Client;
use http::{HeaderMap, Method};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

/// What was found.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Found {
    /// The pictures, in the order that was asked for.
    #[serde(rename = "assets")]
    pub hits: Vec<Hit>,
    /// Where the next page begins.
    #[serde(default)]
    pub next: Option<String>,
    /// All else: the total, facets.
    #[serde(flatten)]
    pub more: Map<String, Value>,
}

/// A picture that was found.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Hit {
    /// Its id.
    pub id: String,
    /// Its published name.
    pub path: String,
    /// All else that the server tells.
    #[serde(flatten)]
    pub more: Map<String, Value>,
}

impl Client {
    /// Searches; `query` are the parameters of `GET /search/v1/assets` (docs/search.md), such as `("q", "harbour")`.
    ///
    /// # Errors
    /// See [`Failure`].
    pub async fn search(&self, query: &[(&str, String)]) -> Result<Found, Failure> {
        let pairs = query.iter().map(|(name, value)| format!("{name}={}", escaped(value)));
        let pairs = pairs.collect::<Vec<_>>().join("&");
        self.get(&format!("/search/v1/assets?{pairs}")).await?.json()
    }

    /// Signs the URL of a rendition: `path` is the picture's name, `query` what is wanted of it.
    ///
    /// # Errors
    /// See [`Failure`]; the server has no key for the tenant: refused with 409.
    pub async fn sign(&self, tenant: &str, path: &str, query: &str, seconds: u64) -> Result<String, Failure> {
        #[derive(Deserialize)]
        struct Signed {
            url: String,
        }
        let body = json!({ "path": path, "query": query, "expiresIn": seconds });
        let place = format!("/auth/v1/tenants/{}/urls", escaped(tenant));
        Ok(self.send(Method::POST, &place, HeaderMap::new(), &body).await?.json::<Signed>()?.url)
    }
}
