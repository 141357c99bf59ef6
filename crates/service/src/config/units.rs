//! Durations and sizes as people write them: `150ms`, `1h30m`, `512MiB`, `2GB`.
//!
//! Invariant: what `format_*` writes, `parse_*` reads back to the same value; overflow is an error, never a wrap.

use std::time::Duration;

const DURATIONS: [(&str, u64); 7] = [
    ("ns", 1),
    ("us", 1_000),
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("m", 60_000_000_000),
    ("h", 3_600_000_000_000),
    ("d", 86_400_000_000_000),
];

const SIZES: [(&str, u64); 9] = [
    ("B", 1),
    ("KB", 1_000),
    ("MB", 1_000_000),
    ("GB", 1_000_000_000),
    ("TB", 1_000_000_000_000),
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
    ("TiB", 1 << 40),
];

/// How a duration may be written; for error texts.
pub(crate) const DURATION_FORM: &str =
    "a number with a unit (ns, us, ms, s, m, h, d), such as \"150ms\", \"10s\" or \"1h30m\"";

/// How a size may be written; for error texts.
pub(crate) const SIZE_FORM: &str =
    "bytes, as a number or with a unit (B, KB, MB, GB, TB, KiB, MiB, GiB, TiB), such as \"512MiB\"";

/// Reads `10s`, `1.5h`, `1h30m`, `0`. `None` for anything else, and for what exceeds 584 years.
pub fn parse_duration(text: &str) -> Option<Duration> {
    let mut rest = text.trim();
    if rest == "0" {
        return Some(Duration::ZERO);
    }
    if rest.is_empty() {
        return None;
    }
    let mut total: u64 = 0;
    while !rest.is_empty() {
        let (number, after) = split_number(rest)?;
        let end = after.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(after.len());
        let (unit, after) = after.split_at_checked(end)?;
        let factor = DURATIONS.iter().find(|(name, _)| *name == unit)?.1;
        total = total.checked_add(scale(number, factor)?)?;
        rest = after.trim_start();
    }
    Some(Duration::from_nanos(total))
}

/// Reads `1048576`, `512MiB`, `1.5 GB`; units in any case. `None` for anything else, and for what overflows 64 bits.
pub fn parse_bytes(text: &str) -> Option<u64> {
    let (number, unit) = split_number(text.trim())?;
    let unit = unit.trim_start();
    if unit.is_empty() {
        return number.parse().ok();
    }
    let factor = SIZES.iter().find(|(name, _)| name.eq_ignore_ascii_case(unit))?.1;
    scale(number, factor)
}

/// Writes a duration in the largest unit that divides it: `90m`, `10s`, `0s`.
pub fn format_duration(value: Duration) -> String {
    let nanos = value.as_nanos();
    if nanos == 0 {
        return "0s".into();
    }
    let (unit, factor) = largest(&DURATIONS, nanos);
    format!("{}{unit}", nanos / u128::from(factor))
}

/// Writes a size in the largest unit that divides it: `512MiB`, `2GB`, `7B`.
pub fn format_bytes(value: u64) -> String {
    if value == 0 {
        return "0B".into();
    }
    let (unit, factor) = largest(&SIZES, u128::from(value));
    format!("{}{unit}", value / factor)
}

fn largest(units: &[(&'static str, u64)], value: u128) -> (&'static str, u64) {
    let dividing = units.iter().filter(|(_, factor)| value.is_multiple_of(u128::from(*factor)));
    dividing.max_by_key(|(_, factor)| *factor).copied().unwrap_or(("", 1))
}

fn split_number(text: &str) -> Option<(&str, &str)> {
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, rest) = text.split_at_checked(end)?;
    (!number.is_empty()).then_some((number, rest))
}

/// `number × factor` exactly, for a decimal number; `None` where that is no whole number or does not fit.
fn scale(number: &str, factor: u64) -> Option<u64> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
    let digits = u32::try_from(fraction.len()).ok().filter(|n| (1..=12).contains(n))?;
    let divisor = 10_u128.pow(digits);
    let part = fraction.parse::<u128>().ok()?.checked_mul(u128::from(factor))?;
    if !part.is_multiple_of(divisor) {
        return None;
    }
    let whole = whole.parse::<u128>().ok()?.checked_mul(u128::from(factor))?;
    u64::try_from(whole.checked_add(part / divisor)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn durations_are_read_as_people_write_them() {
        for (text, nanos) in [
            ("0", 0),
            ("10s", 10_000_000_000),
            ("150ms", 150_000_000),
            ("1h30m", 5_400_000_000_000),
            ("1h 30m", 5_400_000_000_000),
            ("1.5s", 1_500_000_000),
            ("7us", 7_000),
        ] {
            assert_eq!(parse_duration(text), Some(Duration::from_nanos(nanos)), "{text}");
        }
        for text in ["", "10", "s", "-1s", "1 fortnight", "1.5ns", "1..5s", ".5s", "5.s", "99999999999d", "1é"] {
            assert_eq!(parse_duration(text), None, "{text}");
        }
    }

    #[test]
    fn sizes_are_read_as_people_write_them() {
        for (text, bytes) in
            [("0", 0), ("7", 7), ("512MiB", 512 << 20), ("512 mib", 512 << 20), ("1.5GB", 1_500_000_000), ("2KB", 2000)]
        {
            assert_eq!(parse_bytes(text), Some(bytes), "{text}");
        }
        for text in ["", "MiB", "-1", "1.5B", "1.5", "20000000TiB", "1MiBs", "0x10", "1é"] {
            assert_eq!(parse_bytes(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(value in any::<u64>(), shift in 0_u32..64) {
            let value = value >> shift;
            prop_assert_eq!(parse_bytes(&format_bytes(value)), Some(value));
            let duration = Duration::from_nanos(value);
            prop_assert_eq!(parse_duration(&format_duration(duration)), Some(duration));
        }

        #[test]
        fn no_text_panics(text in "[0-9.a-zA-Zé ]{0,40}") {
            let _ = (parse_bytes(&text), parse_duration(&text));
        }
    }
}
