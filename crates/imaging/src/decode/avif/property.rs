//! Item properties (`ipco`, ISO/IEC 23008-12 section 6.5): what a picture item says about itself.
//!
//! An unknown property is kept as such: only an *essential* unknown one makes its item unreadable.

use super::reader::{Boxed, Reader};

/// One property.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Property {
    /// `ispe`: columns and rows of the coded picture.
    Size(u32, u32),
    /// `av1C`: how samples are coded.
    Config(Config),
    /// `pixi`: channels and the greatest depth.
    Depth { channels: u8, bits: u8 },
    /// `colr` of type `nclx`.
    Nclx(Nclx),
    /// `colr` of type `prof` or `rICC`.
    Icc(Vec<u8>),
    /// `irot`: quarter turns anticlockwise.
    Rotation(u8),
    /// `imir`: `false` top and bottom change places, `true` left and right.
    Mirror(bool),
    /// `clap`: numerators and denominators of width, height, horizontal and vertical offset.
    Aperture([u32; 8]),
    /// `auxC`: what an auxiliary picture is.
    Auxiliary { alpha: bool },
    /// `a1op`: the operating point to decode.
    OperatingPoint(u8),
    /// `lsel`: the spatial layer to show.
    Layer(u16),
    /// Known to be harmless when ignored (`pasp`, `clli`, …).
    Ignored,
    /// Everything else.
    Unknown,
}

/// `av1C`, as far as it matters here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Config {
    pub(super) bits: u8,
    pub(super) monochrome: bool,
}

/// `nclx`: code points of ITU-T H.273.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Nclx {
    pub(super) primaries: u16,
    pub(super) transfer: u16,
    pub(super) matrix: u16,
    pub(super) full_range: bool,
}

/// Profiles above this are a mistake or an attack; real ones stay below 4 MiB.
const MAX_ICC: usize = 4 << 20;
const ALPHA: [&[u8]; 2] = [b"urn:mpeg:mpegB:cicp:systems:auxiliary:alpha", b"urn:mpeg:hevc:2015:auxid:1"];

impl Property {
    /// `None` when the property is damaged.
    pub(super) fn read(source: Boxed<'_>) -> Option<Self> {
        let mut r = source.payload;
        Some(match &source.kind {
            b"ispe" => {
                r.version()?;
                Self::Size(r.u32()?, r.u32()?)
            }
            b"av1C" => Self::Config(Config::read(r)?),
            b"pixi" => {
                r.version()?;
                let channels = r.u8()?;
                let bits = r.take(channels.into())?.iter().copied().max()?;
                Self::Depth { channels, bits }
            }
            b"colr" => color(r)?,
            b"irot" => Self::Rotation(r.u8()? & 3),
            b"imir" => Self::Mirror(r.u8()? & 1 == 1),
            b"clap" => {
                let mut values = [0; 8];
                for value in &mut values {
                    *value = r.u32()?;
                }
                Self::Aperture(values)
            }
            b"auxC" => {
                r.version()?;
                let urn = r.0.split(|&b| b == 0).next()?;
                Self::Auxiliary { alpha: ALPHA.contains(&urn) }
            }
            b"a1op" => Self::OperatingPoint(r.u8()?),
            b"lsel" => Self::Layer(r.u16()?),
            b"pasp" | b"clli" | b"mdcv" | b"amve" | b"cclv" | b"a1lx" | b"rloc" | b"udes" => Self::Ignored,
            _ => Self::Unknown,
        })
    }
}

impl Config {
    /// AV1-ISOBMFF 2.3.
    pub(super) fn read(mut r: Reader<'_>) -> Option<Self> {
        let marker = r.u8()?;
        r.u8()?;
        let shape = r.u8()?;
        if marker != 0x81 {
            return None;
        }
        let bits = match (shape & 0x40 != 0, shape & 0x20 != 0) {
            (false, _) => 8,
            (true, false) => 10,
            (true, true) => 12,
        };
        Some(Self { bits, monochrome: shape & 0x10 != 0 })
    }
}

/// `colr`: of an unknown type it is ignored.
pub(super) fn color(mut r: Reader<'_>) -> Option<Property> {
    Some(match &r.fourcc()? {
        b"nclx" => Property::Nclx(Nclx {
            primaries: r.u16()?,
            transfer: r.u16()?,
            matrix: r.u16()?,
            full_range: r.u8()? & 0x80 != 0,
        }),
        b"prof" | b"rICC" if r.0.len() <= MAX_ICC => Property::Icc(r.0.to_vec()),
        _ => Property::Ignored,
    })
}
