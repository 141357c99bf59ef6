//! What a key allows of one parameter: any value, some values, or numbers up to a limit.
//!
//! Judges values as they stand in the URL, undecoded. Invariant: what is not plainly allowed is not.

use crate::key::KeyError;
use std::str::FromStr;

/// Longest number that is read, in bytes.
const MAX_DIGITS: usize = 15;

/// A parameter that a key is good for, read from text: `w`, `w=320|640|1280` or `w<=800`.
#[derive(Clone, Debug, PartialEq)]
pub struct Allowed {
    name: Box<str>,
    bound: Bound,
}

#[derive(Clone, Debug, PartialEq)]
enum Bound {
    Any,
    /// Exactly so, in the URL's own spelling.
    OneOf(Box<[Box<str>]>),
    /// A plain decimal number of at most this.
    AtMost(f64),
}

impl Allowed {
    pub(crate) fn allows(&self, name: &str, value: &str) -> bool {
        *self.name == *name
            && match &self.bound {
                Bound::Any => true,
                Bound::OneOf(values) => values.iter().any(|known| **known == *value),
                Bound::AtMost(limit) => number(value).is_some_and(|number| number <= *limit),
            }
    }
}

impl FromStr for Allowed {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        let (name, bound) = if let Some((name, limit)) = text.split_once("<=") {
            (name, Bound::AtMost(number(limit.trim()).ok_or(KeyError::Parameter)?))
        } else if let Some((name, values)) = text.split_once('=') {
            let values: Box<[Box<str>]> = values.split('|').map(|value| value.trim().into()).collect();
            if values.iter().any(|value| value.is_empty()) {
                return Err(KeyError::Parameter);
            }
            (name, Bound::OneOf(values))
        } else {
            (text, Bound::Any)
        };
        let name = name.trim();
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
        if name.is_empty() || !name.bytes().all(plain) {
            return Err(KeyError::Parameter);
        }
        Ok(Self { name: name.into(), bound })
    }
}

/// Digits with at most one point: no sign, no exponent, no name of a number.
fn number(text: &str) -> Option<f64> {
    let plain = (1..=MAX_DIGITS).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    if plain { text.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allows(rule: &str, value: &str) -> bool {
        rule.parse::<Allowed>().unwrap().allows("w", value)
    }

    #[test]
    fn values_are_taken_as_they_stand() {
        assert!(allows("w", "anything%20at all"));
        assert!(!allows("h", "1"));
        assert!(allows("w=320|640", "640") && allows(" w = 320 | 640 ", "320"));
        for other in ["", "64", "6400", "640.0", "%36%34%30", "320|640"] {
            assert!(!allows("w=320|640", other), "{other}");
        }
    }

    #[test]
    fn a_limit_is_for_plain_numbers() {
        for fine in ["0", "799.9", "800", "800.0", "0800"] {
            assert!(allows("w<=800", fine), "{fine}");
        }
        for other in
            ["", "800.1", "801", "8e2", "-1", "+5", "inf", "nan", "auto", "%38", ".", "1.2.3", "0000000000000001"]
        {
            assert!(!allows("w<=800", other), "{other}");
        }
    }

    #[test]
    fn rules_that_cannot_be_read() {
        for bad in ["", " ", "=1", "w=", "w=1||2", "w<=", "w<=x", "w<=-1", "w h", "w%", "<=5"] {
            assert_eq!(bad.parse::<Allowed>(), Err(KeyError::Parameter), "{bad}");
        }
    }
}
