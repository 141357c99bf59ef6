//! Networks of IP addresses, as the config writes them.
//!
//! Knows what an address is, not what one may do. Invariant: an IPv4 address mapped into IPv6 is an IPv4 address.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

/// Addresses `a.b.c.d/n` or `x:y::/n`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Network {
    bits: u128,
    prefix: u8,
    v4: bool,
}

impl Network {
    /// Whether the address lies within. IPv4 addresses mapped into IPv6 are IPv4 addresses.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        let (bits, v4) = bits_of(address);
        v4 == self.v4 && (bits ^ self.bits) & mask(self.prefix) == 0
    }

    /// The network that an address lies in, of so many bits by its kind (at most 32 and 128).
    #[must_use]
    pub fn around(address: IpAddr, v4_prefix: u8, v6_prefix: u8) -> Self {
        let (bits, v4) = bits_of(address);
        let prefix = if v4 { v4_prefix.min(32) } else { v6_prefix.min(128) };
        Self { bits: bits & mask(prefix), prefix, v4 }
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let address = match self.v4 {
            // Left-aligned: the upper 32 bits are the address.
            true => IpAddr::from(((self.bits >> 96) as u32).to_be_bytes()),
            false => IpAddr::from(self.bits.to_be_bytes()),
        };
        write!(f, "{address}/{}", self.prefix)
    }
}

/// Left-aligned bits, and whether they are an IPv4 address.
fn bits_of(address: IpAddr) -> (u128, bool) {
    match address.to_canonical() {
        IpAddr::V4(address) => (u128::from(u32::from(address)) << 96, true),
        IpAddr::V6(address) => (u128::from(address), false),
    }
}

fn mask(prefix: u8) -> u128 {
    u128::MAX.checked_shl(128 - u32::from(prefix.min(128))).unwrap_or(0)
}

/// A network that cannot be read, in words for the config's errors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NetworkError {
    /// No IP address before the `/`.
    Address,
    /// No number after the `/`, or one beyond the address's bits.
    Prefix,
    /// Bits beyond the prefix are set: either the address or the prefix is not what was meant.
    HostBits,
}

impl fmt::Display for NetworkError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Address => "expected an IP address, or a network such as 10.0.0.0/8 or fd00::/8",
            Self::Prefix => "the prefix length is 0–32 for IPv4 and 0–128 for IPv6",
            Self::HostBits => "bits of the address beyond the prefix are set",
        })
    }
}

impl std::error::Error for NetworkError {}

impl FromStr for Network {
    type Err = NetworkError;

    fn from_str(text: &str) -> Result<Self, NetworkError> {
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| NetworkError::Address)?;
        // As written, not as mapped: a prefix counts the bits that the writer sees.
        let (bits, v4) = match address {
            IpAddr::V4(address) => (u128::from(u32::from(address)) << 96, true),
            IpAddr::V6(address) if address.to_ipv4_mapped().is_some() => return Err(NetworkError::Address),
            IpAddr::V6(address) => (u128::from(address), false),
        };
        let most = if v4 { 32 } else { 128 };
        let prefix = match prefix {
            None => most,
            Some(digits) if !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()) => {
                digits.parse::<u8>().ok().filter(|&prefix| prefix <= most).ok_or(NetworkError::Prefix)?
            }
            Some(_) => return Err(NetworkError::Prefix),
        };
        if bits & !mask(prefix) != 0 {
            return Err(NetworkError::HostBits);
        }
        Ok(Self { bits, prefix, v4 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn networks() {
        let ten: Network = "10.0.0.0/8".parse().unwrap();
        assert!(ten.contains(ip("10.255.0.1")) && ten.contains(ip("::ffff:10.1.2.3")));
        assert!(!ten.contains(ip("11.0.0.0")) && !ten.contains(ip("a00::")));
        let all: Network = "0.0.0.0/0".parse().unwrap();
        assert!(all.contains(ip("1.2.3.4")) && !all.contains(ip("::1")));
        let one: Network = "::1".parse().unwrap();
        assert!(one.contains(ip("::1")) && !one.contains(ip("::2")));
        let local: Network = "fe80::/10".parse().unwrap();
        assert!(local.contains(ip("febf::1")) && !local.contains(ip("fec0::1")));
        for (address, network) in [
            ("192.0.2.77", "192.0.2.0/24"),
            ("::ffff:192.0.2.77", "192.0.2.0/24"),
            ("2001:db8:1:2ff::1", "2001:db8:1:200::/56"),
        ] {
            let around = Network::around(ip(address), 24, 56);
            assert_eq!(around.to_string(), network);
            assert_eq!(network.parse(), Ok(around));
        }
        let cases = [
            ("10.0.0.1/8", NetworkError::HostBits),
            ("10.0.0.0/33", NetworkError::Prefix),
            ("::/129", NetworkError::Prefix),
            ("10.0.0.0/", NetworkError::Prefix),
            ("10.0.0.0/+8", NetworkError::Prefix),
            ("10.0.0/8", NetworkError::Address),
            ("proxy", NetworkError::Address),
            ("", NetworkError::Address),
            ("::ffff:10.0.0.0/104", NetworkError::Address),
        ];
        for (text, error) in cases {
            assert_eq!(text.parse::<Network>(), Err(error), "{text}");
        }
    }
}
