//! `max-bytes`: the highest dial whose result fits, found with few encodes. It knows bytes and dials, no pictures.

use crate::error::Error;

/// Encodes beside the first. Bytes fall smoothly with the dial, so that a guess from two of them is close.
const TRIES: u32 = 5;
/// Bytes change by this factor for a step of the dial, until two results tell better.
const STEP: f64 = 0.035;
/// A result that uses this much of what is allowed is left alone.
const ENOUGH: f64 = 0.93;

/// Lowers the dial until `encode` gives at most `most` bytes. The size of the picture is not touched: where not even dial
/// 1 fits, its result is given, the smallest that there is.
pub(super) fn shrink(
    first: Vec<u8>,
    dial: u8,
    most: usize,
    encode: impl Fn(u8) -> Result<Vec<u8>, Error>,
) -> Result<Vec<u8>, Error> {
    if first.len() <= most || dial <= 1 {
        return Ok(first);
    }
    // Too large at `above`; `fits` is the best that fits so far, with its dial.
    let mut above = (dial, first.len());
    let mut fits: Option<(u8, Vec<u8>)> = None;
    let mut slope = STEP;
    for left in (0..TRIES).rev() {
        let floor = fits.as_ref().map_or(1, |(dial, _)| dial + 1);
        if floor >= above.0 {
            break;
        }
        let excess = (above.1 as f64 / most as f64).ln() + 0.02;
        let guess = f64::from(above.0) - (excess / slope).ceil().max(1.0);
        // The last try is for the smallest, if nothing has fitted.
        let next = if left == 0 && fits.is_none() { 1 } else { (guess.max(1.0) as u8).clamp(floor, above.0 - 1) };
        let bytes = encode(next)?;
        let learnt = (above.1 as f64 / bytes.len() as f64).ln() / f64::from(above.0 - next);
        slope = learnt.clamp(STEP / 4.0, STEP * 4.0);
        if bytes.len() > most && next > 1 {
            above = (next, bytes.len());
        } else {
            // Also where not even dial 1 fits.
            let enough = bytes.len() as f64 >= ENOUGH * most as f64;
            fits = Some((next, bytes));
            if enough {
                break;
            }
        }
    }
    Ok(fits.map_or(first, |(_, bytes)| bytes))
}

#[cfg(test)]
mod tests {
    use super::shrink;
    use proptest::prelude::*;
    use std::cell::Cell;

    fn found(curve: impl Fn(u8) -> usize, dial: u8, most: usize) -> (usize, u32) {
        let count = Cell::new(0);
        let encode = |dial: u8| {
            count.set(count.get() + 1);
            Ok(vec![0; curve(dial)])
        };
        let bytes = shrink(vec![0; curve(dial)], dial, most, encode).expect("it encodes");
        (bytes.len(), count.get())
    }

    #[test]
    fn what_fits_is_left_alone() {
        assert_eq!(found(|_| 100, 80, 100), (100, 0));
    }

    #[test]
    fn where_nothing_fits_the_smallest_is_given() {
        assert_eq!(found(|dial| 1000 + usize::from(dial), 80, 10).0, 1001);
        assert_eq!(found(|dial| 1000 + usize::from(dial), 1, 10), (1001, 0));
    }

    proptest! {
        #[test]
        fn it_fits_with_few_encodes_and_little_waste(
            base in 500.0_f64..50_000.0, rate in 0.015_f64..0.06, dial in 2_u8..=100, share in 0.02_f64..1.0,
        ) {
            let curve = |dial: u8| (base * (rate * f64::from(dial)).exp()) as usize;
            let most = (curve(dial) as f64 * share) as usize;
            let (bytes, encodes) = found(curve, dial, most);
            prop_assert!(encodes <= 5);
            prop_assert!(bytes <= most || bytes == curve(1), "{bytes} of {most}");
            // On so smooth a curve little is given away.
            prop_assert!(bytes as f64 >= 0.75 * most as f64 || bytes >= curve(1) && most < curve(4) * 2, "{bytes} of {most}");
        }
    }
}
