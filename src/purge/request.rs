//! What a purge's JSON says.
//!
//! Knows no routes. Invariant: unknown fields are refused, and lists have an end.

use serde::Deserialize;
use std::fmt;

/// Things in one request.
pub(crate) const MOST: usize = 1000;

/// The body of `POST /purge`. Each field takes one thing or a list.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Body {
    #[serde(default)]
    url: OneOrMany<String>,
    #[serde(default)]
    source: OneOrMany<Source>,
    #[serde(default)]
    tag: OneOrMany<String>,
    #[serde(default)]
    prefix: OneOrMany<String>,
    #[serde(default)]
    all: bool,
    #[serde(default)]
    only: bool,
    #[serde(default)]
    dry_run: bool,
}

/// An original, by its place.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Source {
    pub(super) route: Option<String>,
    pub(super) origin: Option<String>,
    pub(super) path: String,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum OneOrMany<T> {
    Many(Vec<T>),
    One(T),
}

impl<T> Default for OneOrMany<T> {
    fn default() -> Self {
        Self::Many(Vec::new())
    }
}

impl<T> OneOrMany<T> {
    fn list(self) -> Vec<T> {
        match self {
            Self::Many(list) => list,
            Self::One(one) => vec![one],
        }
    }
}

/// One thing to purge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Item {
    /// All renditions of the source that a URL names.
    Url(String),
    /// The one transform that a URL asks for, in all formats.
    Only(String),
    Source(Source),
    Tag(String),
    Prefix(String),
    All,
}

impl Item {
    /// The name in metrics.
    pub(super) const fn kind(&self) -> &'static str {
        match self {
            Self::Url(_) => "url",
            Self::Only(_) => "only",
            Self::Source(_) => "source",
            Self::Tag(_) => "tag",
            Self::Prefix(_) => "prefix",
            Self::All => "all",
        }
    }
}

/// What it names, without a URL's query.
impl fmt::Display for Item {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = self.kind();
        match self {
            Self::Url(url) | Self::Only(url) | Self::Prefix(url) => {
                write!(f, "{kind} {}", url.split('?').next().unwrap_or_default())
            }
            Self::Source(source) => write!(f, "{kind} {}", source.path),
            Self::Tag(tag) => write!(f, "{kind} {tag}"),
            Self::All => f.write_str(kind),
        }
    }
}

/// What is asked for.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Wanted {
    pub(super) items: Vec<Item>,
    pub(super) dry_run: bool,
}

/// # Errors
/// In words for the one who asked.
pub(super) fn read(body: &[u8]) -> Result<Wanted, String> {
    let body: Body = serde_json::from_slice(body).map_err(|error| {
        format!("the body is not what a purge says: {error}; such as {{\"url\": \"/img/a.jpg\"}}, see docs/purge.md")
    })?;
    let url = if body.only { Item::Only } else { Item::Url };
    let items: Vec<Item> = (body.url.list().into_iter().map(url))
        .chain(body.source.list().into_iter().map(Item::Source))
        .chain(body.tag.list().into_iter().map(Item::Tag))
        .chain(body.prefix.list().into_iter().map(Item::Prefix))
        .chain(body.all.then_some(Item::All))
        .collect();
    match items.len() {
        0 => Err("nothing is named: give url, source, tag or prefix, each one or a list, or \"all\": true".to_owned()),
        1..=MOST => Ok(Wanted { items, dry_run: body.dry_run }),
        many => Err(format!("{many} things are named; at most {MOST} go in one request")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_or_many_of_each() {
        let wanted =
            read(br#"{"url": "/a", "tag": ["x", "y"], "source": {"route": "/img/", "path": "a"}, "dry_run": true}"#);
        let wanted = wanted.expect("sound");
        let source = Source { route: Some("/img/".into()), origin: None, path: "a".into() };
        let items = [Item::Url("/a".into()), Item::Source(source), Item::Tag("x".into()), Item::Tag("y".into())];
        assert_eq!((wanted.items.as_slice(), wanted.dry_run), (&items[..], true));
        let only = read(br#"{"url": ["/a?w=1"], "only": true}"#).expect("sound");
        assert_eq!(only.items[0].to_string(), "only /a", "signatures stand in queries");
        assert_eq!(
            wanted.items.iter().map(Item::to_string).collect::<Vec<_>>().join(", "),
            "url /a, source a, tag x, tag y"
        );
        assert_eq!(only.items, [Item::Only("/a?w=1".into())]);
        assert_eq!(read(br#"{"all": true}"#).expect("sound").items, [Item::All]);
    }

    #[test]
    fn what_is_wrong_is_said() {
        for (body, word) in [
            (&b"{}"[..], "nothing is named"),
            (b"{\"urls\": \"/a\"}", "unknown field `urls`"),
            (b"\xff", "not what a purge says"),
            (b"{\"tag\": 5}", "not what a purge says"),
        ] {
            assert!(read(body).expect_err("wrong").contains(word), "{word}");
        }
        let many = format!("{{\"tag\": [{}]}}", vec!["\"x\""; MOST + 1].join(","));
        assert!(read(many.as_bytes()).expect_err("too many").contains("at most 1000"));
    }
}
