//! `g=smart`: what stands out. Each cell of the small copy is scored by its edges, by how near its colour is to that of
//! skin (of any shade: the direction of the colour counts, not its brightness), and by its saturation; the window that
//! holds the highest sum wins, cells in its middle counting twice as much as those at its ends.

use super::small::Small;

/// What an edge from black to white is worth against a cell of skin.
const EDGES: f32 = 1.0;
const SKIN: f32 = 1.2;
const SATURATION: f32 = 0.3;
/// The direction of skin in RGB, of length 1.
const SKIN_COLOUR: [f32; 3] = [0.735, 0.537, 0.414];
/// The cosine from which a colour counts as skin.
const SKIN_FROM: f32 = 0.975;
/// Luma between which a colour is told apart.
const SEEN: std::ops::RangeInclusive<f32> = 40.0..=245.0;

/// The middle of the best window that is `kept` (in fractions) of the picture, in fractions.
pub(super) fn focus(small: &Small, kept: (f64, f64)) -> (f64, f64) {
    let mut columns = vec![0.0; small.width];
    let mut rows = vec![0.0; small.height];
    for (y, row) in rows.iter_mut().enumerate() {
        for (x, column) in columns.iter_mut().enumerate() {
            let score = score(small, x as isize, y as isize);
            *column += score;
            *row += score;
        }
    }
    (best(&columns, kept.0), best(&rows, kept.1))
}

fn score(small: &Small, x: isize, y: isize) -> f32 {
    let luma = small.luma(x, y);
    let around = small.luma(x - 1, y) + small.luma(x + 1, y) + small.luma(x, y - 1) + small.luma(x, y + 1);
    let edge = ((4.0 * luma - around).abs() / 510.0).min(1.0);
    let [r, g, b] = small.cell(x, y);
    if !SEEN.contains(&luma) {
        return edge * EDGES;
    }
    let length = (r * r + g * g + b * b).sqrt().max(1.0);
    let cosine = (r * SKIN_COLOUR[0] + g * SKIN_COLOUR[1] + b * SKIN_COLOUR[2]) / length;
    let skin = ((cosine - SKIN_FROM) / (1.0 - SKIN_FROM)).clamp(0.0, 1.0);
    let (most, least) = (r.max(g).max(b), r.min(g).min(b));
    let saturation = (most - least) / most.max(1.0);
    edge * EDGES + skin * saturation * SKIN + (saturation - 0.4).max(0.0) * SATURATION
}

/// Along one axis. Of windows as good as each other the one nearest to the middle wins.
fn best(scores: &[f32], kept: f64) -> f64 {
    let cells = scores.len();
    let length = ((kept * cells as f64).round() as usize).clamp(1, cells);
    let room = cells - length;
    // What all windows have in common tells nothing: without it small differences in a busy picture count.
    let least = scores.iter().copied().fold(f32::INFINITY, f32::min);
    let sum = |start: usize| -> f32 {
        let half = length as f32 / 2.0;
        let weigh = |i: usize| 1.0 - 0.5 * ((i as f32 + 0.5 - half) / half).powi(2);
        scores[start..start + length].iter().enumerate().map(|(i, score)| (score - least) * weigh(i)).sum()
    };
    let middle = room / 2;
    let mut starts: Vec<usize> = (0..=room).collect();
    starts.sort_by_key(|start| start.abs_diff(middle));
    let mut best = (middle, sum(middle));
    for start in starts {
        let sum = sum(start);
        if sum > best.1 * 1.001 + 1e-4 {
            best = (start, sum);
        }
    }
    if best.0 == middle && room % 2 == 1 {
        return 0.5;
    }
    (best.0 as f64 + length as f64 / 2.0) / cells as f64
}
