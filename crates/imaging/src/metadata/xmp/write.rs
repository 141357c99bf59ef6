//! XMP packets of our own: a stranger's packet is taken apart and written anew, without what is no longer true of the
//! picture that is served.
//!
//! What is left out: orientation and sizes (the container tells them), thumbnails and other embedded pictures, and what
//! points to pictures or films behind the first one (gain maps, depth, motion), which are not served with it.

use super::{MAX_DEPTH, PREFIXES, Property, RDF, descriptions, namespace, parse};
use roxmltree::{Attribute, Node};
use std::fmt::Write;

const XML: &str = "http://www.w3.org/XML/1998/namespace";
/// Name spaces of what is left out, by their beginnings.
const LEFT_OUT: &[&str] = &[
    "http://ns.adobe.com/xap/1.0/g/img/",
    "http://ns.adobe.com/xmp/note/",
    "http://ns.adobe.com/hdr-gain-map/",
    "http://ns.apple.com/HDRGainMap/",
    "http://ns.apple.com/pixeldatainfo/",
    "http://ns.google.com/photos/",
];
/// Properties that are left out.
const NO_LONGER_TRUE: &[(&str, &str)] = &[
    ("http://ns.adobe.com/tiff/1.0/", "Orientation"),
    ("http://ns.adobe.com/tiff/1.0/", "ImageWidth"),
    ("http://ns.adobe.com/tiff/1.0/", "ImageLength"),
    ("http://ns.adobe.com/exif/1.0/", "PixelXDimension"),
    ("http://ns.adobe.com/exif/1.0/", "PixelYDimension"),
    ("http://ns.adobe.com/xap/1.0/", "Thumbnails"),
    ("http://ns.adobe.com/photoshop/1.0/", "DocumentAncestors"),
];

/// A packet with these properties alone: one text, or a list of the kind that the property has. Properties of an
/// unknown name space are left out; empty without any.
pub fn of_properties(properties: &[Property]) -> String {
    let body = description(properties);
    if body.is_empty() { body } else { packet(&body) }
}

/// One packet of several (a JPEG's extension is a packet too), with `more` added where none has such a property.
/// Packets that cannot be read are left out; empty when nothing is left.
pub fn rewritten(sources: &[&[u8]], more: &[Property]) -> String {
    let mut body = String::new();
    let mut known = Vec::new();
    for source in sources {
        let Some(document) = std::str::from_utf8(source).ok().and_then(parse) else { continue };
        for description in descriptions(&document) {
            element(&description, None, 0, &mut body);
        }
        known.extend(super::properties(source));
    }
    let missing: Vec<Property> =
        more.iter().filter(|new| known.iter().all(|old| old.name != new.name)).cloned().collect();
    body.push_str(&description(&missing));
    if body.is_empty() { body } else { packet(&body) }
}

/// A packet of descriptions.
pub(crate) fn packet(body: &str) -> String {
    format!(
        "<?xpacket begin=\"\u{FEFF}\" id=\"W5M0MpCehiHzreSzNTczkc9d\"?><x:xmpmeta xmlns:x=\"adobe:ns:meta/\">\
         <rdf:RDF xmlns:rdf=\"{RDF}\">{body}</rdf:RDF></x:xmpmeta><?xpacket end=\"r\"?>"
    )
}

fn description(properties: &[Property]) -> String {
    let mut body = String::new();
    let mut used: Vec<&str> = Vec::new();
    for Property { name, texts } in properties {
        let Some(prefix) = name.split(':').next() else { continue };
        let Some((_, prefix)) = PREFIXES.iter().find(|(_, usual)| *usual == prefix) else { continue };
        let is_name = |c: char| c.is_ascii_alphanumeric() || c == ':';
        if texts.is_empty() || !name.chars().all(is_name) {
            continue;
        }
        used.push(prefix);
        let _infallible = write!(body, "<{name}>");
        match list(name) {
            None => texts.iter().take(1).for_each(|text| escape(text, &mut body)),
            Some(kind) => {
                let language = if kind == "Alt" { " xml:lang=\"x-default\"" } else { "" };
                let _infallible = write!(body, "<rdf:{kind}>");
                for text in texts.iter().take(if kind == "Alt" { 1 } else { texts.len() }) {
                    let _infallible = write!(body, "<rdf:li{language}>");
                    escape(text, &mut body);
                    body.push_str("</rdf:li>");
                }
                let _infallible = write!(body, "</rdf:{kind}>");
            }
        }
        let _infallible = write!(body, "</{name}>");
    }
    if body.is_empty() {
        return body;
    }
    used.sort_unstable();
    used.dedup();
    let spaces: String =
        used.iter().map(|prefix| format!(" xmlns:{prefix}=\"{}\"", namespace(prefix).unwrap_or_default())).collect();
    format!("<rdf:Description rdf:about=\"\"{spaces}>{body}</rdf:Description>")
}

/// The kind of list that a property holds (ISO 16684-1, section 8).
fn list(name: &str) -> Option<&'static str> {
    match name {
        "dc:creator" => Some("Seq"),
        "dc:subject" | "xmpRights:Owner" => Some("Bag"),
        "dc:rights" | "dc:title" | "dc:description" | "xmpRights:UsageTerms" => Some("Alt"),
        _ => None,
    }
}

fn is_left_out(namespace: Option<&str>, name: &str) -> bool {
    let Some(namespace) = namespace else { return false };
    LEFT_OUT.iter().any(|beginning| namespace.starts_with(beginning)) || NO_LONGER_TRUE.contains(&(namespace, name))
}

/// Writes an element with all that is in it. Depth was held against its limit when the packet was read.
fn element(node: &Node<'_, '_>, parent: Option<&Node<'_, '_>>, depth: usize, out: &mut String) {
    let tag = node.tag_name();
    if is_left_out(tag.namespace(), tag.name()) || depth > MAX_DEPTH {
        return;
    }
    let name = match tag.namespace().map(|uri| node.lookup_prefix(uri)) {
        Some(Some(prefix)) => format!("{prefix}:{}", tag.name()),
        _ => tag.name().to_owned(),
    };
    let _infallible = write!(out, "<{name}");
    for space in node.namespaces() {
        let inherited = parent.is_some_and(|parent| {
            parent.namespaces().any(|outer| outer.name() == space.name() && outer.uri() == space.uri())
        });
        if inherited || space.uri() == XML {
            continue;
        }
        let colon = if space.name().is_some() { ":" } else { "" };
        let _infallible = write!(out, " xmlns{colon}{}=\"", space.name().unwrap_or_default());
        escape(space.uri(), out);
        out.push('"');
    }
    for attribute in node.attributes() {
        write_attribute(node, &attribute, out);
    }
    out.push('>');
    for child in node.children() {
        if child.is_element() {
            element(&child, Some(node), depth + 1, out);
        } else if let Some(text) = child.text().filter(|text| child.is_text() && !is_indent(node, text)) {
            escape(text, out);
        }
    }
    let _infallible = write!(out, "</{name}>");
}

/// Space between elements that only makes a packet readable.
fn is_indent(node: &Node<'_, '_>, text: &str) -> bool {
    text.trim().is_empty() && node.children().any(|child| child.is_element())
}

fn write_attribute(node: &Node<'_, '_>, attribute: &Attribute<'_, '_>, out: &mut String) {
    let (namespace, name) = (attribute.namespace(), attribute.name());
    if is_left_out(namespace, name) {
        return;
    }
    let prefix = match namespace {
        None => "",
        Some(XML) => "xml",
        // An attribute's name space has a prefix: without one it would have none.
        Some(uri) => {
            node.namespaces().find_map(|space| space.name().filter(|_| space.uri() == uri)).unwrap_or_default()
        }
    };
    let colon = if prefix.is_empty() { "" } else { ":" };
    let _infallible = write!(out, " {prefix}{colon}{name}=\"");
    escape(attribute.value(), out);
    out.push('"');
}

/// Every character that XML 1.0 can hold stays: without one, a name space could turn into another that is left out.
fn escape(text: &str, out: &mut String) {
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            // As they are, readers would turn them into spaces in an attribute.
            '\t' | '\n' | '\r' => {
                let _infallible = write!(out, "&#{};", u32::from(character));
            }
            '\0'..' ' | '\u{FFFE}' | '\u{FFFF}' => {}
            c => out.push(c),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metadata::xmp::properties;

    const PACKET: &str = r#"<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:tiff="http://ns.adobe.com/tiff/1.0/" xmlns:xmp="http://ns.adobe.com/xap/1.0/"
 xmlns:g="http://ns.adobe.com/xap/1.0/g/img/" xmlns:p="http://ns.adobe.com/photoshop/1.0/" tiff:Orientation="6"
 tiff:Make="A &quot;B&quot; &lt;C>" p:City="Łódź"><xmp:Thumbnails><rdf:Alt><rdf:li rdf:parseType="Resource">
<g:image>AAAA</g:image></rdf:li></rdf:Alt></xmp:Thumbnails><xmp:Rating>3</xmp:Rating></rdf:Description></rdf:RDF></x:xmpmeta>"#;

    fn property(name: &str, text: &str) -> Property {
        Property { name: name.into(), texts: vec![text.into()] }
    }

    #[test]
    fn what_is_true_survives() {
        let more = [property("photoshop:City", "not this one"), property("dc:rights", "a & b")];
        let new = rewritten(&[PACKET.as_bytes(), b"nonsense"], &more);
        let expected = [
            property("tiff:Make", "A \"B\" <C>"),
            property("photoshop:City", "Łódź"),
            property("xmp:Rating", "3"),
            property("dc:rights", "a & b"),
        ];
        assert_eq!(properties(new.as_bytes()), expected);
        assert!(!new.contains("AAAA") && !new.contains("Orientation"));
    }

    #[test]
    fn what_is_written_stays_as_it_is() {
        // A character that was dropped here once, and made a name space into that of TIFF.
        let packet = PACKET.replace("tiff/1.0/", "tiff/1.0/\u{7F}").replace("Łódź", "Łódź&#10;a&#9;b");
        let once = rewritten(&[packet.as_bytes()], &[]);
        assert_eq!(once, rewritten(&[once.as_bytes()], &[]));
        assert!(properties(once.as_bytes()).iter().any(|p| p.texts == ["Łódź\na\tb"]), "{once}");
    }

    #[test]
    fn lists_have_their_kind() {
        let creators = Property { name: "dc:creator".into(), texts: vec!["a".into(), "b".into()] };
        let new = of_properties(&[creators.clone(), property("unknown:thing", "x"), property("dc:evil><", "x")]);
        assert_eq!(properties(new.as_bytes()), [creators]);
        assert!(new.contains("<rdf:Seq>"));
        assert!(of_properties(&[]).is_empty());
    }
}
