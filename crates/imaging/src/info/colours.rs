//! Average, dominant colour and palette of a picture, by a small copy: what is transparent has no colour.

use super::small::Small;
use crate::bitmap::{Bitmap, Layout};
use crate::encode::palette::{Alpha, Wish, quantise};
use crate::error::Error;
use crate::limits::Watch;

/// Colours of a palette, at most.
const PALETTE: usize = 8;

/// What is told.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Colours {
    pub(super) average: [u8; 3],
    /// With the share of the picture that each comes closest to, 0–1, the largest share first.
    pub(super) palette: Vec<([u8; 3], f64)>,
}

/// Looks at a small copy.
///
/// # Errors
/// What `watch` says.
pub(super) fn of(small: &Small, watch: &Watch) -> Result<Colours, Error> {
    let pixels = small.opaque();
    let count = pixels.len() / 3;
    let (triples, _) = pixels.as_chunks::<3>();
    let sums = triples.iter().fold([0_u64; 3], |sums, pixel| std::array::from_fn(|at| sums[at] + u64::from(pixel[at])));
    let average = sums.map(|sum| ((sum + count as u64 / 2) / count.max(1) as u64) as u8);
    // One row of all pixels: where they lay does not matter, and there are at most 10,000.
    let row = Bitmap::new(count as u32, 1, Layout::Rgb, pixels.clone());
    let wish = Wish { colours: PALETTE, quality: 99, alpha: Alpha::Bit };
    let chosen: Vec<[u8; 3]> =
        quantise(&row, wish, watch)?.palette.colours.iter().map(|&[red, green, blue, _]| [red, green, blue]).collect();
    let mut shares = vec![0_u32; chosen.len()];
    for pixel in triples {
        let nearest = (0..chosen.len()).min_by_key(|&at| distance(chosen[at], *pixel)).unwrap_or(0);
        if let Some(share) = shares.get_mut(nearest) {
            *share += 1;
        }
    }
    let mut palette: Vec<_> = chosen.into_iter().zip(shares).filter(|(_, share)| *share > 0).collect();
    palette.sort_by_key(|&(colour, share)| (std::cmp::Reverse(share), colour));
    Ok(Colours {
        average,
        palette: palette.into_iter().map(|(colour, share)| (colour, f64::from(share) / count as f64)).collect(),
    })
}

fn distance(one: [u8; 3], other: [u8; 3]) -> u32 {
    let square = |at: usize| u32::from(one[at].abs_diff(other[at])).pow(2);
    2 * square(0) + 4 * square(1) + square(2)
}

#[cfg(test)]
mod tests {
    use super::of;
    use crate::bitmap::{Bitmap, Layout};
    use crate::info::small::within;
    use crate::limits::Watch;

    #[test]
    fn the_largest_share_comes_first_and_transparency_does_not_count() {
        let pixels = (0..40 * 10)
            .flat_map(|at| match at % 40 {
                0..20 => [0, 0, 0, 0],
                20..35 => [200, 30, 40, 255],
                _ => [10, 20, 250, 255],
            })
            .collect();
        let colours = of(&within(&Bitmap::new(40, 10, Layout::Rgba, pixels), 100), &Watch::new()).expect("colours");
        assert_eq!(colours.palette, [([200, 30, 40], 0.75), ([10, 20, 250], 0.25)]);
        assert_eq!(colours.average, [153, 28, 93]);
    }
}
