//! XMP packets (ISO 16684-1): RDF in XML. Read as a flat list of properties with their texts.
//!
//! A packet is parsed only within limits and never with a document type: no entities, no outside. What is not RDF is no
//! packet.

mod write;

pub(crate) use write::packet;
pub use write::{of_properties, rewritten};

use roxmltree::{Document, Node, ParsingOptions};

/// Nodes of one packet, elements and texts together.
const MAX_NODES: u32 = 20_000;
/// Equals signs between two tags, and declarations of name spaces in all: the parser compares the attributes of an
/// element pair by pair, and hands name spaces down by copying.
const MAX_ATTRIBUTES: usize = 1000;
const MAX_NAMESPACES: usize = 1000;
/// Elements inside of each other: writing and reading go down by calling themselves.
pub(crate) const MAX_DEPTH: usize = 24;
/// Texts of one property.
const MAX_TEXTS: usize = 256;
pub(crate) const RDF: &str = "http://www.w3.org/1999/02/22-rdf-syntax-ns#";

/// A property that stands directly in the description of the picture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Property {
    /// With the usual prefix of its name space: `dc:creator`. An unknown name space leaves the packet's own prefix.
    pub name: String,
    /// Its texts: one, or those of a list, or of an alternative by language (the default one first, as it stands).
    /// Structures are left out.
    pub texts: Vec<String>,
}

/// The usual prefixes.
const PREFIXES: &[(&str, &str)] = &[
    ("http://purl.org/dc/elements/1.1/", "dc"),
    ("http://ns.adobe.com/xap/1.0/", "xmp"),
    ("http://ns.adobe.com/xap/1.0/rights/", "xmpRights"),
    ("http://ns.adobe.com/xap/1.0/mm/", "xmpMM"),
    ("http://ns.adobe.com/photoshop/1.0/", "photoshop"),
    ("http://iptc.org/std/Iptc4xmpCore/1.0/xmlns/", "Iptc4xmpCore"),
    ("http://iptc.org/std/Iptc4xmpExt/2008-02-29/", "Iptc4xmpExt"),
    ("http://ns.useplus.org/ldf/xmp/1.0/", "plus"),
    ("http://ns.adobe.com/tiff/1.0/", "tiff"),
    ("http://ns.adobe.com/exif/1.0/", "exif"),
    ("http://cipa.jp/exif/1.0/", "exifEX"),
    ("http://ns.adobe.com/exif/1.0/aux/", "aux"),
    ("http://ns.adobe.com/camera-raw-settings/1.0/", "crs"),
    ("http://creativecommons.org/ns#", "cc"),
    ("http://ns.adobe.com/hdr-gain-map/1.0/", "hdrgm"),
];

/// The usual prefix of a name space.
pub fn prefix(namespace: &str) -> Option<&'static str> {
    PREFIXES.iter().find(|(uri, _)| *uri == namespace).map(|(_, prefix)| *prefix)
}

/// The name space of a usual prefix.
pub fn namespace(prefix: &str) -> Option<&'static str> {
    PREFIXES.iter().find(|(_, usual)| *usual == prefix).map(|(uri, _)| *uri)
}

/// The packet's XML within the limits.
pub(crate) fn parse(packet: &str) -> Option<Document<'_>> {
    let options = ParsingOptions { allow_dtd: false, nodes_limit: MAX_NODES, ..ParsingOptions::default() };
    let text = packet.trim_start_matches('\u{FEFF}').trim_end_matches('\0');
    let crowded = |tag: &str| tag.bytes().filter(|&byte| byte == b'=').count() > MAX_ATTRIBUTES;
    if text.matches("xmlns").nth(MAX_NAMESPACES).is_some() || text.split('<').any(crowded) {
        return None;
    }
    let document = Document::parse_with_options(text, options).ok()?;
    // Depth is counted once here, without recursion, for all who go down later.
    let mut depths = vec![0usize; usize::try_from(MAX_NODES).unwrap_or(usize::MAX).min(text.len()) + 1];
    for node in document.descendants() {
        let depth = node.parent().and_then(|parent| depths.get(parent.id().get_usize())).map_or(0, |depth| depth + 1);
        *depths.get_mut(node.id().get_usize())? = depth;
        if depth > MAX_DEPTH {
            return None;
        }
    }
    Some(document)
}

/// The descriptions of the picture: children of `rdf:RDF`.
pub(crate) fn descriptions<'a, 'input>(document: &'a Document<'input>) -> impl Iterator<Item = Node<'a, 'input>> {
    let rdf = document.descendants().find(|node| node.has_tag_name((RDF, "RDF")));
    rdf.into_iter().flat_map(|rdf| rdf.children()).filter(|node| node.has_tag_name((RDF, "Description")))
}

/// The properties of a packet; none when it cannot be read.
pub fn properties(packet: &[u8]) -> Vec<Property> {
    let Ok(packet) = std::str::from_utf8(packet) else { return Vec::new() };
    let Some(document) = parse(packet) else { return Vec::new() };
    let mut found = Vec::new();
    for description in descriptions(&document) {
        for attribute in description.attributes() {
            let Some(namespace) = attribute.namespace().filter(|&uri| uri != RDF) else { continue };
            found.push(Property {
                name: name(&description, namespace, attribute.name()),
                texts: vec![attribute.value().trim().to_owned()],
            });
        }
        for element in description.children().filter(Node::is_element) {
            let Some(namespace) = element.tag_name().namespace() else { continue };
            let texts = texts(&element);
            if !texts.is_empty() {
                found.push(Property { name: name(&element, namespace, element.tag_name().name()), texts });
            }
        }
    }
    found
}

fn name(node: &Node<'_, '_>, namespace: &str, local: &str) -> String {
    match prefix(namespace).or_else(|| node.lookup_prefix(namespace)) {
        Some(prefix) => format!("{prefix}:{local}"),
        None => local.to_owned(),
    }
}

/// Its own text, or those of the members of its list.
pub(crate) fn texts(element: &Node<'_, '_>) -> Vec<String> {
    let list =
        element.children().find(|child| ["Alt", "Bag", "Seq"].iter().any(|kind| child.has_tag_name((RDF, *kind))));
    let holders: Vec<Node<'_, '_>> = match list {
        Some(list) => list.children().filter(|child| child.has_tag_name((RDF, "li"))).take(MAX_TEXTS).collect(),
        None => vec![*element],
    };
    let plain = holders.iter().filter(|holder| !holder.children().any(|child| child.is_element()));
    plain.filter_map(roxmltree::Node::text).map(|text| text.trim().to_owned()).filter(|text| !text.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const PACKET: &str = r#"<?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:d="http://purl.org/dc/elements/1.1/" xmlns:p="http://ns.adobe.com/photoshop/1.0/"
 p:Credit="An &amp; agency"><d:creator><rdf:Seq><rdf:li>Ada</rdf:li><rdf:li>Bob</rdf:li></rdf:Seq></d:creator>
<d:rights><rdf:Alt><rdf:li xml:lang="x-default">(c) Ada</rdf:li></rdf:Alt></d:rights>
</rdf:Description></rdf:RDF></x:xmpmeta><?xpacket end="w"?>"#;

    #[test]
    fn properties_have_usual_names() {
        let found: Vec<_> = properties(PACKET.as_bytes()).into_iter().map(|p| (p.name, p.texts.join("|"))).collect();
        let expected = [("photoshop:Credit", "An & agency"), ("dc:creator", "Ada|Bob"), ("dc:rights", "(c) Ada")];
        assert_eq!(found, expected.map(|(name, text)| (name.to_owned(), text.to_owned())));
    }

    #[test]
    fn bombs_are_no_packets() {
        for depth in [25, 15_000, 100_000] {
            assert!(parse(&format!("{}{}", "<b>".repeat(depth), "</b>".repeat(depth))).is_none(), "{depth}");
        }
        let crowd: String = (0..1001).map(|i| format!("a{i}='' ")).collect();
        assert!(parse(&format!("<a {crowd}/>")).is_none());
        let entities = "<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>";
        assert!(parse(entities).is_none());
        assert!(parse(&format!("<a>{}</a>", "<b/>".repeat(30_000))).is_none());
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(at in 0usize..600, bytes in proptest::collection::vec(any::<u8>(), 1..6)) {
            let mut packet = PACKET.as_bytes().to_vec();
            let at = at.min(packet.len());
            packet.splice(at..at, bytes);
            properties(&packet);
        }
    }
}
