//! EXIF, XMP and IPTC of a stranger: files of every format, or blocks alone (the first byte says which), read and
//! written anew. What is written is read again, and writing that changes nothing more.
#![no_main]

use imaging::SourceFormat;
use imaging::metadata::exif::{self, Directory, Exif, Facts};
use imaging::metadata::{self, Metadata, Rights, iptc, xmp};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Some((kind, block)) = data.split_first() else { return };
    let found = match kind % 4 {
        0 => match SourceFormat::sniff(block) {
            Some(format) => metadata::read(block, format),
            None => return,
        },
        1 => Metadata { exif: Some(block.into()), ..Metadata::default() },
        2 => Metadata { xmp: Some(block.into()), ..Metadata::default() },
        _ => Metadata { iptc: Some(block.into()), ..Metadata::default() },
    };
    let rights = Rights::of(&found);
    assert!(rights.creators.iter().all(|creator| !creator.contains('\0')));
    if let Some(exif) = found.exif.as_deref().and_then(Exif::read) {
        exif.fields.iter().for_each(|field| drop(field.value().to_line()));
        let written = exif::rewritten(&exif, Facts { width: 7, height: 5, srgb: true });
        assert!(written.len() < 65_536);
        if let Some(again) = Exif::read(&written) {
            let orientation = again.get(Directory::Image, 0x0112).and_then(exif::Field::unsigned);
            assert!(matches!(orientation, None | Some(1)));
            assert_eq!(exif::rewritten(&again, Facts { width: 7, height: 5, srgb: true }), written);
        }
    }
    if let Some(packet) = found.xmp.as_deref() {
        let written = xmp::rewritten(&[packet], &[]);
        let again = xmp::rewritten(&[written.as_bytes()], &[]);
        assert_eq!(written.is_empty(), again.is_empty(), "what we write can be read");
        assert_eq!(xmp::properties(written.as_bytes()), xmp::properties(again.as_bytes()));
    }
    for field in found.iptc.as_deref().map(iptc::fields).unwrap_or_default() {
        let _name_and_text = (field.name(), field.text());
    }
});
