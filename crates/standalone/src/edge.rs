//! The edge within this process: its pictures as a route of the public port.
//!
//! Knows what the edge is handed (a peer and a head) and nothing of pictures. Invariant: the edge's config is what was written
//! and, besides, the route of published pictures.

use crate::config::Config;
use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use bytes::Bytes;
use companion::Peer;
use http::Uri;
use serde_json::json;
use std::net::{IpAddr, Ipv4Addr};
use tintype::app::App;
use tintype::config::Config as EdgeConfig;

/// What the edge calls the origin of published pictures.
pub(crate) const ORIGIN: &str = "store";
/// Where the edge's page for trying out the samples is.
const SAMPLES: &str = "/samples";

/// Adds the route of published pictures, and takes the samples' away where there are none.
///
/// # Errors
/// In words: the store's folder cannot be made or named, or an origin is missing.
pub(crate) fn complete(config: &mut Config) -> Result<(), String> {
    // A bucket, or a folder elsewhere: who configures that names its origin.
    if config.edge.origins.iter().any(|origin| origin.name == ORIGIN) {
        return Ok(());
    }
    if config.store.bucket.is_some() {
        return Err(format!(
            "store.s3: the edge needs an [[origins]] called {ORIGIN:?} with that bucket, and a route to it"
        ));
    }
    let root = &config.store.root;
    std::fs::create_dir_all(root.join("names")).map_err(|error| format!("store.root {}: {error}", root.display()))?;
    let root = root.to_str().ok_or_else(|| format!("store.root: {} is no UTF-8", root.display()))?.to_owned();
    let sets = [
        format!("origins.0.name={ORIGIN}"),
        format!("origins.0.root={root}"),
        "origins.0.folder=names/".to_owned(),
        format!("routes.0.prefix={}", config.platform.route),
        format!("routes.0.origin={ORIGIN}"),
        "page.origin=samples".to_owned(),
    ];
    let own = service::config::load::<EdgeConfig>(None, [], &sets).map_err(|errors| errors.to_string())?.config;
    let edge = &mut config.edge;
    let missing = |origin: &origin::config::OriginConfig| {
        origin.name == "samples" && origin.root.as_ref().is_some_and(|root| !root.exists())
    };
    if edge.origins.iter().any(missing) {
        edge.origins.retain(|origin| !missing(origin));
        edge.routes.retain(|route| route.origin != "samples");
    }
    edge.origins.extend(own.origins.into_iter().take(1));
    edge.routes.extend(own.routes.into_iter().take(1));
    Ok(())
}

/// Answers with a picture, or says why there is none.
pub(crate) async fn picture(app: App, request: Request) -> Response {
    const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
    let (mut head, _no_method_has_one) = request.into_parts();
    if head.uri.path() == SAMPLES {
        // The edge's own page, whose place the console has taken.
        head.uri = Uri::from_static("/");
    }
    let peer = head.extensions.get::<Peer>().map_or(HERE, |peer| peer.address);
    app.respond(&tintype::server::Peer::plain(peer), &head).await.map(Body::from)
}

/// This process's edge, as ingest tells it of changes.
#[derive(Clone, Debug)]
pub(crate) struct Here {
    app: App,
    origin: String,
    route: String,
    warm: Vec<String>,
}

/// Names that one purge tells of.
const MOST: usize = 1000;

impl Here {
    pub(crate) fn new(app: App, config: &ingest::config::EdgeConfig) -> Self {
        let (origin, route, warm) = (config.origin.clone(), config.prefix.clone(), config.warm.clone());
        Self { app, origin, route, warm }
    }
}

fn source(name: &store::Name) -> String {
    format!("{}/{}", name.tenant, name.path)
}

fn done(what: &str, wanted: u16, (status, text): (u16, Bytes)) -> Result<(), String> {
    let told = || format!("{what}: {status}: {}", String::from_utf8_lossy(&text));
    if status == wanted { Ok(()) } else { Err(told()) }
}

impl ingest::Edge for Here {
    fn purge<'a>(&'a self, names: &'a [store::Name]) -> ingest::edge::Later<'a> {
        Box::pin(async move {
            for some in names.chunks(MOST) {
                let of = |name: &store::Name| json!({ "origin": self.origin, "path": source(name) });
                let body = json!({ "source": some.iter().map(of).collect::<Vec<_>>() });
                done("purge", 200, self.app.purge(body.to_string().into()).await)?;
            }
            Ok(())
        })
    }

    fn warm<'a>(&'a self, names: &'a [store::Name]) -> ingest::edge::Later<'a> {
        Box::pin(async move {
            for some in names.chunks(MOST).filter(|_| !self.warm.is_empty()) {
                let sources: Vec<String> = some.iter().map(source).collect();
                let body = json!({ "sources": sources, "transforms": self.warm, "route": self.route });
                done("warm", 202, self.app.warm(body.to_string().into()).await)?;
            }
            Ok(())
        })
    }
}
