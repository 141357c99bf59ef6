//! Pictures of known content, as PNG: smooth ones, ones that no codec can shrink, ones with alpha, headers that lie.

use png::{BitDepth, ColorType, Compression, Encoder};

/// 8-bit RGB that changes smoothly: red by column, green by row.
#[must_use]
pub fn gradient(width: u32, height: u32) -> Vec<u8> {
    let mut pixels = Vec::with_capacity(width as usize * height as usize * 3);
    for y in 0..height {
        for x in 0..width {
            pixels.extend_from_slice(&[ramp(x, width), ramp(y, height), 128]);
        }
    }
    encode(width, height, ColorType::Rgb, &pixels)
}

/// 8-bit RGB without any order: large in every format, and slow to make renditions of.
#[must_use]
pub fn noise(width: u32, height: u32, seed: u64) -> Vec<u8> {
    let bytes = width as usize * height as usize * 3;
    let mut state = seed | 1;
    let mut pixels = Vec::with_capacity(bytes + 8);
    while pixels.len() < bytes {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        pixels.extend_from_slice(&state.to_le_bytes());
    }
    pixels.truncate(bytes);
    encode(width, height, ColorType::Rgb, &pixels)
}

/// 8-bit RGBA of one colour, clear at the left and solid at the right.
#[must_use]
pub fn alpha(width: u32, height: u32) -> Vec<u8> {
    let row: Vec<u8> = (0..width).flat_map(|x| [200, 40, 40, ramp(x, width)]).collect();
    encode(width, height, ColorType::Rgba, &row.repeat(height as usize))
}

/// A PNG whose header promises `width` × `height` pixels, with next to no data behind it.
#[must_use]
pub fn promise(width: u32, height: u32) -> Vec<u8> {
    let mut file = gradient(1, 1);
    // Signature (8), length and type of IHDR (8), width, height, 5 bytes more, checksum of type and data.
    file[16..20].copy_from_slice(&width.to_be_bytes());
    file[20..24].copy_from_slice(&height.to_be_bytes());
    let checksum = crc32(&file[12..29]).to_be_bytes();
    file[29..33].copy_from_slice(&checksum);
    file
}

/// [`gradient`], with the camera's maker and a place (5° 30′ 0″ north) as EXIF.
#[must_use]
pub fn placed(width: u32, height: u32) -> Vec<u8> {
    // EXIF 3.0, 4.6: two fields, of which the second points to the directory of the place at byte 38.
    let mut block = b"II*\0\x08\0\0\0\x02\0".to_vec();
    block.extend_from_slice(b"\x0f\x01\x02\0\x04\0\0\0Own\0\x25\x88\x04\0\x01\0\0\0\x26\0\0\0\0\0\0\0");
    block.extend_from_slice(b"\x02\0\x01\0\x02\0\x02\0\0\0N\0\0\0\x02\0\x05\0\x03\0\0\0\x44\0\0\0\0\0\0\0");
    for number in [5_u32, 1, 30, 1, 0, 1] {
        block.extend_from_slice(&number.to_le_bytes());
    }
    let named = [&b"eXIf"[..], &block].concat();
    let length = u32::try_from(block.len()).unwrap_or_default().to_be_bytes();
    let chunk = [&length[..], &named, &crc32(&named).to_be_bytes()].concat();
    let mut file = gradient(width, height);
    // Behind the signature (8) and IHDR (25).
    file.splice(33..33, chunk);
    file
}

/// Width and height that a PNG states; `None` where it is none.
#[must_use]
pub fn png_size(file: &[u8]) -> Option<(u32, u32)> {
    let number = |at: usize| Some(u32::from_be_bytes(file.get(at..at + 4)?.try_into().ok()?));
    if file.starts_with(b"\x89PNG\r\n\x1a\n") { number(16).zip(number(20)) } else { None }
}

fn ramp(at: u32, of: u32) -> u8 {
    u8::try_from(at * 255 / of.max(2).saturating_sub(1)).unwrap_or(u8::MAX)
}

fn encode(width: u32, height: u32, colour: ColorType, pixels: &[u8]) -> Vec<u8> {
    let mut file = Vec::new();
    let mut encoder = Encoder::new(&mut file, width, height);
    encoder.set_color(colour);
    encoder.set_depth(BitDepth::Eight);
    encoder.set_compression(Compression::Fast);
    let mut writer = encoder.write_header().expect("a size that PNG can say");
    writer.write_image_data(pixels).expect("as many pixels as the size says");
    writer.finish().expect("memory to write to");
    file
}

/// The checksum of PNG (ISO 3309), bit by bit: it runs over a few bytes only.
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| if crc & 1 == 1 { (crc >> 1) ^ 0xedb8_8320 } else { crc >> 1 })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decode(file: &[u8]) -> (u32, u32, Vec<u8>) {
        let mut reader = png::Decoder::new(std::io::Cursor::new(file)).read_info().unwrap();
        let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
        let frame = reader.next_frame(&mut pixels).unwrap();
        (frame.width, frame.height, pixels)
    }

    #[test]
    fn pictures_hold_what_they_say() {
        let (width, height, pixels) = decode(&gradient(256, 3));
        assert_eq!((width, height, &pixels[255 * 3..256 * 3]), (256, 3, &[255, 0, 128][..]));
        let (_, _, pixels) = decode(&alpha(16, 2));
        assert_eq!((pixels[3], pixels[15 * 4 + 3]), (0, 255));
        assert!(noise(100, 100, 7).len() > 29_000, "noise does not shrink");
        assert_ne!(noise(8, 8, 2), noise(8, 8, 4));
        assert_eq!(png_size(&noise(5, 6, 1)), Some((5, 6)));
    }

    #[test]
    fn a_promise_has_a_sound_header() {
        let file = promise(65_535, 40_000);
        let reader = png::Decoder::new(std::io::Cursor::new(&file)).read_info().unwrap();
        assert_eq!((reader.info().width, reader.info().height), (65_535, 40_000));
    }
}
