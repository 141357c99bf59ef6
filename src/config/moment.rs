//! A moment as people write it in a config: `2026-11-30`, `2026-11-30T18:00:00Z`, with any offset (RFC 3339).
//!
//! Knows no clock. Invariant: what is no moment of the calendar is an error, not the next one.

use std::fmt;
use std::str::FromStr;

/// Seconds since 1970, UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment(u64);

impl Moment {
    /// Unix seconds.
    pub const fn seconds(self) -> u64 {
        self.0
    }
}

/// What is written instead of a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoMoment;

impl fmt::Display for NoMoment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("is a moment as 2026-11-30 or 2026-11-30T18:00:00Z, after 1970")
    }
}

impl FromStr for Moment {
    type Err = NoMoment;

    fn from_str(text: &str) -> Result<Self, NoMoment> {
        parse(text.as_bytes()).map(Self).ok_or(NoMoment)
    }
}

fn parse(text: &[u8]) -> Option<u64> {
    let (date, time) = (text.get(..10)?, text.get(10..)?);
    let (year, month, day) = (number(date, 0..4)?, number(date, 5..7)?, number(date, 8..10)?);
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let lengths = [31, if leap { 29 } else { 28 }, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let length = *lengths.get(usize::try_from(month).ok()?.checked_sub(1)?)?;
    if date.get(4) != Some(&b'-') || date.get(7) != Some(&b'-') || !(1..=length).contains(&day) {
        return None;
    }
    let before: i64 = lengths.iter().take(usize::try_from(month - 1).ok()?).sum();
    let years = year - 1;
    let days = years * 365 + years / 4 - years / 100 + years / 400 + before + day - 1;
    // Days from the first of January of the year 1 to that of 1970.
    let midnight = (days - 719_162) * 86_400;
    u64::try_from(midnight + of_day(time)?).ok()
}

/// Seconds of `T18:00:00+01:00`, less the offset; midnight where nothing is said.
fn of_day(text: &[u8]) -> Option<i64> {
    let Some((mark, rest)) = text.split_first() else { return Some(0) };
    let clock = rest.get(..8)?;
    let (hour, minute, second) = (number(clock, 0..2)?, number(clock, 3..5)?, number(clock, 6..8)?);
    let colons = clock.get(2) == Some(&b':') && clock.get(5) == Some(&b':');
    if !matches!(mark, b'T' | b't' | b' ') || !colons || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    Some(hour * 3600 + minute * 60 + second - offset(rest.get(8..)?)?)
}

fn offset(text: &[u8]) -> Option<i64> {
    match text {
        b"Z" | b"z" => Some(0),
        [sign @ (b'+' | b'-'), clock @ ..] if clock.len() == 5 && clock.get(2) == Some(&b':') => {
            let (hour, minute) = (number(clock, 0..2)?, number(clock, 3..5)?);
            let seconds = (hour <= 23 && minute <= 59).then_some(hour * 3600 + minute * 60)?;
            Some(if *sign == b'-' { -seconds } else { seconds })
        }
        _ => None,
    }
}

fn number(text: &[u8], range: std::ops::Range<usize>) -> Option<i64> {
    let digits = text.get(range)?;
    digits.iter().try_fold(0, |sum, byte| byte.is_ascii_digit().then(|| sum * 10 + i64::from(byte - b'0')))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(text: &str) -> Option<u64> {
        text.parse().map(Moment::seconds).ok()
    }

    #[test]
    fn moments_of_the_calendar() {
        for (text, expected) in [
            ("1970-01-01", 0),
            ("2000-02-29", 951_782_400),
            ("2026-11-22T06:08:36Z", 1_795_327_716),
            ("2026-11-22t07:08:36+01:00", 1_795_327_716),
            ("2026-11-22 00:38:36-05:30", 1_795_327_716),
            ("2100-03-01T00:00:00Z", 4_107_542_400),
            ("9999-12-31T23:59:59Z", 253_402_300_799),
        ] {
            assert_eq!(seconds(text), Some(expected), "{text}");
        }
    }

    #[test]
    fn anything_else_is_none() {
        for text in [
            "",
            "2026",
            "2026-13-01",
            "2026-00-01",
            "2026-02-29",
            "2100-02-29",
            "2026-01-00",
            "2026-01-32",
            "1969-12-31",
            "2026-1-01",
            "2026/01/01",
            "2026-01-01T24:00:00Z",
            "2026-01-01T00:00:00",
            "2026-01-01T00:00Z",
            "2026-01-01T00:00:00+1:00",
            "2026-01-01T00:00:00.5Z",
            "+026-01-01",
            "2026-01-01Z",
            "zwei-tau-se",
            "2026-01-01T00:00:00+24:00",
            "2026-01-01T00:00:60Z",
        ] {
            assert_eq!(seconds(text), None, "{text}");
        }
    }
}
