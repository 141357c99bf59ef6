//! Paints a picture with smooth and sharp parts and codes it by `jpeg-encoder`.

use jpeg_encoder::{ColorType, Encoder, SamplingFactor};

/// How to code it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Settings {
    pub(crate) color: ColorType,
    pub(crate) sampling: SamplingFactor,
    pub(crate) quality: u8,
    pub(crate) optimised: bool,
    /// Scans; 0: baseline.
    pub(crate) progressive: u8,
    /// MCUs; 0: none.
    pub(crate) restart: u16,
    /// With a profile in two pieces and an EXIF segment.
    pub(crate) metadata: bool,
}

impl Default for Settings {
    fn default() -> Self {
        let (color, sampling) = (ColorType::Rgb, SamplingFactor::F_2_2);
        Self { color, sampling, quality: 85, optimised: false, progressive: 0, restart: 0, metadata: false }
    }
}

/// A gradient, waves, and a few blocks.
pub(crate) fn painted(width: u16, height: u16, channels: usize) -> Vec<u8> {
    let mut pixels = Vec::new();
    for y in 0..u32::from(height) {
        for x in 0..u32::from(width) {
            for channel in 0..channels as u32 {
                let wave = (f64::from(x * (channel + 2) + y) / 13.0).sin() * 50.0;
                let block = if (x / 24 + y / 40) % 3 == channel % 3 { 40.0 } else { 0.0 };
                pixels.push((60.0 + f64::from((x + 2 * y) % 256) / 4.0 + wave + block).clamp(0.0, 255.0) as u8);
            }
        }
    }
    pixels
}

/// As long as two pieces.
pub(crate) fn profile() -> Vec<u8> {
    (0..100_000u32).map(|i| (i.wrapping_mul(i) >> 7) as u8).collect()
}

pub(crate) fn encode(width: u16, height: u16, settings: &Settings) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = Encoder::new(&mut bytes, settings.quality);
    encoder.set_sampling_factor(settings.sampling);
    encoder.set_optimized_huffman_tables(settings.optimised);
    if settings.progressive > 0 {
        encoder.set_progressive_scans(settings.progressive);
    }
    if settings.restart > 0 {
        encoder.set_restart_interval(settings.restart);
    }
    if settings.metadata {
        encoder.add_icc_profile(&profile()).unwrap();
        encoder.add_exif_metadata(b"MM\0*exif").unwrap();
    }
    let channels = match settings.color {
        ColorType::Luma => 1,
        ColorType::Rgb => 3,
        _ => 4,
    };
    encoder.encode(&painted(width, height, channels), width, height, settings.color).unwrap();
    bytes
}
