//! What a document unfolds to, before anything is built of it: `use`, patterns, masks, clips and markers repeat what they
//! name, each of which may do so again. It counts; it draws nothing.

use crate::decode::malformed;
use crate::error::Error;
use crate::format::SourceFormat;
use resvg::usvg::roxmltree::{Document, Node, NodeId};
use std::collections::HashMap;

/// Elements and points of lines, each as often as it is drawn.
const MOST: u64 = 250_000;
/// Elements inside elements, references followed: drawing programs need a dozen.
const DEEPEST: u32 = 160;
/// A point of a line costs this part of an element.
const POINTS: u64 = 16;

/// Refuses what grows too large or too deep.
///
/// # Errors
/// [`Error::TooLarge`], [`Error::Malformed`] for a depth that no drawing has.
pub(super) fn check(document: &Document<'_>) -> Result<(), Error> {
    let mut gate = Gate { ids: HashMap::new(), known: HashMap::new(), sheet: None };
    for node in document.descendants() {
        if let Some(id) = node.attribute("id") {
            gate.ids.entry(id.to_owned()).or_insert_with(|| node.id());
        }
    }
    shallow(document)?;
    let sheets: Vec<String> = document
        .descendants()
        .filter(|node| node.has_tag_name("style") || node.tag_name().name() == "style")
        .flat_map(|node| node.children().filter_map(|child| child.text()))
        .flat_map(named)
        .collect();
    // A rule may name its target for every element: the heaviest one counts, for each property that takes one.
    let mut heaviest = Weight::default();
    for name in &sheets {
        let weight = gate.target(document, name, 0)?;
        heaviest =
            Weight { drawn: heaviest.drawn.max(weight.drawn), points: heaviest.points.max(weight.points), ..heaviest };
    }
    gate.known.clear();
    gate.sheet = (!sheets.is_empty()).then_some(heaviest.drawn.saturating_mul(4));
    let weight = gate.node(document, document.root_element(), 0)?;
    if weight.drawn > MOST {
        return Err(Error::TooLarge {
            what: "elements of the drawing, as often as they are drawn",
            value: weight.drawn,
            limit: MOST,
        });
    }
    Ok(())
}

/// The depth without references, found without recursion.
fn shallow(document: &Document<'_>) -> Result<(), Error> {
    let mut depths: HashMap<NodeId, u32> = HashMap::new();
    for node in document.descendants().filter(Node::is_element) {
        let depth = node.parent().and_then(|parent| depths.get(&parent.id())).map_or(0, |depth| depth + 1);
        if depth > DEEPEST {
            return Err(too_deep());
        }
        depths.insert(node.id(), depth);
    }
    Ok(())
}

fn too_deep() -> Error {
    malformed(SourceFormat::Svg, &format!("elements more than {DEEPEST} deep"))
}

/// What an element costs.
#[derive(Clone, Copy, Debug, Default)]
struct Weight {
    drawn: u64,
    /// Points of all lines below it: each may get a marker.
    points: u64,
    /// Levels below it.
    height: u32,
}

struct Gate {
    ids: HashMap<String, NodeId>,
    /// `None` while an element is being weighed: a circle counts once.
    known: HashMap<NodeId, Option<Weight>>,
    /// What rules of a style sheet may add to each element.
    sheet: Option<u64>,
}

impl Gate {
    fn target(&mut self, document: &Document<'_>, name: &str, level: u32) -> Result<Weight, Error> {
        match self.ids.get(name).and_then(|&id| document.get_node(id)) {
            Some(node) => self.node(document, node, level),
            None => Ok(Weight::default()),
        }
    }

    fn node(&mut self, document: &Document<'_>, node: Node<'_, '_>, level: u32) -> Result<Weight, Error> {
        if level > DEEPEST {
            return Err(too_deep());
        }
        match self.known.get(&node.id()) {
            Some(Some(weight)) if level + weight.height <= DEEPEST => return Ok(*weight),
            Some(Some(_)) => return Err(too_deep()),
            Some(None) => return Ok(Weight::default()),
            None => {}
        }
        self.known.insert(node.id(), None);
        let weight = self.weigh(document, node, level)?;
        self.known.insert(node.id(), Some(weight));
        Ok(weight)
    }

    fn weigh(&mut self, document: &Document<'_>, node: Node<'_, '_>, level: u32) -> Result<Weight, Error> {
        let points =
            ["d", "points"].iter().filter_map(|name| node.attribute(*name)).map(|line| line.len() as u64 / 4).sum();
        let mut weight = Weight { drawn: 1 + points / POINTS, points, height: 0 };
        for child in node.children().filter(Node::is_element) {
            let inner = self.node(document, child, level + 1)?;
            weight.drawn = weight.drawn.saturating_add(inner.drawn);
            weight.points = weight.points.saturating_add(inner.points);
            weight.height = weight.height.max(inner.height + 1);
        }
        let own = weight;
        for attribute in node.attributes() {
            let (name, value) = (attribute.name(), attribute.value());
            let targets = match (name, value.strip_prefix('#')) {
                ("href", Some(target)) => vec![target.to_owned()],
                _ => named(value),
            };
            for target in targets {
                let inner = self.target(document, &target, level + 1)?;
                let often = match name {
                    "href" | "clip-path" | "mask" | "filter" => 1,
                    "marker-start" | "marker-mid" | "marker-end" | "marker" => own.points.saturating_add(own.drawn),
                    // Inherited by everything below, or anything at all.
                    "style" => own.points.saturating_add(own.drawn),
                    _ => own.drawn,
                };
                weight.drawn = weight.drawn.saturating_add(inner.drawn.saturating_mul(often));
                weight.points = weight.points.saturating_add(inner.points);
                weight.height = weight.height.max(inner.height + 1);
            }
        }
        weight.drawn = weight.drawn.saturating_add(self.sheet.unwrap_or(0));
        Ok(weight)
    }
}

/// The names in all `url(#…)` of a text.
fn named(text: &str) -> Vec<String> {
    let targets = text.split("url(").skip(1).filter_map(|rest| rest.split_once(')'));
    targets
        .filter_map(|(target, _)| target.trim().trim_matches(['"', '\'']).trim().strip_prefix('#'))
        .map(str::to_owned)
        .collect()
}
