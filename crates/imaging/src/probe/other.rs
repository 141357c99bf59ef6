//! The headers of the formats that are seldom sent: JPEG XL, TIFF, BMP, icons, SVG.

use super::Probe;
use crate::decode::tiff::check_supported;
use crate::error::Error;
use crate::format::SourceFormat;
use crate::metadata::{bmp, ico, jxl, svg, tiff};
use crate::orientation::Orientation;

/// A still picture without anything beside its pixels.
fn plain(format: SourceFormat, width: u32, height: u32) -> Probe {
    Probe {
        format,
        width,
        height,
        orientation: Orientation::Upright,
        has_alpha: false,
        gray: false,
        depth: 8,
        frames: 1,
        motion: None,
        has_icc: false,
        lossy: false,
        has_metadata: false,
    }
}

pub(super) fn jxl(bytes: &[u8]) -> Option<Probe> {
    let header = jxl::read(bytes)?;
    Some(Probe {
        orientation: Orientation::from_exif(header.orientation)?,
        has_alpha: header.alpha,
        gray: header.gray && !header.alpha,
        depth: header.bits.min(16) as u8,
        has_icc: header.icc,
        lossy: header.xyb,
        has_metadata: header.has_metadata,
        ..plain(SourceFormat::Jxl, header.width, header.height)
    })
}

pub(super) fn tiff(bytes: &[u8]) -> Result<Option<Probe>, Error> {
    let Some(header) = tiff::read(bytes) else { return Ok(None) };
    check_supported(&header)?;
    Ok(Some(Probe {
        orientation: header.orientation,
        has_alpha: header.has_alpha(),
        gray: header.colours() == 1 && header.photometric != 3,
        depth: header.bits.min(16) as u8,
        has_icc: header.icc.is_some(),
        lossy: header.compression == 7,
        has_metadata: header.has_metadata,
        ..plain(SourceFormat::Tiff, header.width, header.height)
    }))
}

pub(super) fn bmp(bytes: &[u8]) -> Option<Probe> {
    let header = bmp::read(bytes)?;
    Some(Probe {
        has_alpha: header.masks[3] != 0,
        has_icc: header.profile.is_some(),
        ..plain(SourceFormat::Bmp, header.width, header.height)
    })
}

pub(super) fn ico(bytes: &[u8]) -> Option<Probe> {
    let (width, height) = ico::largest(bytes)?.size();
    Some(Probe { has_alpha: true, ..plain(SourceFormat::Ico, width, height) })
}

/// The size that a drawing states, to the nearest pixel. It may be beyond all limits, not beyond all numbers.
pub(super) fn svg(bytes: &[u8]) -> Option<Probe> {
    let head = svg::head(bytes)?;
    let (width, height) = svg::size(&head)?;
    let side = |units: f64| units.round().clamp(1.0, f64::from(u32::MAX)) as u32;
    Some(Probe { has_alpha: true, ..plain(SourceFormat::Svg, side(width), side(height)) })
}
