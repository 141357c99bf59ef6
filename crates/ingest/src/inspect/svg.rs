//! Drawings that do something: scripts, handlers, and whatever would be fetched from elsewhere.
//!
//! The edge draws no script and fetches nothing; but originals may be handed out as they are, to programs that do. So such
//! drawings are refused rather than cleaned: a cleaned one would be another picture than its owner sent. Invariants: no
//! entity is resolved from outside; embedded pictures are held to the limits of any other.

use super::{Reason, Refused, base64, inner};
use imaging::metadata::svg_text;
use imaging::{Limits, Watch};
use roxmltree::{Document, Node, NodeType, ParsingOptions};

/// Nodes of a document.
const MOST_NODES: u32 = 300_000;
/// Pictures embedded in one drawing.
const MOST_PICTURES: usize = 64;
/// Elements that run, or show what is not drawn.
const ELEMENTS: &[&str] = &[
    "script",
    "handler",
    "listener",
    "foreignobject",
    "iframe",
    "embed",
    "object",
    "audio",
    "video",
    "canvas",
    "link",
];
/// Attributes that name something: a part of the drawing, a picture in it, or what is elsewhere.
const REFERENCES: &[&str] = &["href", "src", "data", "action", "formaction"];
/// Attributes that are mostly numbers, but become names where an animation sets such a one.
const ANIMATED: &[&str] = &["from", "to", "values", "by"];

/// # Errors
/// [`Reason::ActiveSvg`], [`Reason::Damaged`], and what an embedded picture is refused for.
pub(super) fn check(bytes: &[u8], limits: &Limits, watch: &Watch) -> Result<(), Refused> {
    let damaged = |text: &str| Refused::new(Reason::Damaged, format!("SVG: {text}"));
    let text = svg_text(bytes).ok_or_else(|| damaged("it cannot be unpacked, or is too large"))?;
    let text = std::str::from_utf8(&text).map_err(|_| damaged("it is no UTF-8"))?;
    if names_outside(text) {
        return Err(active("an entity from elsewhere"));
    }
    let options = ParsingOptions { allow_dtd: true, nodes_limit: MOST_NODES, ..ParsingOptions::default() };
    let document = Document::parse_with_options(text, options).map_err(|error| damaged(&error.to_string()))?;
    let mut pictures = 0;
    for node in document.descendants() {
        watch.check()?;
        match node.node_type() {
            NodeType::PI if node.pi().is_some_and(|pi| pi.target == "xml-stylesheet") => {
                return Err(active("a style sheet from elsewhere"));
            }
            NodeType::Element => {
                element(node)?;
                for picture in embedded(node)? {
                    pictures += 1;
                    if pictures > MOST_PICTURES {
                        return Err(Refused::new(
                            Reason::TooLarge,
                            format!("more than {MOST_PICTURES} embedded pictures"),
                        ));
                    }
                    inner(&picture, limits, watch)?;
                }
            }
            _ => {}
        }
    }
    Ok(())
}

fn active(what: &str) -> Refused {
    Refused::new(Reason::ActiveSvg, format!("the drawing has {what}; remove it and upload again"))
}

/// `<!ENTITY x SYSTEM "file:///etc/passwd">`; a document type alone is common and harmless.
fn names_outside(text: &str) -> bool {
    text.split("<!ENTITY").skip(1).any(|rest| {
        let declared = rest.split('>').next().unwrap_or_default();
        declared.contains("SYSTEM") || declared.contains("PUBLIC")
    })
}

fn element(node: Node<'_, '_>) -> Result<(), Refused> {
    let name = node.tag_name().name().to_ascii_lowercase();
    if ELEMENTS.contains(&name.as_str()) {
        return Err(active(&format!("an element `{name}`")));
    }
    if name == "style" && node.children().filter_map(|child| child.text()).any(styles) {
        return Err(active("a style that fetches something"));
    }
    if name == "use"
        && node.attributes().any(|attribute| attribute.name() == "href" && is_circle(node, attribute.value()))
    {
        return Err(active("an element that contains itself"));
    }
    for attribute in node.attributes() {
        let (key, value) = (attribute.name().to_ascii_lowercase(), attribute.value());
        if key.starts_with("on") {
            return Err(active(&format!("a handler `{key}`")));
        }
        if styles(value) {
            return Err(active("a style that fetches something"));
        }
        // A link leads somewhere when it is clicked; it fetches nothing.
        let link = name == "a" && key == "href" && is_page(value);
        let outside = (REFERENCES.contains(&key.as_str()) && !is_inside(value) && !link)
            || (ANIMATED.contains(&key.as_str()) && is_outside(value));
        if outside {
            return Err(active(&format!("`{key}` that names something elsewhere")));
        }
    }
    Ok(())
}

/// Whether the element that is named is one of those that this one is in.
fn is_circle(node: Node<'_, '_>, target: &str) -> bool {
    let Some(id) = target.trim().strip_prefix('#') else { return false };
    node.ancestors().any(|above| above.attribute("id") == Some(id))
}

fn is_page(value: &str) -> bool {
    let value = value.trim().to_ascii_lowercase();
    value.starts_with("https://") || value.starts_with("http://") || value.starts_with("mailto:")
}

/// A part of the drawing, or a picture in it.
fn is_inside(value: &str) -> bool {
    let value = bare(value);
    value.is_empty() || value.starts_with('#') || is_data(&value)
}

/// As browsers read a scheme: without control characters and blanks.
fn bare(value: &str) -> String {
    let value: String = value.chars().filter(|c| !c.is_control() && !c.is_whitespace()).collect();
    value.to_ascii_lowercase()
}

/// Neither inside, nor a mere number.
fn is_outside(value: &str) -> bool {
    if is_inside(value) {
        return false;
    }
    let value = bare(value);
    value.contains("://")
        || value.starts_with("//")
        || value.contains("javascript:")
        || value.contains("data:")
        || value.contains(['/', '\\'])
        || looks_like_a_file(&value)
}

/// `picture.png`, but not `0.5` nor `0 0;1.5 2`.
fn looks_like_a_file(value: &str) -> bool {
    value.rsplit_once('.').is_some_and(|(_, end)| {
        (2..=5).contains(&end.len())
            && end.starts_with(|c: char| c.is_ascii_alphabetic())
            && end.bytes().all(|b| b.is_ascii_alphanumeric())
    })
}

fn is_data(value: &str) -> bool {
    ["png", "jpeg", "jpg", "gif", "webp", "avif"]
        .iter()
        .any(|kind| value.starts_with(&format!("data:image/{kind};base64,")))
}

/// Whether a style names something outside, or runs.
fn styles(text: &str) -> bool {
    let text = bare(text);
    let fetches = text.split("url(").skip(1).any(|rest| {
        let target = rest.trim_start_matches(['"', '\'']);
        !target.starts_with('#') && !is_data(target)
    });
    fetches
        || text.contains("@import")
        || text.contains("expression(")
        || text.contains("-moz-binding")
        || text.contains("javascript:")
}

fn embedded(node: Node<'_, '_>) -> Result<Vec<Vec<u8>>, Refused> {
    let data = node.attributes().filter(|attribute| attribute.value().trim_start().starts_with("data:image/"));
    let read = |value: &str| value.split_once(";base64,").and_then(|(_, text)| base64::decode(text));
    data.map(|attribute| {
        read(attribute.value())
            .ok_or_else(|| Refused::new(Reason::Damaged, "SVG: an embedded picture that is no base64"))
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(inside: &str) -> Result<(), Reason> {
        let text = format!(
            "<svg xmlns='http://www.w3.org/2000/svg' xmlns:xlink='http://www.w3.org/1999/xlink' width='9' height='9'>{inside}</svg>"
        );
        check(text.as_bytes(), &Limits::default(), &Watch::new()).map_err(|refused| refused.reason)
    }

    #[test]
    fn drawings_pass() {
        for inside in [
            "<rect width='3' height='3' fill='url(#a)' style='fill: #fff'/>",
            "<use xlink:href='#a'/><a href='https://example.org/'><text>hi</text></a>",
            "<style>.a { fill: url(#b) }</style>",
            "<animate attributeName='x' from='0' to='9.5' values='0;1.5;2' dur='1s'/>",
            "<image href='data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=='/>",
        ] {
            assert_eq!(checked(inside), Ok(()), "{inside}");
        }
    }

    #[test]
    fn what_does_something_is_refused() {
        for inside in [
            "<script>alert(1)</script>",
            "<SCRIPT/>",
            "<rect onload='x()'/>",
            "<image href='http://example.org/a.png'/>",
            "<image xlink:href='//example.org/a.png'/>",
            "<image href='other.png'/>",
            "<image href='/etc/passwd'/>",
            "<use href='other.svg#x'/>",
            "<a href='java&#10;script:alert(1)'/>",
            "<a href='data:text/html;base64,PHNjcmlwdD4='/>",
            "<image href='data:image/svg+xml;base64,PHN2Zy8+'/>",
            "<set attributeName='href' to='javascript:alert(1)'/>",
            "<style>@import url(http://example.org/a.css);</style>",
            "<rect style='fill:url( \"https://example.org/x\" )'/>",
            "<foreignObject><p>hi</p></foreignObject>",
            "<g id='g'><use href='#g'/></g>",
        ] {
            assert_eq!(checked(inside), Err(Reason::ActiveSvg), "{inside}");
        }
        let outside =
            "<!DOCTYPE svg [<!ENTITY x SYSTEM 'file:///etc/passwd'>]><svg xmlns='http://www.w3.org/2000/svg'>&x;</svg>";
        let refused = check(outside.as_bytes(), &Limits::default(), &Watch::new()).unwrap_err();
        assert_eq!(refused.reason, Reason::ActiveSvg);
        assert_eq!(checked("<image href='data:image/png;base64,AAAA'/>"), Err(Reason::NotAPicture));
        assert_eq!(checked("<unclosed>"), Err(Reason::Damaged));
    }
}
