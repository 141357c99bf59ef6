//! Arithmetic-coded JPEG by zune-jpeg: few files are, none of them shrinks on load.
//!
//! It fills a buffer of the whole picture and knows neither profiles nor orientation.

use crate::decode::{File, malformed};
use crate::error::Error;
use crate::format::SourceFormat;
use crate::metadata::jpeg::JpegHeader;
use zune_core::bytestream::ZCursor;
use zune_core::colorspace::ColorSpace;
use zune_core::options::DecoderOptions;
use zune_jpeg::JpegDecoder;
use zune_jpeg::errors::DecodeErrors;

/// Decodes into `pixels`: one, three or four channels, as many as the frame has components.
pub(super) fn decode(file: &File<'_>, header: &JpegHeader<'_>, pixels: &mut [u8]) -> Result<(), Error> {
    let bytes = file.bytes;
    // The decoder refuses a file for a profile with holes; nobody else does.
    let stripped = (header.has_icc() && header.icc().is_none()).then(|| header.without_icc(bytes));
    let space = match header.components {
        1 => ColorSpace::Luma,
        3 => ColorSpace::RGB,
        _ => ColorSpace::CMYK,
    };
    read_into(&File { bytes: stripped.as_deref().unwrap_or(bytes), ..*file }, space, pixels)
}

fn read_into(file: &File<'_>, space: ColorSpace, pixels: &mut [u8]) -> Result<(), Error> {
    let &File { bytes, watch, .. } = file;
    let options = DecoderOptions::new_fast()
        .set_strict_mode(false)
        .set_max_width(usize::from(u16::MAX))
        .set_max_height(usize::from(u16::MAX))
        .jpeg_set_max_scans(super::MAX_SCANS)
        .jpeg_set_out_colorspace(space);
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(bytes), options);
    let watching = watch.clone();
    decoder.set_cancel(move || watching.check().is_err());
    let told = |error: DecodeErrors| match error {
        DecodeErrors::Cancelled => watch.check().err().unwrap_or(Error::Cancelled),
        DecodeErrors::Unsupported(what) => Error::Unsupported(format!("JPEG: {what:?}")),
        other => Error::Malformed(format!("JPEG: {other:?}")),
    };
    decoder.decode_headers().map_err(told)?;
    let (width, height) = file.size();
    let expected = (width as usize, height as usize);
    if decoder.dimensions() != Some(expected) || decoder.output_buffer_size() != Some(pixels.len()) {
        return Err(malformed(SourceFormat::Jpeg, &"two headers that disagree"));
    }
    decoder.decode_into(pixels).map_err(told)
}
