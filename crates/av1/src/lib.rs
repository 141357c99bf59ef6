//! Holds a heavy dependency: one AV1 key frame by rav1e, whose generic code is compiled here, once, rather than with every
//! change of `imaging`.
//!
//! Planes and a few numbers in, a stream of OBUs out. It knows no picture, no container and no URL. Invariants: no thread
//! but the caller's works, and the same planes and settings give the same bytes on every machine.

mod level;
mod speed;

use rav1e::color::{
    ChromaSamplePosition, ChromaSampling, ColorDescription, ColorPrimaries, MatrixCoefficients, PixelRange,
    TransferCharacteristics,
};
use rav1e::prelude::{EncoderStatus, Pixel, Rational, Tune};
use rav1e::{Config, EncoderConfig};
use std::fmt;

/// The longest side that rav1e states, pixels.
pub const MAX_SIDE: u32 = 65_535;

/// Which planes there are beside luma.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Chroma {
    /// None: a monochrome stream.
    None,
    /// Two of half the sides, rounded up.
    Half,
    /// Two of the same sides.
    Full,
}

/// Samples of a frame, full range, without gaps between rows.
#[derive(Clone, Copy, Debug)]
pub struct Planes<'a, T> {
    /// Pixels of a row, 1–[`MAX_SIDE`].
    pub width: u32,
    /// Rows, likewise.
    pub height: u32,
    /// What `chroma` holds.
    pub sampling: Chroma,
    /// Width × height samples.
    pub luma: &'a [T],
    /// The differences of blue and of red by BT.601; empty where there are none.
    pub chroma: [&'a [T]; 2],
}

/// How to encode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// AV1's base quantizer index, 1–255: less is finer.
    pub quantizer: u8,
    /// 0–10: more is faster.
    pub speed: u8,
}

/// Why there is no frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Error {
    /// The planes do not have the sizes that they state, or a side is 0 or too long.
    Planes,
    /// rav1e's own words.
    Encoder(String),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Planes => f.write_str("the planes do not fill the frame"),
            Self::Encoder(why) => write!(f, "rav1e: {why}"),
        }
    }
}

impl std::error::Error for Error {}

/// Encodes samples of eight bits as one key frame with the sequence header of a reduced still picture.
///
/// # Errors
/// See [`Error`].
pub fn eight(planes: Planes<'_, u8>, settings: Settings) -> Result<Vec<u8>, Error> {
    still(planes, 8, settings)
}

/// The same of ten bits, 0–1023.
///
/// # Errors
/// See [`Error`].
pub fn ten(planes: Planes<'_, u16>, settings: Settings) -> Result<Vec<u8>, Error> {
    still(planes, 10, settings)
}

fn still<T: Pixel>(planes: Planes<'_, T>, bit_depth: usize, settings: Settings) -> Result<Vec<u8>, Error> {
    let rows = rows(&planes)?;
    let config = Config::new().with_encoder_config(configuration(&planes, bit_depth, settings));
    let mut context = config.new_context::<T>().map_err(|error| Error::Encoder(error.to_string()))?;
    let mut frame = context.new_frame();
    for (plane, (samples, width)) in frame.planes.iter_mut().zip(rows) {
        let stride = plane.cfg.stride;
        for (to, from) in plane.data_origin_mut().chunks_mut(stride).zip(samples.chunks_exact(width)) {
            to[..width].copy_from_slice(from);
        }
    }
    let failed = |status: EncoderStatus| Error::Encoder(status.to_string());
    context.send_frame(frame).map_err(failed)?;
    context.flush();
    let mut stream = Vec::new();
    loop {
        match context.receive_packet() {
            Ok(packet) => stream.extend_from_slice(&packet.data),
            // The frame was taken in and is not out yet.
            Err(EncoderStatus::Encoded) => {}
            Err(EncoderStatus::LimitReached) => break,
            Err(other) => return Err(failed(other)),
        }
    }
    if stream.is_empty() { Err(Error::Encoder("no frame".into())) } else { Ok(stream) }
}

/// Each plane and the length of its rows, if they are as long as they should be.
fn rows<'a, T>(planes: &Planes<'a, T>) -> Result<Vec<(&'a [T], usize)>, Error> {
    let Planes { width, height, sampling, luma, chroma } = *planes;
    if ![width, height].iter().all(|side| (1..=MAX_SIDE).contains(side)) {
        return Err(Error::Planes);
    }
    let size = |side: u32| match sampling {
        Chroma::Half => side.div_ceil(2) as usize,
        Chroma::None | Chroma::Full => side as usize,
    };
    let mut rows = vec![(luma, width as usize)];
    let mut fill = luma.len() == width as usize * height as usize;
    for plane in chroma {
        match sampling {
            Chroma::None => fill &= plane.is_empty(),
            Chroma::Half | Chroma::Full => {
                fill &= plane.len() == size(width) * size(height);
                rows.push((plane, size(width)));
            }
        }
    }
    if fill { Ok(rows) } else { Err(Error::Planes) }
}

fn configuration<T>(planes: &Planes<'_, T>, bit_depth: usize, settings: Settings) -> EncoderConfig {
    let quantizer = settings.quantizer.max(1);
    let sampling = match planes.sampling {
        Chroma::None => ChromaSampling::Cs400,
        Chroma::Half => ChromaSampling::Cs420,
        Chroma::Full => ChromaSampling::Cs444,
    };
    EncoderConfig {
        width: planes.width as usize,
        height: planes.height as usize,
        time_base: Rational::new(1, 1),
        bit_depth,
        chroma_sampling: sampling,
        chroma_sample_position: ChromaSamplePosition::Unknown,
        pixel_range: PixelRange::Full,
        color_description: (planes.sampling != Chroma::None).then_some(ColorDescription {
            color_primaries: ColorPrimaries::BT709,
            transfer_characteristics: TransferCharacteristics::SRGB,
            matrix_coefficients: MatrixCoefficients::BT601,
        }),
        level_idx: Some(level::of(planes.width, planes.height)),
        still_picture: true,
        min_key_frame_interval: 0,
        max_key_frame_interval: 0,
        low_latency: false,
        quantizer: quantizer.into(),
        min_quantizer: quantizer,
        bitrate: 0,
        tune: Tune::Psychovisual,
        // As few as the format allows: threads are for other pictures.
        tiles: 1,
        speed_settings: speed::settings(settings.speed),
        ..EncoderConfig::default()
    }
}

#[cfg(test)]
mod tests {
    use super::{Chroma, Error, Planes, Settings, eight, ten};

    const SETTINGS: Settings = Settings { quantizer: 100, speed: 10 };

    #[test]
    fn the_smallest_and_odd_frames_are_encoded() {
        for (width, height) in [(1, 1), (1, 9), (9, 1), (3, 5), (17, 33), (65, 64)] {
            for sampling in [Chroma::None, Chroma::Half, Chroma::Full] {
                let chroma = match sampling {
                    Chroma::None => 0,
                    Chroma::Half => (width as usize).div_ceil(2) * (height as usize).div_ceil(2),
                    Chroma::Full => (width * height) as usize,
                };
                let (luma, chroma) = (vec![90_u8; (width * height) as usize], vec![200_u8; chroma]);
                let planes = Planes { width, height, sampling, luma: &luma, chroma: [&chroma, &chroma] };
                let stream = eight(planes, SETTINGS).expect("a frame");
                // A temporal delimiter, then a sequence header, each with its size.
                assert_eq!(stream[..3], [0x12, 0, 0x0a], "{width} × {height} {sampling:?}");
                let (luma, chroma): (Vec<_>, Vec<_>) = (
                    luma.iter().map(|&v| u16::from(v) * 4).collect(),
                    chroma.iter().map(|&v| u16::from(v) * 4).collect(),
                );
                let planes = Planes { width, height, sampling, luma: &luma, chroma: [&chroma, &chroma] };
                assert!(ten(planes, SETTINGS).is_ok_and(|deep| deep != stream));
            }
        }
    }

    #[test]
    fn the_same_planes_give_the_same_bytes() {
        let luma: Vec<u8> = (0..64 * 48_u32).map(|at| (at.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
        let planes = Planes { width: 64, height: 48, sampling: Chroma::None, luma: &luma, chroma: [&[], &[]] };
        let frame = |quantizer| eight(planes, Settings { quantizer, ..SETTINGS }).expect("a frame");
        assert_eq!(frame(80), frame(80));
        assert!(frame(20).len() > frame(200).len());
        assert_eq!(frame(0), frame(1), "there is no lossless mode to fall into");
    }

    #[test]
    fn planes_that_do_not_fill_the_frame_are_refused() {
        let refused = |width, height, sampling, luma: usize, chroma: usize| {
            let (luma, chroma) = (vec![0_u8; luma], vec![0_u8; chroma]);
            let planes = Planes { width, height, sampling, luma: &luma, chroma: [&chroma, &chroma] };
            eight(planes, SETTINGS) == Err(Error::Planes)
        };
        assert!(refused(0, 1, Chroma::None, 0, 0) && refused(65_536, 1, Chroma::None, 65_536, 0));
        assert!(refused(2, 2, Chroma::None, 3, 0) && refused(2, 2, Chroma::None, 4, 1));
        assert!(refused(3, 3, Chroma::Half, 9, 3) && refused(3, 3, Chroma::Full, 9, 4));
    }
}
