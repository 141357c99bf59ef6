//! From what is named to what becomes void, here and at a CDN.
//!
//! Knows routes and URLs. Invariant: a name that means nothing here is refused, never taken for something wider.

use super::request::{Item, Source};
use crate::cache::Scope;
use crate::route::{Route, Routes};
use crate::semantics::cache_tag;
use cache_key::SourcePath;
use std::collections::BTreeSet;
use std::sync::Arc;

/// What an item means.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Meaning {
    pub(super) scopes: BTreeSet<Scope>,
    /// As CloudFront takes them: `#tag`, or a path that may end in `*`.
    pub(super) cdn: BTreeSet<String>,
}

/// # Errors
/// What is wrong with the name.
pub(super) fn resolve(routes: &Routes, item: &Item) -> Result<Meaning, String> {
    match item {
        Item::Url(url) => by_url(routes, url, false),
        Item::Only(url) => by_url(routes, url, true),
        Item::Source(source) => by_source(routes, source),
        Item::Tag(tag) => by_tag(tag),
        Item::Prefix(prefix) => by_prefix(routes, prefix),
        Item::All => Ok(one(Scope::ALL, "/*")),
    }
}

fn one(scope: Scope, cdn: &str) -> Meaning {
    Meaning { scopes: [scope].into(), cdn: [cdn.to_owned()].into() }
}

fn by_url(routes: &Routes, url: &str, only: bool) -> Result<Meaning, String> {
    let (host, target) = split(url)?;
    let (path, query) = target.split_once('?').map_or((target, None), |(path, query)| (path, Some(query)));
    let (route, rest) = match host {
        Some(host) => routes.find(Some(host), path),
        None => routes.find(None, path).or_else(|| routes.find_any(path)),
    }
    .ok_or_else(|| "no route of this server begins with this host and path".to_owned())?;
    let source = SourcePath::parse(rest).map_err(|error| error.to_string())?;
    if !only {
        return Ok(of_source(route, &source));
    }
    let parsed = cache_key::parse(query, &route.presets).map_err(|error| error.to_string())?;
    let scope = Scope::work(&route.origin_name, source.as_str(), &parsed.transform.canonical());
    let cdn = query.map_or_else(|| path.to_owned(), |query| format!("{path}?{query}"));
    Ok(one(scope, &cdn))
}

fn by_source(routes: &Routes, source: &Source) -> Result<Meaning, String> {
    let path = SourcePath::parse(&source.path).map_err(|error| error.to_string())?;
    let here = |route: &&Arc<Route>| match (&source.route, &source.origin) {
        (Some(prefix), None) => route.prefix == *prefix,
        (None, Some(name)) => route.origin_name == *name || route.origin_name.split('|').any(|one| one == name),
        _ => false,
    };
    let mut meaning = Meaning::default();
    for route in routes.iter().filter(here) {
        let of = of_source(route, &path);
        meaning.scopes.extend(of.scopes);
        meaning.cdn.extend(of.cdn);
    }
    if meaning.scopes.is_empty() {
        let known: Vec<_> = routes.iter().map(|route| route.prefix.as_str()).collect();
        return Err(format!("give either the route (one of {}) or the name of an origin", known.join(", ")));
    }
    Ok(meaning)
}

/// Of all renditions of an original the tag, where it can be one; else all that is below its URL's path.
fn of_source(route: &Route, source: &SourcePath) -> Meaning {
    let tag = cache_tag::named("src", source.as_str());
    let cdn = match route.tags && cache_tag::is_valid(&tag) {
        true => format!("#{tag}"),
        false => format!("{}{}*", route.prefix, source.encoded()),
    };
    one(Scope::source(&route.origin_name, source.as_str()), &cdn)
}

fn by_tag(tag: &str) -> Result<Meaning, String> {
    if !cache_tag::is_valid(tag) {
        let most = cache_tag::MAX_TAG_LENGTH;
        return Err(format!("a tag has 1 to {most} visible ASCII characters and no comma"));
    }
    Ok(one(Scope::tag(tag), &format!("#{tag}")))
}

fn by_prefix(routes: &Routes, prefix: &str) -> Result<Meaning, String> {
    let (host, path) = split(prefix)?;
    if path.contains('?') {
        return Err("a prefix is of the path; leave the query out".to_owned());
    }
    let decode = |rest: &str| {
        let decoded = percent_encoding::percent_decode_str(rest).decode_utf8();
        decoded.map(std::borrow::Cow::into_owned).map_err(|_| "the prefix is not UTF-8 once decoded".to_owned())
    };
    let mut meaning = Meaning::default();
    for route in routes.iter().filter(|route| host.is_none_or(|host| route.is_for(Some(host)))) {
        let rest = match path.strip_prefix(route.prefix.as_str()) {
            Some(rest) => decode(rest)?,
            None if route.prefix.starts_with(path) => String::new(),
            None => continue,
        };
        meaning.scopes.insert(Scope::prefix(&route.origin_name, &rest));
    }
    if meaning.scopes.is_empty() {
        return Err("no route of this server has URLs that begin so".to_owned());
    }
    meaning.cdn.insert(format!("{path}*"));
    Ok(meaning)
}

/// Host and request target of a URL, or of a target alone.
fn split(url: &str) -> Result<(Option<&str>, &str), String> {
    let form = || "give a URL, or a path that begins with /".to_owned();
    if url.starts_with('/') {
        return Ok((None, url));
    }
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://")).ok_or_else(form)?;
    let at = rest.find('/').ok_or_else(form)?;
    let host = rest[..at].rsplit_once(':').filter(|(_, port)| port.bytes().all(|b| b.is_ascii_digit()));
    Ok((Some(host.map_or(&rest[..at], |(host, _)| host)), &rest[at..]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;
    use cache_key::Presets;

    fn routes() -> Routes {
        let sets = [
            "origins.1.name=web",
            "origins.1.kind=http",
            "origins.1.base=https://web.example.org/",
            "routes.1.prefix=/img/web/",
            "routes.1.origin=web",
            "routes.2.prefix=/img/",
            "routes.2.host=b.example.org",
            "routes.2.origin=web",
            "routes.2.fallback_origins=samples",
            "routes.2.tag_header=",
        ];
        let sets = sets.map(str::to_owned);
        let config =
            service::config::load::<Config>(None, [], &sets).unwrap_or_else(|errors| panic!("{errors}")).config;
        let none = || Presets::new(std::iter::empty::<(&str, &str)>(), false).expect("none");
        let route = |route| Route::new(route, Vec::new(), none()).expect("sound");
        Routes::new(config.routes.iter().map(route).collect())
    }

    fn meaning(item: &Item) -> Result<(Vec<Scope>, Vec<String>), String> {
        resolve(&routes(), item)
            .map(|meaning| (meaning.scopes.into_iter().collect(), meaning.cdn.into_iter().collect()))
    }

    fn means(item: &Item, scopes: &[Scope], cdn: &[&str]) {
        let (mut scopes, cdn) = (scopes.to_vec(), cdn.iter().map(|name| (*name).to_owned()).collect());
        scopes.sort_unstable();
        assert_eq!(meaning(item), Ok((scopes, cdn)), "{item:?}");
    }

    #[test]
    fn urls_name_the_source_of_their_route() {
        let url = |url: &str| Item::Url(url.to_owned());
        means(&url("/img/a%20b.jpg?w=1"), &[Scope::source("samples", "a b.jpg")], &["#src:a%20b.jpg"]);
        means(&url("http://a.example.org:81/img/web/a.jpg"), &[Scope::source("web", "a.jpg")], &["#src:a.jpg"]);
        // That route sends no tags.
        means(
            &url("https://B.example.org/img/a b.jpg"),
            &[Scope::source("web|samples", "a b.jpg")],
            &["/img/a%20b.jpg*"],
        );
        for wrong in ["a.jpg", "/other/a.jpg", "/img/", "/img/../a.jpg", "https://a.example.org"] {
            assert!(meaning(&url(wrong)).is_err(), "{wrong}");
        }
    }

    #[test]
    fn only_is_one_transform_however_it_is_written() {
        let only = |url: &str| meaning(&Item::Only(url.to_owned())).map(|(scopes, _)| scopes);
        assert_eq!(only("/img/a.jpg?h=50.0&w=100"), only("/img/a.jpg?w=100&h=50"));
        assert_ne!(only("/img/a.jpg?w=100"), only("/img/a.jpg?w=101"));
        assert!(only("/img/a.jpg?w=no").is_err());
    }

    #[test]
    fn sources_are_of_a_route_or_an_origin() {
        let source = |route: Option<&str>, origin: Option<&str>| {
            let own = |text: Option<&str>| text.map(str::to_owned);
            Item::Source(Source { route: own(route), origin: own(origin), path: "a.jpg".to_owned() })
        };
        let both = [Scope::source("web", "a.jpg"), Scope::source("web|samples", "a.jpg")];
        means(&source(None, Some("web")), &both, &["#src:a.jpg", "/img/a.jpg*"]);
        means(&source(Some("/img/web/"), None), &both[..1], &["#src:a.jpg"]);
        for wrong in [source(None, None), source(Some("/img/"), Some("web")), source(Some("/other/"), None)] {
            assert!(meaning(&wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn prefixes_reach_every_route_that_they_touch() {
        let prefix = |text: &str| Item::Prefix(text.to_owned());
        let of = |origin: &str, path: &str| Scope::prefix(origin, path);
        means(&prefix("/img/20"), &[of("samples", "20"), of("web|samples", "20")], &["/img/20*"]);
        means(&prefix("/img/w"), &[of("samples", "w"), of("web|samples", "w"), of("web", "")], &["/img/w*"]);
        means(&prefix("https://a.example.org/img/%C3%A9"), &[of("samples", "é")], &["/img/%C3%A9*"]);
        for wrong in ["/other/", "/img/a?w=1", "img/"] {
            assert!(meaning(&prefix(wrong)).is_err(), "{wrong}");
        }
    }

    #[test]
    fn tags_and_all() {
        means(&Item::Tag("Sale".to_owned()), &[Scope::tag("sale")], &["#Sale"]);
        means(&Item::All, &[Scope::ALL], &["/*"]);
        assert!(meaning(&Item::Tag("a b".to_owned())).is_err());
    }
}
