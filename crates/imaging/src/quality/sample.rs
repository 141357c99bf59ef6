//! What stands for a large picture when it is judged: tiles from all over it, put together to one picture of bounded size.
//!
//! Tiles keep their place in the grid of 16 × 16 blocks, so that what encoders do to them is what they do to the whole.

use crate::bitmap::Bitmap;

/// Pictures up to this many pixels are judged whole.
pub(super) const WHOLE: usize = 700_000;
/// The side of a tile: as much as the coarse scales of the score need.
const TILE: usize = 256;
/// Tiles across and down.
const TILES: usize = 3;

/// The tiles, where the picture is too large to be looked at whole.
pub(super) fn of(bitmap: &Bitmap) -> Option<Bitmap> {
    let (width, height) = (bitmap.width() as usize, bitmap.height() as usize);
    if width * height <= WHOLE {
        return None;
    }
    let channels = bitmap.layout().channels();
    let (columns, rows) = (places(width), places(height));
    let tile = (TILE.min(width), TILE.min(height));
    let size = (columns.len() * tile.0, rows.len() * tile.1);
    let mut pixels = Vec::with_capacity(size.0 * size.1 * channels);
    for top in rows {
        for line in bitmap.pixels().chunks_exact(width * channels).skip(top).take(tile.1) {
            for &left in &columns {
                pixels.extend_from_slice(&line[left * channels..(left + tile.0) * channels]);
            }
        }
    }
    // Both products were made of a bitmap's sides: they fit.
    Some(Bitmap::new(size.0 as u32, size.1 as u32, bitmap.layout(), pixels))
}

/// Where tiles begin along a side: evenly, without touching each other.
fn places(side: usize) -> Vec<usize> {
    let count = (side / TILE).clamp(1, TILES);
    let spare = side.saturating_sub(count * TILE);
    (0..count).map(|at| (spare * (2 * at + 1) / (2 * count) + at * TILE) / 16 * 16).collect()
}

#[cfg(test)]
mod tests {
    use super::{of, places};
    use crate::bitmap::{Bitmap, Layout};

    #[test]
    fn small_pictures_are_looked_at_whole() {
        assert!(of(&Bitmap::new(1000, 700, Layout::Gray, vec![0; 700_000])).is_none());
    }

    #[test]
    fn tiles_stay_inside_on_the_grid_and_apart() {
        for side in [1, 255, 256, 300, 511, 512, 700, 768, 769, 1000, 4000, 65_535] {
            let places = places(side);
            assert!(places.iter().all(|at| at % 16 == 0 && at + 256.min(side) <= side), "{side}: {places:?}");
            assert!(places.windows(2).all(|two| two[1] >= two[0] + 256), "{side}: {places:?}");
        }
    }

    #[test]
    fn a_tile_shows_what_is_there() {
        let (width, height) = (1200_usize, 900_usize);
        let pixels = (0..width * height).map(|at| (at % width / 8) as u8).collect();
        let sample = of(&Bitmap::new(width as u32, height as u32, Layout::Gray, pixels)).expect("it is large");
        assert_eq!((sample.width(), sample.height()), (768, 768));
        let places = places(width);
        let expected: Vec<u8> = places.iter().flat_map(|left| (0..256).map(move |x| ((left + x) / 8) as u8)).collect();
        assert_eq!(&sample.pixels()[..768], expected);
    }

    #[test]
    fn long_strips_have_tiles_as_thin_as_they_are() {
        let sample = of(&Bitmap::new(8000, 100, Layout::Rgb, vec![7; 2_400_000])).expect("it is large");
        assert_eq!((sample.width(), sample.height()), (768, 100));
    }
}
