//! Own pictures, coded in every way that the encoder knows: codings that hold the same coefficients give the same
//! pixels, regions are crops, shrunk pictures are means.

use crate::picture::{Settings, encode, painted};
use jpeg::{Coding, Colour, Decoder, Error, Layout, Limits, Region, Scale, Workspace};
use jpeg_encoder::{ColorType, SamplingFactor};

fn decode(bytes: &[u8], scale: Scale) -> Vec<u8> {
    let mut decoder = Decoder::new(bytes, &Limits::default()).unwrap();
    decoder.scale(scale);
    let mut out = vec![0x5A; decoder.output_len()];
    let outcome = decoder.decode_into(&mut Workspace::default(), &|| false, &mut out).unwrap();
    assert!(outcome.complete);
    out
}

const SAMPLINGS: [SamplingFactor; 8] = [
    SamplingFactor::F_1_1,
    SamplingFactor::F_2_1,
    SamplingFactor::F_1_2,
    SamplingFactor::F_2_2,
    SamplingFactor::F_4_1,
    SamplingFactor::F_4_2,
    SamplingFactor::F_1_4,
    SamplingFactor::F_2_4,
];
const SIZES: [(u16, u16); 6] = [(1, 1), (7, 5), (16, 16), (17, 33), (100, 75), (250, 3)];

#[test]
fn every_coding_of_the_same_coefficients_gives_the_same_pixels() {
    for color in [ColorType::Rgb, ColorType::Luma, ColorType::Cmyk, ColorType::CmykAsYcck] {
        for sampling in SAMPLINGS {
            for (width, height) in SIZES {
                let settings = Settings { color, sampling, ..Settings::default() };
                let plain = encode(width, height, &settings);
                let others = [
                    Settings { optimised: true, ..settings },
                    Settings { restart: 3, ..settings },
                    Settings { progressive: 4, ..settings },
                    Settings { progressive: 10, restart: 2, ..settings },
                ];
                for scale in Scale::ALL {
                    let pixels = decode(&plain, scale);
                    for other in others {
                        let what = format!("{width} × {height} {other:?} {scale:?}");
                        assert!(pixels == decode(&encode(width, height, &other), scale), "{what}");
                    }
                }
            }
        }
    }
}

#[test]
fn the_painted_picture_comes_back() {
    for (color, channels) in
        [(ColorType::Rgb, 3), (ColorType::Luma, 1), (ColorType::Cmyk, 4), (ColorType::CmykAsYcck, 4)]
    {
        for sampling in SAMPLINGS {
            let settings = Settings { color, sampling, quality: 97, ..Settings::default() };
            let pixels = decode(&encode(100, 75, &settings), Scale::Full);
            let mut original = painted(100, 75, channels);
            if channels == 4 {
                // The encoder inverts the inks, as Adobe's files have them.
                original.iter_mut().for_each(|ink| *ink = 255 - *ink);
            }
            let sum: u64 = pixels.iter().zip(&original).map(|(a, b)| u64::from(a.abs_diff(*b))).sum();
            let mean = sum as f64 / pixels.len() as f64;
            // Colours that change within a block are lost where chroma is coded smaller.
            let allowed = if sampling == SamplingFactor::F_1_1 || channels == 1 { 1.5 } else { 20.0 };
            assert!(mean < allowed, "{color:?} {sampling:?}: {mean}");
        }
    }
}

#[test]
fn a_shrunk_picture_is_the_mean_of_the_whole() {
    for color in [ColorType::Rgb, ColorType::Luma] {
        // Where chroma is coded smaller, this picture's is lost at the smallest scales.
        let sampling = SamplingFactor::F_1_1;
        let bytes = encode(128, 64, &Settings { color, sampling, ..Settings::default() });
        let channels = if color == ColorType::Luma { 1 } else { 3 };
        let whole = decode(&bytes, Scale::Full);
        for scale in [Scale::Half, Scale::Quarter, Scale::Eighth] {
            let side = 8 / scale.eighths() as usize;
            let small = decode(&bytes, scale);
            let (width, mut sum) = (128 / side, 0.0);
            for (i, &pixel) in small.iter().enumerate() {
                let (x, y, channel) = (i / channels % width, i / channels / width, i % channels);
                let total: u32 = (0..side * side)
                    .map(|j| ((y * side + j / side) * 128 + x * side + j % side) * channels + channel)
                    .map(|at| u32::from(whole[at]))
                    .sum();
                sum += (f64::from(pixel) - f64::from(total) / (side * side) as f64).abs();
            }
            let mean = sum / small.len() as f64;
            assert!(mean < 4.0, "{color:?} {sampling:?} {scale:?}: {mean}");
        }
    }
}

#[test]
fn a_region_is_a_crop_of_the_whole() {
    for sampling in SAMPLINGS {
        for progressive in [0, 4] {
            let bytes = encode(150, 90, &Settings { sampling, progressive, restart: 2, ..Settings::default() });
            for scale in Scale::ALL {
                let whole = decode(&bytes, scale);
                let (width, height) = (scale.of(150), scale.of(90));
                for (x, y, w, h) in [(0, 0, 1, 1), (3, 2, 9, 5), (width - 1, height - 1, 1, 1), (8, 5, width - 8, 4)] {
                    let region = Region { x, y, width: w, height: h };
                    let mut decoder = Decoder::new(&bytes, &Limits::default()).unwrap();
                    decoder.scale(scale).region(region).unwrap();
                    let mut part = vec![0; decoder.output_len()];
                    decoder.decode_into(&mut Workspace::default(), &|| false, &mut part).unwrap();
                    let crop: Vec<u8> = (y..y + h)
                        .flat_map(|y| &whole[((y * width + x) * 3) as usize..((y * width + x + w) * 3) as usize])
                        .copied()
                        .collect();
                    assert!(part == crop, "{sampling:?} {scale:?} {region:?} {progressive}");
                }
            }
        }
    }
}

#[test]
fn headers_are_told() {
    let bytes = encode(33, 20, &Settings { progressive: 4, metadata: true, ..Settings::default() });
    let decoder = Decoder::new(&bytes, &Limits::default()).unwrap();
    let info = decoder.info();
    assert_eq!((info.width, info.height), (33, 20));
    assert_eq!((info.coding, info.colour), (Coding::Progressive, Colour::YCbCr));
    assert_eq!(info.sampling.iter().map(|s| (s.horizontal, s.vertical)).collect::<Vec<_>>(), [(2, 2), (1, 1), (1, 1)]);
    assert!(info.has_icc && info.has_exif);
    assert_eq!(decoder.icc(100_000).unwrap(), crate::picture::profile());
    assert_eq!(decoder.icc(99_999), None);
    assert_eq!(decoder.exif().unwrap(), b"MM\0*exif");
    assert_eq!(decoder.output_layout(), Layout::Rgb);
    let cmyk = encode(8, 8, &Settings { color: ColorType::CmykAsYcck, ..Settings::default() });
    let info = Decoder::new(&cmyk, &Limits::default()).unwrap().info();
    assert_eq!((info.colour, info.adobe_transform), (Colour::Ycck, Some(2)));
}

#[test]
fn limits_hold_and_memory_is_told_beforehand() {
    let bytes = encode(100, 75, &Settings { progressive: 4, ..Settings::default() });
    let few = Limits { max_pixels: 7499, ..Limits::default() };
    assert!(matches!(Decoder::new(&bytes, &few), Err(Error::TooLarge { value: 7500, limit: 7499, .. })));
    let memory = Decoder::new(&bytes, &Limits::default()).unwrap().memory();
    for (max_memory, enough) in [(memory, true), (memory - 1, false)] {
        let decoder = Decoder::new(&bytes, &Limits { max_memory, ..Limits::default() }).unwrap();
        let mut workspace = Workspace::default();
        let result = decoder.decode_into(&mut workspace, &|| false, &mut vec![0; decoder.output_len()]);
        assert_eq!(result.is_ok(), enough);
        assert_eq!(workspace.len() as u64, if enough { memory } else { 0 });
    }
}

#[test]
fn it_stops_when_asked() {
    for progressive in [0, 4] {
        let bytes = encode(100, 100, &Settings { progressive, ..Settings::default() });
        let decoder = Decoder::new(&bytes, &Limits::default()).unwrap();
        let asked = std::cell::Cell::new(0);
        let cancelled = || {
            asked.set(asked.get() + 1);
            asked.get() > 3
        };
        let mut out = vec![0; decoder.output_len()];
        let result = decoder.decode_into(&mut Workspace::default(), &cancelled, &mut out);
        assert_eq!(result, Err(Error::Cancelled));
        assert_eq!(asked.get(), 4);
    }
}

#[test]
fn a_workspace_may_hold_anything() {
    let large = encode(250, 200, &Settings { progressive: 4, quality: 100, ..Settings::default() });
    let small = encode(60, 40, &Settings { progressive: 4, ..Settings::default() });
    let mut workspace = Workspace::default();
    let mut decode = |bytes: &[u8]| {
        let decoder = Decoder::new(bytes, &Limits::default()).unwrap();
        let mut out = vec![0; decoder.output_len()];
        decoder.decode_into(&mut workspace, &|| false, &mut out).unwrap();
        out
    };
    let first = decode(&small);
    decode(&large);
    assert!(first == decode(&small));
}

#[test]
fn what_is_there_of_a_truncated_file_is_given() {
    let bytes = encode(160, 160, &Settings { sampling: SamplingFactor::F_1_1, ..Settings::default() });
    let whole = decode(&bytes, Scale::Full);
    let decoder = Decoder::new(&bytes[..bytes.len() / 2], &Limits::default()).unwrap();
    let mut out = vec![0; decoder.output_len()];
    let outcome = decoder.decode_into(&mut Workspace::default(), &|| false, &mut out).unwrap();
    assert!(!outcome.complete);
    let same = out.iter().zip(&whole).take_while(|(a, b)| a == b).count();
    assert!(same > whole.len() / 4, "{same}");
    assert_eq!(out[out.len() - 3..], [128, 128, 128]);
}
