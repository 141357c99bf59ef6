//! High dynamic range to the ordinary one: PQ and HLG (ITU-R BT.2100) to sRGB.
//!
//! - Light: PQ's EOTF; HLG's inverse OETF and the OOTF of a display of 1000 nits (gamma 1.2). Diffuse white is at 203
//!   nits (ITU-R BT.2408), so that is what 255 shows.
//! - Range: the EETF of ITU-R BT.2390-11, 5.4.1 from 1000 to 203 nits, on the largest of the three components; the other
//!   two keep their ratio to it, so hues stay. Up to about 90 nits nothing changes.
//! - Gamut: a matrix in linear light to BT.709's primaries; what lies outside is clipped.
//!
//! It works on 12-bit values, which is what PQ was made for, before anything is rounded to 8 bits. All curves are tables.

use super::curve;

/// The largest value that goes in.
pub(crate) const MAX: u16 = 4095;
const LEVELS: usize = MAX as usize + 1;
/// Nits of diffuse white, of the brightest light that is told apart, and of PQ's end.
const WHITE: f64 = 203.0;
const PEAK: f64 = 1000.0;
const PQ_END: f64 = 10_000.0;
/// Steps of the tables that are looked up by light.
const STEPS: usize = 4096;

/// The transfer characteristics of ITU-T H.273 that mean high dynamic range.
pub(crate) const PQ: u8 = 16;
pub(crate) const HLG: u8 = 18;

/// The way of one picture.
#[derive(Clone)]
pub(crate) struct ToneMap {
    /// Light of each value: nits (PQ), or scene light of 0–1 (HLG).
    light: Vec<f32>,
    /// HLG's system gamma: what light is multiplied by, by the square root of the scene's luminance.
    system: Option<Vec<f32>>,
    /// Weights of luminance in the picture's primaries.
    luma: [f32; 3],
    /// What light is multiplied by, by the square root of the largest component's part of PQ's end; 1 is white then.
    range: Vec<f32>,
    /// To BT.709's primaries.
    matrix: [[f32; 3]; 3],
    /// sRGB's curve, by the square root of light.
    srgb: Vec<u8>,
}

impl std::fmt::Debug for ToneMap {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ToneMap({})", if self.system.is_some() { "HLG" } else { "PQ" })
    }
}

impl ToneMap {
    /// `None` for transfers of ordinary range.
    pub(crate) fn new(primaries: u8, transfer: u8) -> Option<Self> {
        let value = |i: usize| i as f64 / f64::from(MAX);
        let light: Vec<f32> = match transfer {
            PQ => (0..LEVELS).map(|i| (PQ_END * pq_light(value(i))) as f32).collect(),
            HLG => (0..LEVELS).map(|i| hlg_light(value(i)) as f32).collect(),
            _ => return None,
        };
        let (to_xyz, luma) = match primaries {
            // BT.709, as HDR files of ordinary gamut have it.
            1 => (BT709, [0.2126, 0.7152, 0.0722]),
            12 => (P3, [0.229, 0.6917, 0.0793]),
            // BT.2020: also what is meant where nothing is said.
            _ => (BT2020, [0.2627, 0.678, 0.0593]),
        };
        // Peak of 1000 nits at a luminance of 1.
        let gain = |luminance: f64| (PEAK * luminance.max(1e-6).powf(0.2)) as f32;
        let steps = |of: &dyn Fn(f64) -> f64| (0..=STEPS).map(|i| of((i as f64 / STEPS as f64).powi(2))).collect();
        let range: Vec<f64> = steps(&|part| {
            let nits = (part * PQ_END).max(1e-4);
            compressed(nits) / nits / WHITE
        });
        Some(Self {
            light,
            system: (transfer == HLG).then(|| (0..=STEPS).map(|i| gain((i as f64 / STEPS as f64).powi(2))).collect()),
            luma,
            range: range.into_iter().map(|value| value as f32).collect(),
            matrix: to_xyz,
            srgb: (0..=STEPS).map(|i| srgb((i as f64 / STEPS as f64).powi(2))).collect(),
        })
    }

    /// One pixel: values of 0 to [`MAX`] to sRGB.
    pub(crate) fn map(&self, values: [u16; 3]) -> [u8; 3] {
        let mut light = values.map(|value| self.light.get(usize::from(value)).copied().unwrap_or(0.0));
        if let Some(system) = &self.system {
            let luminance = light.iter().zip(self.luma).map(|(light, weight)| light * weight).sum::<f32>();
            let gain = at(system, luminance.sqrt());
            light = light.map(|component| component * gain);
        }
        let largest = light[0].max(light[1]).max(light[2]);
        let factor = at(&self.range, (largest / PQ_END as f32).sqrt());
        let light = light.map(|component| component * factor);
        self.matrix.map(|[r, g, b]| {
            let part = (r * light[0] + g * light[1] + b * light[2]).clamp(0.0, 1.0);
            let index = (part.sqrt() * STEPS as f32 + 0.5) as usize;
            self.srgb.get(index).copied().unwrap_or(u8::MAX)
        })
    }

    /// A gray value.
    pub(crate) fn map_gray(&self, value: u16) -> u8 {
        let [_, green, _] = self.map([value; 3]);
        green
    }
}

/// Between the two nearest entries, `x` from 0 to 1 over the table.
fn at(table: &[f32], x: f32) -> f32 {
    let place = x.clamp(0.0, 1.0) * STEPS as f32;
    let index = (place as usize).min(STEPS - 1);
    let (low, high) = (table.get(index).copied().unwrap_or(0.0), table.get(index + 1).copied().unwrap_or(0.0));
    low + (high - low) * (place - index as f32)
}

// Linear light of other primaries to BT.709's, D65 throughout (from the chromaticities of H.273).
const BT709: [[f32; 3]; 3] = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]];
const BT2020: [[f32; 3]; 3] =
    [[1.660_491, -0.587_641, -0.072_85], [-0.124_55, 1.132_9, -0.008_349], [-0.018_151, -0.100_579, 1.118_73]];
const P3: [[f32; 3]; 3] =
    [[1.224_94, -0.224_94, 0.0], [-0.042_057, 1.042_057, 0.0], [-0.019_638, -0.078_636, 1.098_274]];

// BT.2100 table 4.
const M1: f64 = 2610.0 / 16_384.0;
const M2: f64 = 2523.0 / 4096.0 * 128.0;
const C1: f64 = 3424.0 / 4096.0;
const C2: f64 = 2413.0 / 4096.0 * 32.0;
const C3: f64 = 2392.0 / 4096.0 * 32.0;

/// PQ's EOTF: part of 10,000 nits.
fn pq_light(value: f64) -> f64 {
    let power = value.powf(1.0 / M2);
    ((power - C1).max(0.0) / (C2 - C3 * power)).powf(1.0 / M1)
}

/// The inverse.
fn pq_value(light: f64) -> f64 {
    let power = light.powf(M1);
    ((C1 + C2 * power) / (1.0 + C3 * power)).powf(M2)
}

/// HLG's inverse OETF (BT.2100 table 5): scene light of 0–1.
fn hlg_light(value: f64) -> f64 {
    const A: f64 = 0.178_832_77;
    const B: f64 = 0.284_668_92;
    const C: f64 = 0.559_910_73;
    if value <= 0.5 { value * value / 3.0 } else { (((value - C) / A).exp() + B) / 12.0 }
}

/// BT.2390-11, 5.4.1, without raised black: nits to nits of 0 to [`WHITE`].
fn compressed(nits: f64) -> f64 {
    let end = pq_value(PEAK / PQ_END);
    let source = (pq_value(nits / PQ_END) / end).min(1.0);
    let most = pq_value(WHITE / PQ_END) / end;
    let knee = 1.5 * most - 0.5;
    let value = if source < knee {
        source
    } else {
        let t = (source - knee) / (1.0 - knee);
        let (t2, t3) = (t * t, t * t * t);
        (2.0 * t3 - 3.0 * t2 + 1.0) * knee + (t3 - 2.0 * t2 + t) * (1.0 - knee) + (-2.0 * t3 + 3.0 * t2) * most
    };
    pq_light(value * end) * PQ_END
}

/// IEC 61966-2-1, rounded.
fn srgb(light: f64) -> u8 {
    (curve::of_light(light) * 255.0).round() as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pq(nits: f64) -> u16 {
        (pq_value(nits / PQ_END) * f64::from(MAX)).round() as u16
    }

    #[test]
    fn pq_has_the_values_of_the_recommendation() {
        // BT.2408 table 1: 203 nits are 58 %, 1000 nits 75 %.
        assert!((pq_value(203.0 / PQ_END) - 0.5807).abs() < 1e-3);
        assert!((pq_value(0.1) - 0.7518).abs() < 1e-3);
        assert!((pq_light(pq_value(0.02)) - 0.02).abs() < 1e-9);
        // HLG's reference white of 75 % shows 203 nits on a display of 1000.
        assert!((1000.0 * hlg_light(0.75).powf(1.2) - 203.0).abs() < 1.0);
    }

    #[test]
    fn dark_and_middle_tones_stay_and_light_is_compressed() {
        let tone = ToneMap::new(1, PQ).expect("PQ");
        for nits in [0.0, 1.0, 10.0, 50.0, 85.0] {
            let (got, exact) = (tone.map_gray(pq(nits)), srgb(nits / WHITE));
            assert!(got.abs_diff(exact) <= 1, "{nits}: {got} {exact}");
        }
        let white = tone.map_gray(pq(203.0));
        assert!((205..245).contains(&white), "{white}");
        assert_eq!((tone.map_gray(pq(1000.0)), tone.map_gray(MAX)), (255, 255));
        let levels: Vec<u8> = (0..=MAX).map(|value| tone.map_gray(value)).collect();
        assert!(levels.is_sorted());
    }

    #[test]
    fn hlg_is_shown_as_on_its_display() {
        let tone = ToneMap::new(9, HLG).expect("HLG");
        let value = |part: f64| (part * f64::from(MAX)).round() as u16;
        let like_pq = ToneMap::new(9, PQ).expect("PQ").map_gray(pq(203.0));
        assert!(tone.map_gray(value(0.75)).abs_diff(like_pq) <= 1);
        assert_eq!((tone.map_gray(0), tone.map_gray(MAX)), (0, 255));
    }

    #[test]
    fn neutral_stays_neutral_and_primaries_leave_the_gamut() {
        for primaries in [1, 9, 12] {
            let tone = ToneMap::new(primaries, PQ).expect("PQ");
            for value in (0..=MAX).step_by(63) {
                let [r, g, b] = tone.map([value; 3]);
                assert!(r.abs_diff(g) <= 1 && g.abs_diff(b) <= 1, "{primaries} {value}: {r} {g} {b}");
            }
        }
        let red = ToneMap::new(9, PQ).expect("PQ").map([pq(100.0), 0, 0]);
        assert!(red[0] > 200 && red[1] == 0 && red[2] == 0, "{red:?}");
        assert!(ToneMap::new(9, 13).is_none());
    }
}
