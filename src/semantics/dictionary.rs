//! Dictionaries of structured fields (RFC 9651 §3.2), as far as cache directives need them.
//!
//! Owns the grammar: whatever breaks it makes the whole field invalid (§4.2). Keeps booleans and integers; other types are
//! only checked. Invariant: linear work, no panic.

/// The value of a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Value {
    /// `?0`, `?1`, or a member without `=`.
    Boolean(bool),
    /// At most 15 digits.
    Integer(i64),
    /// Anything else that the grammar allows.
    Other,
}

/// The members in order; `None` where the field is no dictionary.
pub(super) fn parse(text: &[u8]) -> Option<Vec<(&[u8], Value)>> {
    let mut cursor = Cursor(text.trim_ascii());
    let mut members = Vec::new();
    while !cursor.0.is_empty() {
        let key = cursor.key()?;
        let value = if cursor.eat(b'=') { cursor.member()? } else { Value::Boolean(true) };
        cursor.parameters()?;
        members.push((key, value));
        cursor.white();
        if cursor.0.is_empty() {
            break;
        }
        if !cursor.eat(b',') {
            return None;
        }
        cursor.white();
        if cursor.0.is_empty() {
            return None;
        }
    }
    Some(members)
}

struct Cursor<'a>(&'a [u8]);

impl<'a> Cursor<'a> {
    fn eat(&mut self, byte: u8) -> bool {
        match self.0 {
            [first, rest @ ..] if *first == byte => {
                self.0 = rest;
                true
            }
            _ => false,
        }
    }

    fn white(&mut self) {
        while self.eat(b' ') || self.eat(b'\t') {}
    }

    /// What of the text comes first and fulfils `allowed`.
    fn run(&mut self, allowed: impl Fn(u8) -> bool) -> &'a [u8] {
        let end = self.0.iter().position(|&byte| !allowed(byte)).unwrap_or(self.0.len());
        let (run, rest) = self.0.split_at(end);
        self.0 = rest;
        run
    }

    fn key(&mut self) -> Option<&'a [u8]> {
        if !matches!(self.0.first()?, b'a'..=b'z' | b'*') {
            return None;
        }
        Some(self.run(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-' | b'.' | b'*')))
    }

    fn parameters(&mut self) -> Option<()> {
        while self.eat(b';') {
            while self.eat(b' ') {}
            self.key()?;
            if self.eat(b'=') {
                self.item()?;
            }
        }
        Some(())
    }

    fn member(&mut self) -> Option<Value> {
        if !self.eat(b'(') {
            return self.item();
        }
        loop {
            while self.eat(b' ') {}
            if self.eat(b')') {
                return Some(Value::Other);
            }
            self.item()?;
            self.parameters()?;
            if !matches!(self.0.first()?, b' ' | b')') {
                return None;
            }
        }
    }

    fn item(&mut self) -> Option<Value> {
        match self.0.first()? {
            b'-' | b'0'..=b'9' => self.number(),
            b'?' => {
                self.eat(b'?');
                match self.eat(b'1') {
                    true => Some(Value::Boolean(true)),
                    false => self.eat(b'0').then_some(Value::Boolean(false)),
                }
            }
            b'"' => self.string(),
            b'%' => {
                self.eat(b'%');
                self.string()
            }
            b':' => {
                self.eat(b':');
                self.run(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'='));
                self.eat(b':').then_some(Value::Other)
            }
            b'@' => {
                self.eat(b'@');
                self.number().filter(|value| matches!(value, Value::Integer(_))).map(|_| Value::Other)
            }
            b'a'..=b'z' | b'A'..=b'Z' | b'*' => {
                self.run(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~:/".contains(&byte));
                Some(Value::Other)
            }
            _ => None,
        }
    }

    fn number(&mut self) -> Option<Value> {
        let negative = self.eat(b'-');
        let digits = self.run(|byte| byte.is_ascii_digit());
        let fraction = if self.eat(b'.') { Some(self.run(|byte| byte.is_ascii_digit())) } else { None };
        match (digits.len(), fraction.map(<[u8]>::len)) {
            (1..=12, Some(1..=3)) => Some(Value::Other),
            (1..=15, None) => {
                let number = digits.iter().fold(0_i64, |sum, byte| sum * 10 + i64::from(byte - b'0'));
                Some(Value::Integer(if negative { -number } else { number }))
            }
            _ => None,
        }
    }

    fn string(&mut self) -> Option<Value> {
        if !self.eat(b'"') {
            return None;
        }
        loop {
            self.run(|byte| matches!(byte, b' '..=b'~') && byte != b'"' && byte != b'\\');
            if self.eat(b'"') {
                return Some(Value::Other);
            }
            if !(self.eat(b'\\') && (self.eat(b'"') || self.eat(b'\\'))) {
                return None;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn members() {
        let text = b"a=1, b;x=\"y;z\", c=?0 ,\td=(1 tok \"s\");q=2, e=-15, f=:aGk=:, g=@17, h=1.5, *i=a/b";
        let all: Vec<_> = parse(text).unwrap();
        let integers: Vec<_> = all.iter().filter(|(_, value)| matches!(value, Value::Integer(_))).collect();
        assert_eq!(integers, [&(&b"a"[..], Value::Integer(1)), &(&b"e"[..], Value::Integer(-15))]);
        assert_eq!(all[1], (&b"b"[..], Value::Boolean(true)));
        assert_eq!((all[2].1, all.len()), (Value::Boolean(false), 9));
        assert_eq!(parse(b""), Some(Vec::new()));
    }

    #[test]
    fn what_is_no_dictionary() {
        for text in [
            "A=1",
            "a=",
            "a=1,",
            ",a",
            "a=1 b",
            "a=1.",
            "a=1.2345",
            "a=1234567890123456",
            "a=\"x",
            "a=(1",
            "&",
            "a=?2",
            "a=--1",
            "a=(1\"s\")",
            "a=:x",
            "a=\"\u{e9}\"",
            "a;=1",
            "a=@1.5",
        ] {
            assert_eq!(parse(text.as_bytes()), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn nothing_panics(text in prop_oneof![
            prop::collection::vec(any::<u8>(), 0..60),
            "[a-c=,;(1-9.?:@% \"\\\\)-]{0,40}".prop_map(String::into_bytes),
        ]) {
            let _ = parse(&text);
        }
    }
}
