//! The edge servers, as far as they have to be told something: over their admin listeners.
//!
//! Does not know what they keep. Invariant: a purge that returns has reached every one of them.

use crate::config::EdgeConfig;
use bytes::Bytes;
use http::{HeaderName, HeaderValue, header};
use origin::http::errand::{Bounds, Errands};
use serde_json::{Value, json};
use std::fmt;
use std::pin::Pin;
use std::time::Duration;
use store::Name;

/// A future that a trait object can give.
pub type Later<'a> = Pin<Box<dyn Future<Output = Result<(), String>> + Send + 'a>>;

/// Names that one request tells of.
const MOST: usize = 1000;

/// Whoever shows published names.
pub trait Edge: fmt::Debug + Send + Sync {
    /// These names may lead elsewhere than before. Errors are for the log; it may be tried again.
    fn purge<'a>(&'a self, names: &'a [Name]) -> Later<'a>;

    /// What is configured of these names is to be made before anybody asks. Likewise.
    fn warm<'a>(&'a self, names: &'a [Name]) -> Later<'a>;
}

/// Edge servers by their admin listeners.
#[derive(Clone)]
pub struct HttpEdge {
    config: EdgeConfig,
    errands: Errands,
    fields: Vec<(HeaderName, HeaderValue)>,
}

impl fmt::Debug for HttpEdge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpEdge").field("admin", &self.config.admin).finish_non_exhaustive()
    }
}

impl HttpEdge {
    /// `None` where none is configured.
    ///
    /// # Errors
    /// In words for the person who wrote the config.
    pub fn new(config: &EdgeConfig) -> Result<Option<Self>, String> {
        if config.admin.is_empty() {
            return Ok(None);
        }
        let everywhere = ["0.0.0.0/0", "::/0"].map(|network| network.parse().expect("a network"));
        let bounds = Bounds {
            // Who configures the server knows where its edge is.
            allow_private: everywhere.to_vec(),
            allow: Vec::new(),
            redirects: 0,
            connect: Duration::from_secs(2),
            response: Duration::from_secs(10),
            pause: Duration::from_secs(5),
        };
        let mut fields = vec![(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))];
        if let Some(token) = &config.token {
            let bearer = HeaderValue::try_from(format!("Bearer {}", token.expose()));
            let mut bearer = bearer.map_err(|_| "ingest.edge.token: it is no token".to_owned())?;
            bearer.set_sensitive(true);
            fields.push((header::AUTHORIZATION, bearer));
        }
        Ok(Some(Self { config: config.clone(), errands: Errands::new(bounds, None)?, fields }))
    }

    async fn tell(&self, what: &str, body: &Value, taken: &[u16]) -> Result<(), String> {
        let mut failed = Vec::new();
        let mut fields = self.fields.clone();
        // The edge's audit log has the trace of whoever changed the picture.
        if let Some((name, value)) = service::otlp::outgoing(&tracing::Span::current())
            && let Ok(value) = HeaderValue::try_from(value)
        {
            fields.push((HeaderName::from_static(name), value));
        }
        for admin in &self.config.admin {
            let url = format!("{}/{what}", admin.trim_end_matches('/'));
            match self.errands.post(&url, &fields, Bytes::from(body.to_string())).await {
                Ok(status) if taken.contains(&status) => {}
                Ok(status) => failed.push(format!("{url} answered {status}")),
                Err(trouble) => failed.push(format!("{url}: {trouble} ({})", trouble.text)),
            }
        }
        if failed.is_empty() { Ok(()) } else { Err(failed.join("; ")) }
    }
}

/// What an origin calls a name.
fn source(name: &Name) -> String {
    format!("{}/{}", name.tenant, name.path)
}

impl Edge for HttpEdge {
    fn purge<'a>(&'a self, names: &'a [Name]) -> Later<'a> {
        Box::pin(async move {
            for some in names.chunks(MOST) {
                let of = |name: &Name| json!({ "origin": self.config.origin, "path": source(name) });
                let body = json!({ "source": some.iter().map(of).collect::<Vec<_>>() });
                self.tell("purge", &body, &[200]).await?;
            }
            Ok(())
        })
    }

    fn warm<'a>(&'a self, names: &'a [Name]) -> Later<'a> {
        Box::pin(async move {
            if self.config.warm.is_empty() {
                return Ok(());
            }
            for some in names.chunks(MOST) {
                let sources: Vec<String> = some.iter().map(source).collect();
                let body = json!({ "sources": sources, "transforms": self.config.warm, "route": self.config.prefix });
                self.tell("warm", &body, &[202]).await?;
            }
            Ok(())
        })
    }
}
