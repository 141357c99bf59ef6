//! Reads the little of a certificate that its verifier does not tell: its end, and the subject's common name.
//!
//! DER (X.690) as RFC 5280 §4.1 lays certificates out. Only certificates that were parsed and verified before come here;
//! whatever comes, nothing panics and nothing is read twice.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

const INTEGER: u8 = 0x02;
const OID: u8 = 0x06;
const UTF8_STRING: u8 = 0x0c;
const PRINTABLE_STRING: u8 = 0x13;
const IA5_STRING: u8 = 0x16;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;
const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
const VERSION: u8 = 0xa0;

/// 2.5.4.3
const COMMON_NAME: [u8; 3] = [0x55, 0x04, 0x03];

/// When the certificate is no longer valid.
pub(super) fn not_after(certificate: &[u8]) -> Option<SystemTime> {
    let mut validity = Fields(fields(certificate)?.validity);
    let (_not_before, _) = validity.next()?;
    match validity.next()? {
        (UTC_TIME, text) => {
            let year = number(text.get(..2)?)?;
            time(if year < 50 { 2000 + year } else { 1900 + year }, text.get(2..)?)
        }
        (GENERALIZED_TIME, text) => time(number(text.get(..4)?)?, text.get(4..)?),
        _ => None,
    }
}

/// The subject's common name; the last where there are several.
pub(super) fn common_name(certificate: &[u8]) -> Option<String> {
    let names = Fields(fields(certificate)?.subject).filter(|(tag, _)| *tag == SET).flat_map(|(_, set)| Fields(set));
    let mut found = None;
    for (_, attribute) in names.filter(|(tag, _)| *tag == SEQUENCE) {
        let mut attribute = Fields(attribute);
        let (Some((OID, kind)), Some((tag, value))) = (attribute.next(), attribute.next()) else { continue };
        if kind == COMMON_NAME && [UTF8_STRING, PRINTABLE_STRING, IA5_STRING].contains(&tag) {
            found = std::str::from_utf8(value).ok();
        }
    }
    found.map(str::to_owned)
}

struct Certificate<'a> {
    validity: &'a [u8],
    subject: &'a [u8],
}

fn fields(certificate: &[u8]) -> Option<Certificate<'_>> {
    let to_be_signed = sequence(&mut Fields(sequence(&mut Fields(certificate))?))?;
    let mut fields = Fields(to_be_signed);
    let mut first = fields.next()?;
    if first.0 == VERSION {
        first = fields.next()?;
    }
    if first.0 != INTEGER {
        return None;
    }
    let (_algorithm, _issuer) = (sequence(&mut fields)?, sequence(&mut fields)?);
    Some(Certificate { validity: sequence(&mut fields)?, subject: sequence(&mut fields)? })
}

fn sequence<'a>(fields: &mut Fields<'a>) -> Option<&'a [u8]> {
    fields.next().filter(|(tag, _)| *tag == SEQUENCE).map(|(_, content)| content)
}

/// Tag and content, one after the other; ends at the first that is not whole.
struct Fields<'a>(&'a [u8]);

impl<'a> Iterator for Fields<'a> {
    type Item = (u8, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let (&[tag, first], mut rest) = self.0.split_first_chunk::<2>()?;
        let mut length = usize::from(first);
        if first & 0x80 != 0 {
            let bytes = usize::from(first & 0x7f);
            // Indefinite lengths are not DER; four bytes are more than any certificate has.
            if !(1..=4).contains(&bytes) {
                return None;
            }
            let (digits, behind) = rest.split_at_checked(bytes)?;
            length = digits.iter().fold(0, |length, &digit| length << 8 | usize::from(digit));
            rest = behind;
        }
        let (content, behind) = rest.split_at_checked(length)?;
        self.0 = behind;
        Some((tag, content))
    }
}

fn number(digits: &[u8]) -> Option<u64> {
    digits.iter().try_fold(0u64, |number, digit| digit.is_ascii_digit().then(|| number * 10 + u64::from(digit - b'0')))
}

/// `MMDDHHMMSSZ` of a year (RFC 5280 §4.1.2.5: always UTC, always with seconds).
fn time(year: u64, rest: &[u8]) -> Option<SystemTime> {
    let two = |at: usize| number(rest.get(at..at + 2)?);
    let (month, day, hour, minute, second) = (two(0)?, two(2)?, two(4)?, two(6)?, two(8)?);
    if rest.get(10..) != Some(b"Z") || !(1..=12).contains(&month) || !(1..=31).contains(&day) || year < 1970 {
        return None;
    }
    // Days since 1970-03-01 of a year that begins in March, so that the leap day is its last.
    let (y, m) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days = 365 * y + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 + day - 1;
    let days = days.checked_sub(719_468)?;
    UNIX_EPOCH.checked_add(Duration::from_secs(((days * 24 + hour) * 60 + minute) * 60 + second))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use testkit::certificate::Authority;

    #[test]
    fn a_certificate_tells_its_end_and_name() {
        let one = Authority::new().issue(&["a.example"]);
        let end = not_after(&one.der()).expect("an end");
        assert!(end > SystemTime::now(), "{end:?}");
        assert_eq!(common_name(&one.der()).as_deref(), Some("a.example"));
    }

    #[test]
    fn times() {
        let seconds = |year, rest: &[u8]| time(year, rest).map(|at| at.duration_since(UNIX_EPOCH).unwrap().as_secs());
        assert_eq!(seconds(1970, b"0101000000Z"), Some(0));
        assert_eq!(seconds(2000, b"0229123456Z"), Some(951_827_696));
        assert_eq!(seconds(2026, b"1122061834Z"), Some(1_795_328_314));
        assert_eq!(seconds(4096, b"0101000000Z"), Some(67_090_118_400));
        for (year, rest) in
            [(2026, &b"1322061834Z"[..]), (2026, b"1122061834"), (2026, b"112206183Z"), (1969, b"1231235959Z")]
        {
            assert_eq!(seconds(year, rest), None, "{year}");
        }
    }

    proptest! {
        #[test]
        fn whatever_comes_does_not_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            let _any = (not_after(&bytes), common_name(&bytes));
        }

        #[test]
        fn nor_does_a_certificate_with_errors(at in any::<prop::sample::Index>(), byte in any::<u8>()) {
            static DER: std::sync::LazyLock<Vec<u8>> = std::sync::LazyLock::new(|| Authority::new().issue(&["a.example"]).der());
            let mut bytes = DER.clone();
            let at = at.index(bytes.len());
            bytes[at] = byte;
            let _any = (not_after(&bytes), common_name(&bytes));
        }
    }
}
