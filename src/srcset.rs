//! `srcset`: what is told of a picture gets the URLs of the same picture in several widths, and HTML for them.
//!
//! Knows routes' URLs, not how a picture is made. Invariants: every URL, asked of its route, means exactly the picture
//! whose size stands beside it; none is signed, since whoever may verify shall not give out what was not asked.

use crate::error::{Error, Kind};
use crate::route::Route;
use cache_key::transform::{Codec, Format};
use cache_key::{SourcePath, Transform};
use imaging::info::srcset::{Candidate, candidates};
use imaging::{Probe, Rendition, Setup};
use serde_json::{Map, Value, json};

/// The `src` of the HTML is the widest up to this: what browsers take that know no `srcset`, and crawlers.
const PLAIN: u32 = 1280;
/// Longest side of a WebP (RFC 9649, section 2.6: 14 bits).
const WEBP_SIDE: u32 = 16_383;

/// Puts the URLs into `rendition`, which is what is told of the picture at `path`.
///
/// # Errors
/// See [`candidates`]; [`Kind::Srcset`] where the route's presets make other pictures of the URLs.
pub(crate) fn complete(
    rendition: &mut Rendition,
    transform: &Transform,
    (route, path): (&Route, &SourcePath),
    setup: &Setup,
) -> Result<(), Error> {
    let all = candidates(&rendition.source, transform, setup)?;
    if all.is_empty() {
        return Ok(());
    }
    let place = Place { route, path: format!("{}{}", route.prefix, path.encoded()) };
    let told = told(&all, &place, &rendition.source)?;
    let internal = |error: serde_json::Error| Error::from(imaging::Error::Internal(error.to_string()));
    let mut facts: Map<String, Value> = serde_json::from_slice(&rendition.bytes).map_err(internal)?;
    facts.insert("srcset".into(), told);
    rendition.bytes = serde_json::to_vec_pretty(&facts).map_err(internal)?;
    rendition.bytes.push(b'\n');
    Ok(())
}

fn told(all: &[Candidate], place: &Place<'_>, source: &Probe) -> Result<Value, Error> {
    let auto = place.entries(all, Format::Auto)?;
    let mut sources = String::new();
    // Browsers choose by the type, and some that read AVIF show no more than the first frame of a sequence.
    let moves = source.motion.is_some();
    for (codec, media_type) in [(Codec::Avif, "image/avif"), (Codec::Webp, "image/webp")] {
        let fits = |candidate: &&Candidate| candidate.width.max(candidate.height) <= WEBP_SIDE;
        let fitting: Vec<Candidate> = all.iter().filter(fits).cloned().collect();
        if fitting.is_empty() || (codec == Codec::Avif && moves) {
            continue;
        }
        let entries = place.entries(&fitting, Format::Image(codec))?;
        sources += &format!("<source type=\"{media_type}\" srcset=\"{}\" sizes=\"100vw\">", escaped(&list(&entries)));
    }
    let img = img(&auto);
    let sizes: Vec<Value> =
        auto.iter().map(|entry| json!({ "width": entry.width, "height": entry.height, "url": entry.url })).collect();
    Ok(json!({
        "signed": false,
        "sizes": sizes,
        "picture": format!("<picture>{sources}{img}</picture>"),
        "img": img,
    }))
}

/// One width with its URL.
struct Entry {
    width: u32,
    height: u32,
    url: String,
}

/// Where the pictures are asked for.
struct Place<'a> {
    route: &'a Route,
    /// From the root, escaped.
    path: String,
}

impl Place<'_> {
    fn entries(&self, all: &[Candidate], format: Format) -> Result<Vec<Entry>, Error> {
        let entries = all.iter().map(|candidate| {
            let mut transform = candidate.transform.clone();
            transform.output.format = format;
            let url = self.url(&transform.normalised())?;
            Ok(Entry { width: candidate.width, height: candidate.height, url })
        });
        entries.collect()
    }

    /// The canonical URL of a transform, if its route understands it so.
    fn url(&self, transform: &Transform) -> Result<String, Error> {
        let query = transform.canonical();
        match cache_key::parse(Some(&query), &self.route.presets) {
            Ok(parsed) if parsed.transform == *transform => Ok(format!("{}?{query}", self.path)),
            _ => Err(Kind::Srcset.into()),
        }
    }
}

fn list(entries: &[Entry]) -> String {
    entries.iter().map(|entry| format!("{} {}w", entry.url, entry.width)).collect::<Vec<_>>().join(", ")
}

fn img(entries: &[Entry]) -> String {
    let plain = entries.iter().rfind(|entry| entry.width <= PLAIN).or_else(|| entries.first());
    let (Some(plain), Some(largest)) = (plain, entries.last()) else { return String::new() };
    format!(
        "<img src=\"{}\" srcset=\"{}\" sizes=\"100vw\" width=\"{}\" height=\"{}\" alt=\"\">",
        escaped(&plain.url),
        escaped(&list(entries)),
        largest.width,
        largest.height
    )
}

/// As the value of an attribute between double quotes.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('"', "&quot;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::{Entry, escaped, img};

    fn entry(width: u32) -> Entry {
        Entry { width, height: width / 2, url: format!("/img/a.png?f=auto&w={width}") }
    }

    #[test]
    fn the_plain_source_is_of_a_middling_width() {
        let html = img(&[entry(320), entry(1280), entry(2560)]);
        assert!(
            html.starts_with("<img src=\"/img/a.png?f=auto&amp;w=1280\" srcset=\"/img/a.png?f=auto&amp;w=320 320w, ")
        );
        assert!(html.ends_with(" 2560w\" sizes=\"100vw\" width=\"2560\" height=\"1280\" alt=\"\">"), "{html}");
        assert!(img(&[entry(4000)]).starts_with("<img src=\"/img/a.png?f=auto&amp;w=4000\""));
        assert_eq!(img(&[]), "");
    }

    #[test]
    fn nothing_ends_an_attribute() {
        assert_eq!(escaped("\"><&"), "&quot;&gt;&lt;&amp;");
    }
}
