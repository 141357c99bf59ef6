//! Who made a picture and who has the rights: one answer out of EXIF, IPTC, XMP and PNG's texts.
//!
//! Where they disagree XMP wins, then IPTC, then EXIF: the newer the format, the more it can say.

use super::exif::{Directory, Exif, Field};
use super::xmp::Property;
use super::{Metadata, iptc, xmp};

const ARTIST: u16 = 0x013B;
const COPYRIGHT: u16 = 0x8298;
/// Of one text, bytes; longer ones are cut. Licences go on for pages, notices do not.
const MAX_TEXT: usize = 2000;
/// Properties beside the three that have a field of their own.
const MAX_TERMS: usize = 16;

/// The rights fields of a picture.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rights {
    /// Authors.
    pub creators: Vec<String>,
    /// The copyright notice.
    pub notice: Option<String>,
    /// Who is to be named.
    pub credit: Option<String>,
    /// All of XMP's rights management (`xmpRights:…`).
    pub terms: Vec<Property>,
}

impl Rights {
    /// What the original says.
    pub fn of(metadata: &Metadata<'_>) -> Self {
        let properties = metadata.xmp.as_deref().map(xmp::properties).unwrap_or_default();
        let property = |name: &str| -> Vec<String> {
            properties.iter().find(|p| p.name == name).map(|p| p.texts.clone()).unwrap_or_default()
        };
        let fields = metadata.iptc.as_deref().map(iptc::fields).unwrap_or_default();
        let dataset = |number| -> Vec<String> {
            fields.iter().filter(|field| field.dataset == number).map(iptc::Field::text).collect()
        };
        let exif = metadata.exif.as_deref().and_then(Exif::read).unwrap_or_default();
        let tag = |tag| -> Vec<String> { exif.get(Directory::Image, tag).map(Field::text).into_iter().collect() };
        let text = |keyword: &str| -> Vec<String> {
            metadata.texts.iter().filter(|text| text.keyword == keyword).map(|text| text.text.clone()).collect()
        };
        let first = |sources: [Vec<String>; 4]| {
            let cut = sources.into_iter().map(|texts| texts.iter().filter_map(|text| sane(text)).collect::<Vec<_>>());
            cut.into_iter().find(|texts| !texts.is_empty()).unwrap_or_default()
        };
        let terms = properties.iter().filter(|property| property.name.starts_with("xmpRights:")).take(MAX_TERMS);
        Self {
            creators: first([property("dc:creator"), dataset(iptc::BY_LINE), tag(ARTIST), text("Author")]),
            notice: first([property("dc:rights"), dataset(iptc::COPYRIGHT_NOTICE), tag(COPYRIGHT), text("Copyright")])
                .into_iter()
                .next(),
            credit: first([property("photoshop:Credit"), dataset(iptc::CREDIT), Vec::new(), Vec::new()])
                .into_iter()
                .next(),
            terms: terms
                .map(|property| Property {
                    name: property.name.clone(),
                    texts: property.texts.iter().filter_map(|text| sane(text)).collect(),
                })
                .collect(),
        }
    }

    /// Whether nobody claims anything.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// As XMP's properties.
    pub(crate) fn properties(&self) -> Vec<Property> {
        let own = [
            ("dc:creator", self.creators.clone()),
            ("dc:rights", self.notice.iter().cloned().collect()),
            ("photoshop:Credit", self.credit.iter().cloned().collect()),
        ];
        let own = own.into_iter().map(|(name, texts)| Property { name: name.to_owned(), texts });
        own.chain(self.terms.iter().cloned()).filter(|property| !property.texts.is_empty()).collect()
    }

    /// As IPTC's data sets.
    pub(crate) fn datasets(&self) -> Vec<(u8, String)> {
        let creators = self.creators.iter().map(|text| (iptc::BY_LINE, text.clone()));
        let credit = self.credit.iter().map(|text| (iptc::CREDIT, text.clone()));
        let notice = self.notice.iter().map(|text| (iptc::COPYRIGHT_NOTICE, text.clone()));
        creators.chain(credit).chain(notice).collect()
    }
}

/// Text without control characters, not longer than it may be; `None` when nothing is left.
fn sane(text: &str) -> Option<String> {
    let mut kept = String::new();
    for character in text.chars().filter(|c| !c.is_control() || *c == '\n') {
        if kept.len() + character.len_utf8() > MAX_TEXT {
            break;
        }
        kept.push(character);
    }
    let kept = kept.trim();
    (!kept.is_empty()).then(|| kept.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_source_answers_where_a_better_one_is_silent() {
        let exif = crate::metadata::exif::of_rights(Some("Exif artist"), Some("Exif notice"));
        let resources = iptc::write(&[(iptc::BY_LINE, "One".into()), (iptc::BY_LINE, "Two".into())]);
        let packet = xmp::of_properties(&[
            Property { name: "photoshop:Credit".into(), texts: vec!["Agency".into()] },
            Property { name: "xmpRights:Marked".into(), texts: vec!["True".into()] },
        ]);
        let metadata = Metadata {
            exif: Some(exif.into()),
            iptc: iptc::in_resources(&resources).map(Into::into),
            xmp: Some(packet.into_bytes().into()),
            ..Metadata::default()
        };
        let rights = Rights::of(&metadata);
        assert_eq!(rights.creators, ["One", "Two"]);
        assert_eq!(rights.notice.as_deref(), Some("Exif notice"));
        assert_eq!(rights.credit.as_deref(), Some("Agency"));
        assert_eq!(rights.terms, [Property { name: "xmpRights:Marked".into(), texts: vec!["True".into()] }]);
    }

    #[test]
    fn texts_are_cut_and_cleaned() {
        assert_eq!(sane(" \u{7}a\u{1b}b ").as_deref(), Some("ab"));
        assert_eq!(sane(&"ä".repeat(5000)).map(|text| text.len()), Some(MAX_TEXT));
        assert_eq!(sane("\0\0"), None);
    }
}
