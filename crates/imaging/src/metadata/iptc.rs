//! IPTC-IIM records (IIM 4.2) and the Photoshop resources that carry them in JPEG (Adobe Photoshop File Formats,
//! image resource blocks): read and written.
//!
//! Only record 2 (application) is looked at: texts about the picture. Sizes come from the bytes and are never trusted.

use super::{be16, be32};

/// What a JPEG's APP13 begins with.
pub const PHOTOSHOP: &[u8] = b"Photoshop 3.0\0";
/// The resource that holds IPTC-IIM.
const RESOURCE: u16 = 0x0404;
const MARK: u8 = 0x1C;
const APPLICATION: u8 = 2;
/// Fields of one block.
const MAX_FIELDS: usize = 512;

/// One text of record 2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field<'a> {
    /// The data set's number.
    pub dataset: u8,
    /// Its bytes: UTF-8 or Latin-1.
    pub bytes: &'a [u8],
}

/// Number, IPTC's name, and the XMP property that says the same (IPTC Photo Metadata Standard 2023.1, IIM mapping).
const DATASETS: &[(u8, &str, Option<&str>)] = &[
    (5, "ObjectName", Some("dc:title")),
    (10, "Urgency", Some("photoshop:Urgency")),
    (15, "Category", Some("photoshop:Category")),
    (25, "Keywords", Some("dc:subject")),
    (40, "SpecialInstructions", Some("photoshop:Instructions")),
    (55, "DateCreated", None),
    (60, "TimeCreated", None),
    (80, "By-line", Some("dc:creator")),
    (85, "By-lineTitle", Some("photoshop:AuthorsPosition")),
    (90, "City", Some("photoshop:City")),
    (92, "Sub-location", Some("Iptc4xmpCore:Location")),
    (95, "Province-State", Some("photoshop:State")),
    (100, "Country-PrimaryLocationCode", Some("Iptc4xmpCore:CountryCode")),
    (101, "Country-PrimaryLocationName", Some("photoshop:Country")),
    (103, "OriginalTransmissionReference", Some("photoshop:TransmissionReference")),
    (105, "Headline", Some("photoshop:Headline")),
    (110, "Credit", Some("photoshop:Credit")),
    (115, "Source", Some("photoshop:Source")),
    (116, "CopyrightNotice", Some("dc:rights")),
    (120, "Caption-Abstract", Some("dc:description")),
    (122, "Writer-Editor", Some("photoshop:CaptionWriter")),
];

/// The author.
pub const BY_LINE: u8 = 80;
/// Who is to be named.
pub const CREDIT: u8 = 110;
/// Who has the rights.
pub const COPYRIGHT_NOTICE: u8 = 116;

impl Field<'_> {
    /// IPTC's name of the data set.
    pub fn name(&self) -> Option<&'static str> {
        self.row().map(|row| row.1)
    }

    /// The XMP property that says the same.
    pub fn property(&self) -> Option<&'static str> {
        self.row().and_then(|row| row.2)
    }

    fn row(&self) -> Option<&'static (u8, &'static str, Option<&'static str>)> {
        DATASETS.iter().find(|row| row.0 == self.dataset)
    }

    /// As text: UTF-8 where it is that, else Latin-1 (what writers before Unicode mostly meant).
    pub fn text(&self) -> String {
        let text = match std::str::from_utf8(self.bytes) {
            Ok(text) => text.to_owned(),
            Err(_) => self.bytes.iter().map(|&byte| char::from(byte)).collect(),
        };
        text.trim_matches(['\0', ' ']).to_owned()
    }
}

/// The texts of record 2, in their order.
pub fn fields(iim: &[u8]) -> Vec<Field<'_>> {
    let mut fields = Vec::new();
    let mut at = 0usize;
    while let Some([MARK, record, dataset]) = iim.get(at..).and_then(<[u8]>::first_chunk::<3>).copied() {
        let Some(length) = be16(iim, at + 3) else { break };
        // Lengths above 32,767 have another form, which no writer of pictures uses.
        let (start, end) = (at + 5, at + 5 + usize::from(length));
        let Some(bytes) = iim.get(start..end).filter(|_| length < 0x8000) else { break };
        // Data set 0 is the version of the record.
        if record == APPLICATION && dataset != 0 && fields.len() < MAX_FIELDS {
            fields.push(Field { dataset, bytes });
        }
        at = end;
    }
    fields
}

/// IPTC-IIM in a list of Photoshop's resources.
pub(crate) fn in_resources(mut resources: &[u8]) -> Option<&[u8]> {
    loop {
        if resources.get(..4)? != b"8BIM" {
            return None;
        }
        let id = be16(resources, 4)?;
        // A name of its own length, padded to an even one, the length byte counted.
        let named = 1 + usize::from(*resources.get(6)?);
        let at = 6 + named.next_multiple_of(2);
        let length = usize::try_from(be32(resources, at)?).ok()?;
        let end = at.checked_add(4)?.checked_add(length)?;
        let body = resources.get(at + 4..end)?;
        if id == RESOURCE {
            return Some(body);
        }
        resources = resources.get(end.checked_add(length & 1)?..)?;
    }
}

/// Photoshop's resources with these texts in UTF-8, as APP13 holds them behind [`PHOTOSHOP`]; a text that is too long
/// is left out. Empty without any.
pub fn write(fields: &[(u8, String)]) -> Vec<u8> {
    // Record 1, data set 90: UTF-8. Record 2, data set 0: version 4.
    let mut iim = vec![MARK, 1, 90, 0, 3, 0x1B, b'%', b'G', MARK, APPLICATION, 0, 0, 2, 0, 4];
    let empty = iim.len();
    for (dataset, text) in fields {
        let Some(length) = u16::try_from(text.len()).ok().filter(|&length| length < 0x8000) else { continue };
        iim.extend([MARK, APPLICATION, *dataset]);
        iim.extend(length.to_be_bytes());
        iim.extend(text.as_bytes());
    }
    if iim.len() == empty {
        return Vec::new();
    }
    let mut out = b"8BIM".to_vec();
    out.extend(RESOURCE.to_be_bytes());
    out.extend([0, 0]);
    out.extend(u32::try_from(iim.len()).unwrap_or(u32::MAX).to_be_bytes());
    out.extend(&iim);
    out.resize(out.len().next_multiple_of(2), 0);
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_is_written_is_read() {
        let resources = write(&[(BY_LINE, "Ada Łovelace".into()), (COPYRIGHT_NOTICE, "© 2026".into())]);
        let texts: Vec<_> =
            fields(in_resources(&resources).expect("iim")).iter().map(|f| (f.name(), f.text())).collect();
        let expected = [(Some("By-line"), "Ada Łovelace".to_owned()), (Some("CopyrightNotice"), "© 2026".to_owned())];
        assert_eq!(texts, expected);
        assert!(write(&[]).is_empty());
    }

    #[test]
    fn bytes_that_are_not_unicode_are_latin() {
        let field = Field { dataset: CREDIT, bytes: b"Andr\xE9" };
        assert_eq!(field.text(), "André");
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(tail in proptest::collection::vec(any::<u8>(), 0..60)) {
            in_resources(&[b"8BIM\x04\x04".as_slice(), &tail].concat());
            fields(&[[MARK, 2, 80].as_slice(), &tail].concat());
        }
    }
}
