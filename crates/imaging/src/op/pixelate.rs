//! `pixelate`: blocks of one colour, the mean of what they cover, counted from the top left corner. Transparent pixels
//! have no say in the colour. It hides nothing for good: what must not be read is `redact`'s.

use super::Operation;
use crate::bitmap::{Bitmap, Layout};
use crate::error::Error;
use crate::limits::Watch;
use crate::scratch::Scratch;

/// Blocks at the right and the bottom may be cut off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pixelate {
    /// Pixels, at least 1.
    pub side: u32,
}

impl Operation for Pixelate {
    fn name(&self) -> &'static str {
        "pixelate"
    }

    fn apply(&self, mut bitmap: Bitmap, watch: &Watch, _scratch: &mut Scratch) -> Result<Bitmap, Error> {
        let side = self.side as usize;
        let stride = bitmap.width() as usize * bitmap.layout().channels();
        let layout = bitmap.layout();
        for band in bitmap.pixels_mut().chunks_mut(stride * side) {
            watch.check()?;
            match layout {
                Layout::Gray => even_out::<1>(band, stride, side),
                Layout::Rgb => even_out::<3>(band, stride, side),
                Layout::Rgba => even_out::<4>(band, stride, side),
            }
        }
        Ok(bitmap)
    }
}

/// One row of blocks.
fn even_out<const N: usize>(band: &mut [u8], stride: usize, side: usize) {
    let blocks = (stride / N).div_ceil(side);
    // A block has at most 1024 × 1024 pixels of 255 × 255.
    let mut sums = vec![[0u64; N]; blocks];
    let mut counts = vec![0u64; blocks];
    for row in band.chunks_exact(stride) {
        for ((block, sum), count) in row.as_chunks::<N>().0.chunks(side).zip(&mut sums).zip(&mut counts) {
            *count += block.len() as u64;
            for pixel in block {
                let weight = if N == 4 { u64::from(pixel[N - 1]) } else { 1 };
                for channel in 0..N {
                    let is_alpha = N == 4 && channel == N - 1;
                    sum[channel] += u64::from(pixel[channel]) * if is_alpha { 1 } else { weight };
                }
            }
        }
    }
    let means: Vec<[u8; N]> = sums.iter().zip(&counts).map(|(sum, &count)| mean(sum, count)).collect();
    for row in band.chunks_exact_mut(stride) {
        for (block, mean) in row.as_chunks_mut::<N>().0.chunks_mut(side).zip(&means) {
            block.fill(*mean);
        }
    }
}

fn mean<const N: usize>(sum: &[u64; N], count: u64) -> [u8; N] {
    let weight = if N == 4 { sum[N - 1] } else { count };
    std::array::from_fn(|channel| {
        let by = if N == 4 && channel == N - 1 { count } else { weight };
        // Without any alpha there is no colour.
        (sum[channel] + by / 2).checked_div(by).unwrap_or(0) as u8
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_have_their_mean() {
        let bitmap = Bitmap::new(5, 2, Layout::Gray, vec![0, 10, 20, 30, 7, 20, 30, 40, 50, 9]);
        let result = Pixelate { side: 2 }.apply(bitmap, &Watch::new(), &mut Scratch::new(0)).expect("pixelated");
        assert_eq!(result.pixels(), [15, 15, 35, 35, 8, 15, 15, 35, 35, 8]);
    }

    #[test]
    fn what_nobody_sees_has_no_say() {
        let bitmap = Bitmap::new(2, 1, Layout::Rgba, vec![0, 255, 0, 0, 200, 10, 30, 100]);
        let result = Pixelate { side: 9 }.apply(bitmap, &Watch::new(), &mut Scratch::new(0)).expect("pixelated");
        assert_eq!(result.pixels(), [200, 10, 30, 50, 200, 10, 30, 50]);
        let clear = Bitmap::new(2, 1, Layout::Rgba, vec![9, 9, 9, 0, 9, 9, 9, 0]);
        let result = Pixelate { side: 2 }.apply(clear, &Watch::new(), &mut Scratch::new(0)).expect("pixelated");
        assert_eq!(result.pixels(), [0; 8]);
    }
}
