//! Everything in front of the first scan's data: frame, tables, application segments.
//! Knows markers' meaning, decodes nothing. Invariant: a `Header` holds a frame and a first scan that fits it.

use crate::Error;
use crate::frame::{Coding, Colour, Frame};
use crate::metadata::{self, IccPieces};
use crate::scan::Scan;
use crate::segment::{self, DHT, DNL, DQT, DRI, EOI, SOI, SOS, Segment};
use crate::tables::Tables;

/// State that segments between scans may change.
#[derive(Clone, Debug, Default)]
pub(crate) struct State {
    pub(crate) tables: Tables,
    /// MCUs between restart markers; 0: none.
    pub(crate) restart: u32,
}

impl State {
    /// Takes in a segment that defines tables or the restart interval; others leave it as it is.
    pub(crate) fn read(&mut self, segment: &Segment<'_>) -> Result<(), Error> {
        match segment.marker {
            DQT => self.tables.read_quant(segment.payload),
            DHT => self.tables.read_huffman(segment.payload),
            DRI => match *segment.payload {
                [a, b, ..] => {
                    self.restart = u32::from(u16::from_be_bytes([a, b]));
                    Ok(())
                }
                _ => Err(Error::Malformed("the restart interval is too short")),
            },
            _ => Ok(()),
        }
    }
}

/// The parsed headers.
#[derive(Clone, Debug)]
pub(crate) struct Header<'a> {
    pub(crate) frame: Frame,
    pub(crate) colour: Colour,
    pub(crate) adobe: Option<u8>,
    pub(crate) icc: IccPieces<'a>,
    pub(crate) exif: Option<&'a [u8]>,
    /// As it is at the first scan.
    pub(crate) state: State,
    pub(crate) scan: Scan,
    /// Where the first scan's entropy-coded data begins.
    pub(crate) data: usize,
}

/// What the walk has met.
#[derive(Default)]
struct Parts<'a> {
    frame: Option<Frame>,
    jfif: bool,
    adobe: Option<u8>,
    icc: IccPieces<'a>,
    exif: Option<&'a [u8]>,
    state: State,
}

impl<'a> Header<'a> {
    /// Walks the segments up to the first scan.
    pub(crate) fn read(bytes: &'a [u8]) -> Result<Self, Error> {
        if !bytes.starts_with(&[0xFF, SOI]) {
            return Err(Error::Malformed("it does not begin as a JPEG"));
        }
        let mut parts = Parts::default();
        let mut at = 2;
        loop {
            let segment = segment::next(bytes, at).ok_or(Error::Malformed("it ends before the picture begins"))?;
            if segment.broken {
                return Err(Error::Malformed("a segment's length"));
            }
            at = segment.end;
            match segment.marker {
                SOS => return parts.finish(&segment),
                EOI => return Err(Error::Malformed("it ends before the picture begins")),
                _ => parts.take(&segment)?,
            }
        }
    }
}

impl<'a> Parts<'a> {
    fn take(&mut self, segment: &Segment<'a>) -> Result<(), Error> {
        let payload = segment.payload;
        match segment.marker {
            0xC0 => self.set_frame(Coding::Baseline, payload),
            0xC1 => self.set_frame(Coding::Extended, payload),
            0xC2 => self.set_frame(Coding::Progressive, payload),
            0xC3 => Err(Error::Unsupported("lossless coding")),
            0xC5..=0xC7 => Err(Error::Unsupported("hierarchical coding")),
            0xC8..=0xCF => Err(Error::Unsupported("arithmetic coding")),
            0xF7 => Err(Error::Unsupported("JPEG-LS coding")),
            DNL => Err(Error::Malformed("a height before the picture")),
            0xE0 => {
                self.jfif |= payload.starts_with(b"JFIF\0");
                Ok(())
            }
            0xE1 => {
                self.exif = self.exif.or_else(|| metadata::exif(payload));
                Ok(())
            }
            0xE2 => {
                self.icc.read(payload);
                Ok(())
            }
            0xEE => {
                if payload.starts_with(b"Adobe") && payload.len() >= 12 {
                    self.adobe = Some(payload[11]);
                }
                Ok(())
            }
            _ => self.state.read(segment),
        }
    }

    fn set_frame(&mut self, coding: Coding, payload: &[u8]) -> Result<(), Error> {
        if self.frame.is_some() {
            return Err(Error::Malformed("two frame headers"));
        }
        self.frame = Some(Frame::read(coding, payload)?);
        Ok(())
    }

    fn finish(self, segment: &Segment<'a>) -> Result<Header<'a>, Error> {
        let frame = self.frame.ok_or(Error::Malformed("a scan without a frame"))?;
        let scan = Scan::read(&frame, segment.payload)?;
        let colour = frame.colour(self.jfif, self.adobe);
        let Self { adobe, icc, exif, state, .. } = self;
        Ok(Header { frame, colour, adobe, icc, exif, state, scan, data: segment.end })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_codings_are_named() {
        for (marker, what) in [(0xC3, "lossless coding"), (0xC9, "arithmetic coding"), (0xC6, "hierarchical coding")] {
            let bytes = [0xFF, SOI, 0xFF, marker, 0, 4, 8, 0];
            assert_eq!(Header::read(&bytes).err(), Some(Error::Unsupported(what)));
        }
    }

    #[test]
    fn a_file_that_ends_early_is_malformed() {
        for bytes in [&[][..], &[0xFF], &[0xFF, SOI], &[0xFF, SOI, 0xFF, EOI], b"PNG", &[0xFF, SOI, 0xFF, DQT, 0, 0]] {
            assert!(matches!(Header::read(bytes), Err(Error::Malformed(_))), "{bytes:?}");
        }
    }
}
