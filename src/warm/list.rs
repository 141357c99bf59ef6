//! What to warm up, as it is asked for: URLs, or sources with transforms, each for some classes of clients.
//!
//! Knows routes and readings, not how anything is made. Invariant: every entry of a list comes out as jobs or as a refusal
//! with its reason; none is forgotten.

use crate::app::App;
use crate::error::{Error, Kind};
use crate::handler::Asked;
use crate::lane::job::{Job, class, without_signature};
use crate::reading::Reading;
use crate::route::Route;
use http::header::ACCEPT;
use http::{HeaderMap, HeaderValue, Request, Uri};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// What of a source's name has another meaning in a URL.
const NAME: &AsciiSet = &CONTROLS.add(b' ').add(b'"').add(b'#').add(b'%').add(b'<').add(b'>').add(b'?').add(b'`');

/// Entries that are read in one go.
const BREATH: usize = 64;

/// A list.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct List {
    /// URLs, or their paths and queries. Signed ones have to be valid.
    pub(crate) urls: Vec<String>,
    /// Names of originals, as the origin has them …
    pub(crate) sources: Vec<String>,
    /// … each with each of these queries …
    pub(crate) transforms: Vec<String>,
    /// … on the route of this prefix.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) route: Option<String>,
    /// Where routes differ by it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) host: Option<String>,
    /// What clients read, for f=auto: avif, webp, baseline. All of them where none is named.
    pub(crate) classes: Vec<String>,
    /// Whose pictures, where no signature says it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) tenant: Option<String>,
}

/// What a list comes to.
#[derive(Debug, Default)]
pub(crate) struct Read {
    pub(crate) jobs: Vec<Job>,
    /// With the reasons.
    pub(crate) refused: Vec<(String, String)>,
}

impl List {
    /// The jobs; at most `most`.
    ///
    /// # Errors
    /// What is wrong with the list as a whole, in words for whoever wrote it.
    pub(crate) async fn read(&self, app: &App, most: usize) -> Result<Read, String> {
        let accepts = self.accepts()?;
        let targets = self.targets(app)?;
        if targets.is_empty() {
            return Err("nothing to do: give urls, or sources with transforms".to_owned());
        }
        let mut read = Read::default();
        for (number, url) in targets.into_iter().enumerate() {
            if number % BREATH == BREATH - 1 {
                // The thread answers health checks too.
                tokio::task::yield_now().await;
            }
            match self.jobs(app, &url, &accepts) {
                Ok(jobs) => read.jobs.extend(jobs),
                Err(error) => read.refused.push((url, error.to_string())),
            }
            if read.jobs.len() + read.refused.len() > most {
                return Err(format!("more than {most} renditions (render.lane.jobs): give shorter lists"));
            }
        }
        Ok(read)
    }

    /// What clients of each class send.
    fn accepts(&self) -> Result<Vec<HeaderMap>, String> {
        let fields = |accept: &'static str| HeaderMap::from_iter([(ACCEPT, HeaderValue::from_static(accept))]);
        let all = [("avif", "image/avif,image/webp"), ("webp", "image/webp"), ("baseline", "*/*")];
        if let Some(unknown) = self.classes.iter().find(|name| class(name).is_none()) {
            return Err(format!("classes: {unknown}: allowed are avif, webp, baseline"));
        }
        let wanted = |name: &str| self.classes.is_empty() || self.classes.iter().any(|class| class == name);
        Ok(all.into_iter().filter(|(name, _)| wanted(name)).map(|(_, accept)| fields(accept)).collect())
    }

    fn targets(&self, app: &App) -> Result<Vec<String>, String> {
        let mut targets = self.urls.clone();
        if self.sources.is_empty() {
            return if self.transforms.is_empty() { Ok(targets) } else { Err("transforms need sources".to_owned()) };
        }
        let prefix = match (&self.route, app.routes.only()) {
            (Some(prefix), _) => prefix.clone(),
            (None, Some(route)) => route.prefix.clone(),
            (None, None) => return Err("route: which prefix? There are several routes".to_owned()),
        };
        let plain = [String::new()];
        let transforms = if self.transforms.is_empty() { &plain[..] } else { &self.transforms[..] };
        for source in &self.sources {
            let name = utf8_percent_encode(source.trim_start_matches('/'), NAME);
            for transform in transforms {
                let query = transform.trim_start_matches('?');
                let mark = if query.is_empty() { "" } else { "?" };
                targets.push(format!("{prefix}{name}{mark}{query}"));
            }
        }
        Ok(targets)
    }

    /// One URL for all classes that it makes a difference for.
    fn jobs(&self, app: &App, url: &str, accepts: &[HeaderMap]) -> Result<Vec<Job>, Error> {
        let uri: Uri = url.trim().parse().map_err(|_| Kind::Path("this is no URL".to_owned()))?;
        let host = uri.host().or(self.host.as_deref());
        let (route, _) = app.routes.find(host, uri.path()).ok_or(Kind::NoRoute)?;
        let tenant = self.tenant(app, route, &uri, host)?;
        let target = without_signature(uri.path_and_query().map_or("/", |target| target.as_str()));
        let uri: Uri = target.parse().map_err(|_| Kind::Path("this is no URL".to_owned()))?;
        let rest = uri.path().strip_prefix(route.prefix.as_str()).ok_or(Kind::NoRoute)?;
        let reading = Arc::new(Reading::of(&uri, route, rest, &tenant, app.renderer.setup())?);
        let mut clients: Vec<_> = accepts.iter().map(|fields| reading.client(fields)).collect();
        clients.dedup();
        Ok(clients.into_iter().map(|client| Job::of(&Asked::of(Arc::clone(&reading), client, app))).collect())
    }

    fn tenant(&self, app: &App, route: &Route, uri: &Uri, host: Option<&str>) -> Result<Arc<str>, Error> {
        let signed = uri.query().is_some_and(|query| query.split('&').any(|pair| pair.starts_with("s=")));
        if signed {
            let request = Request::get(uri.clone()).body(()).map_err(|_| Kind::Path("this is no URL".to_owned()))?;
            let (request, _) = request.into_parts();
            if let Some(verified) = app.guard.verify(&request, host, route.signing, (app.clock.wall)())? {
                return Ok(Arc::clone(verified.tenant()));
            }
        }
        Ok(self.tenant.as_deref().map_or_else(|| Arc::clone(&app.nobody), Into::into))
    }
}
