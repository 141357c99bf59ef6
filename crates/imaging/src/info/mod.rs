//! What is told of a picture instead of the picture: `f=json`, `f=thumbhash`, `f=blurhash` (`docs/info.md`).
//!
//! Facts are those of the original; size and looks are those of what the transform makes of it, so that a placeholder
//! shows what will be shown. Where and by what somebody took a picture is told with `meta=keep` only.

mod blurhash;
mod colours;
mod embedded;
mod facts;
mod likeness;
mod small;
pub mod srcset;
mod thumbhash;

pub use facts::facts;

use crate::bitmap::Bitmap;
use crate::error::Error;
use crate::limits::Watch;
use crate::product::Product;
use cache_key::Transform;
use cache_key::transform::{Format, Length};
use serde_json::{Map, Value, json};

/// Of the copy that a ThumbHash is made of, as its authors advise; all else is told from it too.
const SIDE: u32 = 100;
/// Of the picture that is made where the URL asks for no size: looks do not need more.
const ENOUGH: u32 = 400;

/// What a transform ends in, where that is no picture.
pub(crate) const fn product(format: Format) -> Option<Product> {
    match format {
        Format::Json => Some(Product::Json),
        Format::BlurHash => Some(Product::BlurHash),
        Format::ThumbHash => Some(Product::ThumbHash),
        Format::Source | Format::Auto | Format::Image(_) => None,
    }
}

/// A transform that shows the same in fewer pixels, where there is one: decoding then costs a part.
pub(crate) fn reduced(transform: &Transform) -> Option<Transform> {
    let plain = Transform {
        crop: transform.crop,
        orient: transform.orient,
        rotate: transform.rotate,
        flip: transform.flip,
        output: transform.output.clone(),
        frames: transform.frames,
        cache_buster: transform.cache_buster.clone(),
        ..Transform::default()
    };
    if *transform != plain {
        return None;
    }
    let side = ENOUGH.try_into().ok().map(Length::Px);
    let mut reduced = plain;
    (reduced.size.width, reduced.size.height) = (side, side);
    Some(reduced)
}

/// The bytes of a hash, or of the facts with what is told of the looks. `facts` is asked only where it is used.
///
/// # Errors
/// What `watch` says.
pub(crate) fn tell(
    product: Product,
    bitmap: &Bitmap,
    facts: impl FnOnce() -> Map<String, Value>,
    watch: &Watch,
) -> Result<Vec<u8>, Error> {
    let small = small::within(bitmap, SIDE);
    watch.check()?;
    Ok(match product {
        Product::ThumbHash => base64(&thumbhash::encode(&small)).into_bytes(),
        Product::BlurHash => blurhash::encode(&small, blurhash::terms(&small)).into_bytes(),
        Product::Json | Product::Picture(_) => {
            let mut all = facts();
            all.insert("looks".into(), looks(bitmap, &small, watch)?);
            let mut text =
                serde_json::to_vec_pretty(&Value::Object(all)).map_err(|error| Error::Internal(error.to_string()))?;
            text.push(b'\n');
            text
        }
    })
}

fn looks(bitmap: &Bitmap, small: &small::Small, watch: &Watch) -> Result<Value, Error> {
    let colours = colours::of(small, watch)?;
    let palette: Vec<Value> = colours
        .palette
        .iter()
        .map(|&(colour, share)| json!({ "colour": hex(colour), "share": (share * 1e4).round() / 1e4 }))
        .collect();
    Ok(json!({
        "average": hex(colours.average),
        "dominant": colours.palette.first().map(|&(colour, _)| hex(colour)),
        "palette": palette,
        "thumbhash": base64(&thumbhash::encode(small)),
        "blurhash": blurhash::encode(small, blurhash::terms(small)),
        "dhash": format!("{:016x}", likeness::difference(bitmap)),
        "phash": format!("{:016x}", likeness::frequency(bitmap)),
    }))
}

fn hex([red, green, blue]: [u8; 3]) -> String {
    format!("#{red:02x}{green:02x}{blue:02x}")
}

/// RFC 4648, section 4, with padding.
fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for group in bytes.chunks(3) {
        let bits = group.iter().chain([&0, &0]).take(3).fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte));
        for place in 0..4 {
            let digit = DIGITS[(bits >> (18 - 6 * place) & 63) as usize];
            text.push(if place <= group.len() { char::from(digit) } else { '=' });
        }
    }
    text
}

#[cfg(test)]
mod tests;
