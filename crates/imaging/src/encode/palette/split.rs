//! Chooses the colours of a palette: the box with the largest squared error is cut where that shrinks the error most
//! (Wu, "Efficient statistical computations for optimal color quantization", 1991), then a few rounds of k-means
//! (Lloyd) move the colours to the middle of what is nearest to them.

use super::Point;
use super::histogram::Colour;
use super::map::Nearest;
use crate::error::Error;
use crate::limits::Watch;

/// Rounds of k-means: the second one still moves colours visibly, later ones hardly.
const ROUNDS: usize = 3;

/// A run of the colours, and what its mean leaves wrong.
struct Cluster {
    from: usize,
    to: usize,
    mean: Point,
    /// Weighted sum of squared distances from the mean.
    error: f64,
    /// The axis along which that is most.
    axis: usize,
}

/// At most `most` points (at least 1), fewer when the root of the mean squared error is within `tolerance`.
pub(super) fn choose(colours: &mut [Colour], most: usize, tolerance: f32, watch: &Watch) -> Result<Vec<Point>, Error> {
    let total: f64 = colours.iter().map(|c| f64::from(c.weight)).sum();
    let enough = f64::from(tolerance) * f64::from(tolerance) * total;
    let mut clusters = vec![Cluster::of(colours, 0, colours.len())];
    while clusters.len() < most {
        watch.check()?;
        if clusters.iter().map(|c| c.error).sum::<f64>() <= enough {
            break;
        }
        let worst = (0..clusters.len()).filter(|&i| clusters[i].to - clusters[i].from > 1);
        let Some(worst) = worst.max_by(|&a, &b| clusters[a].error.total_cmp(&clusters[b].error)) else { break };
        let Cluster { from, to, axis, error, .. } = clusters[worst];
        if error <= 0.0 {
            break;
        }
        let middle = from + cut(&mut colours[from..to], axis);
        clusters[worst] = Cluster::of(colours, from, middle);
        clusters.push(Cluster::of(colours, middle, to));
    }
    let mut points: Vec<Point> = clusters.iter().map(|c| c.mean).collect();
    for _ in 0..ROUNDS {
        watch.check()?;
        refine(colours, &mut points);
    }
    Ok(points)
}

impl Cluster {
    fn of(colours: &[Colour], from: usize, to: usize) -> Self {
        let (mut weight, mut sum, mut squares) = (0.0f64, [0.0f64; 4], [0.0f64; 4]);
        for colour in &colours[from..to] {
            let share = f64::from(colour.weight);
            weight += share;
            for axis in 0..4 {
                let value = f64::from(colour.point[axis]);
                sum[axis] += share * value;
                squares[axis] += share * value * value;
            }
        }
        let weight = weight.max(f64::MIN_POSITIVE);
        let spread: [f64; 4] = std::array::from_fn(|axis| (squares[axis] - sum[axis] * sum[axis] / weight).max(0.0));
        let axis = (0..4).max_by(|&a, &b| spread[a].total_cmp(&spread[b])).unwrap_or(0);
        let mean = std::array::from_fn(|axis| (sum[axis] / weight) as f32);
        Self { from, to, mean, error: spread.iter().sum(), axis }
    }
}

/// Sorts along the axis and returns where the second part begins: neither part is empty, and the sum of both parts'
/// errors along the axis is least.
fn cut(colours: &mut [Colour], axis: usize) -> usize {
    colours.sort_unstable_by(|a, b| a.point[axis].total_cmp(&b.point[axis]));
    let moment = |c: &Colour| f64::from(c.weight) * f64::from(c.point[axis]);
    let (all_weight, all_moment) =
        colours.iter().fold((0.0, 0.0), |(w, m), c| (w + f64::from(c.weight), m + moment(c)));
    let (mut weight, mut sum) = (0.0, 0.0);
    let (mut best, mut at) = (f64::MIN, 1);
    for (index, colour) in colours.iter().enumerate().take(colours.len().saturating_sub(1)) {
        weight += f64::from(colour.weight);
        sum += moment(colour);
        let (rest, others) = (all_weight - weight, all_moment - sum);
        // Least error inside the parts is most between them.
        let between = sum * sum / weight.max(f64::MIN_POSITIVE) + others * others / rest.max(f64::MIN_POSITIVE);
        if between > best {
            (best, at) = (between, index + 1);
        }
    }
    at
}

/// One round: each colour goes to its nearest point, each point to the mean of its colours.
fn refine(colours: &[Colour], points: &mut [Point]) {
    let nearest = Nearest::new(points);
    let mut sums = vec![([0.0f64; 4], 0.0f64); points.len()];
    for colour in colours {
        let (sum, weight) = &mut sums[nearest.of(colour.point)];
        *weight += f64::from(colour.weight);
        for (total, value) in sum.iter_mut().zip(colour.point) {
            *total += f64::from(colour.weight) * f64::from(value);
        }
    }
    for (point, (sum, weight)) in points.iter_mut().zip(sums) {
        if weight > 0.0 {
            *point = sum.map(|total| (total / weight) as f32);
        }
    }
}
