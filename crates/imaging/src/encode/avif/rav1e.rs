//! rav1e, for one still frame: from wishes to its settings. Its code is compiled in the crate `av1`.
//!
//! It keeps no picture without loss, and is never asked to.

use super::engine::{Encoder, Known, Speed, Wish};
use super::planes::Planes;
use crate::error::Error;

/// The encoder.
pub(super) struct Rav1e;

/// Speed 10 of eight bits, and slower ones of ten.
const fn speed(preset: u8, per_megapixel: u64) -> Speed {
    let memory = match preset {
        10 => (15, 25),
        // Blocks of every size are tried.
        ..8 => (30, 45),
        _ => (23, 38),
    };
    Speed { preset, quick: preset == 10, per_megapixel, memory }
}

/// Measured on photographs; the figures are in `docs/decisions/0097-two-avif-engines.md`. A megapixel of the usual effort
/// is about two seconds of one core. The presets between save no bytes for their time.
pub(super) const KNOWN: Known = Known {
    name: "rav1e",
    lossless: false,
    usual: (1 << 20, 4),
    speeds: [
        speed(10, 450),
        speed(10, 450),
        speed(9, 1_900),
        speed(9, 1_900),
        speed(9, 1_900),
        speed(8, 3_500),
        speed(8, 3_500),
        speed(8, 3_500),
        speed(4, 21_500),
        speed(4, 21_500),
        speed(4, 21_500),
    ],
};

/// AV1's base quantizer index for a dial of 0, 30, 45, 60, 77, 90 and 100: what looks like libaom's at that dial, by the
/// mean SSIMULACRA2 of photographs. For speed 10, and for slower ones.
#[cfg(any(feature = "rav1e", test))]
const INDEX: [[(u8, f64); 7]; 2] = [
    [(0, 255.0), (30, 176.0), (45, 145.0), (60, 127.0), (77, 100.0), (90, 65.0), (100, 1.0)],
    [(0, 255.0), (30, 200.0), (45, 173.0), (60, 137.0), (77, 105.0), (90, 64.0), (100, 1.0)],
];

/// The index of a dial, 1–255, in straight lines between those.
#[cfg(any(feature = "rav1e", test))]
fn quantizer(quality: u8, quick: bool) -> u8 {
    let quality = quality.clamp(1, 100);
    let line = INDEX[usize::from(!quick)].windows(2).find(|two| quality <= two[1].0);
    let Some(&[(below, coarse), (above, fine)]) = line else { return 1 };
    let part = f64::from(quality - below) / f64::from(above - below);
    (coarse + (fine - coarse) * part).round().clamp(1.0, 255.0) as u8
}

#[cfg(not(feature = "rav1e"))]
impl<S> Encoder<S> for Rav1e {
    fn still(_: &Planes<S>, _: Wish) -> Result<Vec<u8>, Error> {
        Err(Error::Impossible("this build has no rav1e".into()))
    }
}

#[cfg(feature = "rav1e")]
mod built {
    use super::*;
    use crate::encode::avif::planes::Subsampling;

    impl Encoder<u8> for Rav1e {
        fn still(planes: &Planes<u8>, wish: Wish) -> Result<Vec<u8>, Error> {
            av1::eight(lent(planes)?, settings(wish)).map_err(|error| failed(&error))
        }
    }

    impl Encoder<u16> for Rav1e {
        fn still(planes: &Planes<u16>, wish: Wish) -> Result<Vec<u8>, Error> {
            av1::ten(lent(planes)?, settings(wish)).map_err(|error| failed(&error))
        }
    }

    fn settings(wish: Wish) -> av1::Settings {
        let Speed { preset, quick, .. } = KNOWN.speed(wish.effort);
        av1::Settings { quantizer: quantizer(wish.quality, quick), speed: preset }
    }

    /// # Errors
    /// [`Error::Internal`] for planes of a picture without loss.
    fn lent<S>(planes: &Planes<S>) -> Result<av1::Planes<'_, S>, Error> {
        let sampling = match planes.subsampling {
            Subsampling::Monochrome => av1::Chroma::None,
            Subsampling::Half => av1::Chroma::Half,
            Subsampling::Full => av1::Chroma::Full,
            Subsampling::Identity => return Err(Error::Internal("rav1e has no lossless mode".into())),
        };
        let Planes { width, height, ref luma, ref chroma, .. } = *planes;
        Ok(av1::Planes { width, height, sampling, luma, chroma: [&chroma[0], &chroma[1]] })
    }

    fn failed(error: &av1::Error) -> Error {
        Error::Internal(error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::quantizer;

    #[test]
    fn the_dial_falls_from_coarse_to_fine() {
        for quick in [true, false] {
            let all: Vec<u8> = (1..=100).map(|quality| quantizer(quality, quick)).collect();
            assert!(all.is_sorted_by(|a, b| a >= b), "{all:?}");
            assert_eq!((quantizer(0, quick), quantizer(100, quick), quantizer(200, quick)), (all[0], 1, 1));
        }
        assert_eq!([quantizer(60, true), quantizer(60, false), quantizer(90, true)], [127, 137, 65]);
    }
}
