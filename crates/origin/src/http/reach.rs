//! Which addresses an origin may be connected to: globally routable unicast ones, and networks that the config names.
//!
//! Owns the judgement of one address. Does not resolve names: it is asked about the very address that is then connected
//! to, so that no second look-up can give another. Invariant: whoever is not known to be global is refused; an address
//! that carries an IPv4 address is judged by that one, however it is wrapped.

use service::network::Network;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// IPv4 that is not global unicast (IANA's special-purpose registry, RFC 6890 and later), with prefix length.
const SPECIAL_V4: [([u8; 4], u32); 16] = [
    ([0, 0, 0, 0], 8),        // this network
    ([10, 0, 0, 0], 8),       // private
    ([100, 64, 0, 0], 10),    // carrier-grade NAT; Alibaba Cloud's metadata
    ([127, 0, 0, 0], 8),      // loopback
    ([168, 63, 129, 16], 32), // Azure's agent and metadata: a global address that means the host itself
    ([169, 254, 0, 0], 16),   // link-local; metadata of nearly all clouds
    ([172, 16, 0, 0], 12),    // private
    ([192, 0, 0, 0], 24),     // protocol assignments; Oracle Cloud's metadata
    ([192, 0, 2, 0], 24),     // documentation
    ([192, 88, 99, 0], 24),   // relays of 6to4, deprecated
    ([192, 168, 0, 0], 16),   // private
    ([198, 18, 0, 0], 15),    // benchmarking
    ([198, 51, 100, 0], 24),  // documentation
    ([203, 0, 113, 0], 24),   // documentation
    ([224, 0, 0, 0], 4),      // multicast
    ([240, 0, 0, 0], 4),      // reserved, and broadcast
];

/// Inside of 2000::/3, the global unicast space, yet not to be reached.
const SPECIAL_V6: [([u16; 8], u32); 5] = [
    ([0x2001, 0, 0, 0, 0, 0, 0, 0], 23), // protocol assignments: benchmarking, ORCHID; Teredo is unwrapped before
    ([0x2001, 0xdb8, 0, 0, 0, 0, 0, 0], 32), // documentation
    ([0x3fff, 0, 0, 0, 0, 0, 0, 0], 20), // documentation
    ([0x3ffe, 0, 0, 0, 0, 0, 0, 0], 16), // 6bone, gone
    ([0x2620, 0x4f, 0x8000, 0, 0, 0, 0, 0], 48), // AS112, answers for private names
];

/// The addresses that may be connected to.
#[derive(Clone, Debug, Default)]
pub(super) struct Reach {
    /// Networks that may be reached although they are not global.
    pub(super) private: Vec<Network>,
}

impl Reach {
    /// Whether `address` may be connected to.
    pub(super) fn permits(&self, address: IpAddr) -> bool {
        let named = |address: IpAddr| self.private.iter().any(|network| network.contains(address));
        if named(address) {
            return true;
        }
        match address {
            IpAddr::V4(v4) => is_global_v4(v4),
            IpAddr::V6(v6) => {
                let carried = carried(v6);
                match carried.is_empty() {
                    true => is_global_v6(v6),
                    false => carried.iter().all(|v4| named(IpAddr::V4(*v4)) || is_global_v4(*v4)),
                }
            }
        }
    }
}

fn is_global_v4(address: Ipv4Addr) -> bool {
    let bits = address.to_bits();
    !SPECIAL_V4.iter().any(|(network, prefix)| (bits ^ u32::from_be_bytes(*network)) >> (32 - prefix) == 0)
}

fn is_global_v6(address: Ipv6Addr) -> bool {
    let bits = address.to_bits();
    let within = |network: [u16; 8], prefix: u32| (bits ^ Ipv6Addr::from(network).to_bits()) >> (128 - prefix) == 0;
    within([0x2000, 0, 0, 0, 0, 0, 0, 0], 3) && !SPECIAL_V6.iter().any(|(network, prefix)| within(*network, *prefix))
}

/// The IPv4 addresses that an IPv6 address carries, all of which have to be fit to be reached; none where it carries none.
fn carried(address: Ipv6Addr) -> Vec<Ipv4Addr> {
    let s = address.segments();
    let v4 = |high: u16, low: u16| Ipv4Addr::from_bits(u32::from(high) << 16 | u32::from(low));
    let mut found = Vec::new();
    match s {
        // Compatible (RFC 4291 §2.5.5.1), with :: and ::1 as 0.0.0.0 and 0.0.0.1; mapped (§2.5.5.2); translated (RFC 2765).
        [0, 0, 0, 0, 0, 0 | 0xffff, high, low] | [0, 0, 0, 0, 0xffff, 0, high, low] => found.push(v4(high, low)),
        // NAT64: the well-known prefix (RFC 6052), and the one for local use (RFC 8215) in its six layouts.
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] => found.push(v4(high, low)),
        [0x64, 0xff9b, 1, ..] => return vec![Ipv4Addr::UNSPECIFIED],
        // 6to4 (RFC 3056).
        [0x2002, high, low, ..] => found.push(v4(high, low)),
        // Teredo (RFC 4380): the server, and the client with its bits turned over.
        [0x2001, 0, high, low, _, _, client_high, client_low] => {
            found.extend([v4(high, low), v4(!client_high, !client_low)]);
        }
        _ => {}
    }
    // ISATAP (RFC 5214): an interface identifier under any prefix; the prefix is judged too.
    if let [.., 0 | 0x0200, 0x5efe, high, low] = s {
        found.push(v4(high, low));
        if found.len() == 1 && !is_global_v6(address) {
            found.push(Ipv4Addr::UNSPECIFIED);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn permits(text: &str) -> bool {
        Reach::default().permits(text.parse().unwrap())
    }

    #[test]
    fn global_unicast_is_reached() {
        for address in [
            "1.1.1.1",
            "8.8.8.8",
            "100.63.255.255",
            "100.128.0.0",
            "172.15.255.255",
            "172.32.0.0",
            "192.0.1.1",
            "198.17.255.255",
            "198.20.0.0",
            "223.255.255.255",
            "168.63.129.15",
            "11.0.0.0",
            "169.253.255.255",
            "2606:4700::1111",
            "2a00:1450:4001::1",
            "::ffff:8.8.8.8",
            "64:ff9b::8.8.8.8",
            "2002:808:808::1",
            "2400:cb00::5efe:808:808",
            "2001:200::1",
        ] {
            assert!(permits(address), "{address}");
        }
    }

    #[test]
    fn everything_else_is_refused() {
        for address in [
            "0.0.0.0",
            "0.1.2.3",
            "10.0.0.1",
            "10.255.255.255",
            "100.64.0.1",
            "100.100.100.200",
            "127.0.0.1",
            "127.255.255.254",
            "168.63.129.16",
            "169.254.169.254",
            "169.254.0.1",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.192",
            "192.0.0.8",
            "192.0.2.1",
            "192.88.99.1",
            "192.168.0.1",
            "198.18.0.1",
            "198.19.255.255",
            "198.51.100.1",
            "203.0.113.1",
            "224.0.0.1",
            "239.255.255.255",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::2",
            "::127.0.0.1",
            "::ffff:127.0.0.1",
            "::ffff:169.254.169.254",
            "::ffff:0:10.0.0.1",
            "::ffff:0.0.0.0",
            "64:ff9b::127.0.0.1",
            "64:ff9b::10.0.0.1",
            "64:ff9b:1::8.8.8.8",
            "64:ff9b:1:a00::1",
            "100::1",
            "2001:0:a00:1::f7f7:f7f7",
            "2001:0:808:808::80ff:fffe",
            "2001:2::1",
            "2001:10::1",
            "2001:20::1",
            "2001:db8::1",
            "2002:7f00:1::1",
            "2002:a9fe:a9fe::1",
            "2002:a00:1::",
            "3fff::1",
            "3ffe::1",
            "4000::1",
            "5f00::1",
            "fc00::1",
            "fd00:ec2::254",
            "fd00::1",
            "fe80::1",
            "fec0::1",
            "ff02::1",
            "ff0e::1",
            "2400:cb00::5efe:7f00:1",
            "2400:cb00::200:5efe:a9fe:a9fe",
            "fe80::5efe:808:808",
            "2620:4f:8000::1",
        ] {
            assert!(!permits(address), "{address}");
        }
    }

    #[test]
    fn named_networks_are_reached_however_they_are_wrapped() {
        let reach = Reach { private: vec!["10.1.0.0/16".parse().unwrap(), "fd12::/16".parse().unwrap()] };
        for address in ["10.1.2.3", "::ffff:10.1.2.3", "::10.1.2.3", "64:ff9b::10.1.2.3", "2002:a01:203::", "fd12::7"] {
            assert!(reach.permits(address.parse().unwrap()), "{address}");
        }
        for address in ["10.2.0.1", "127.0.0.1", "fd13::1", "::1", "2002:a02:203::", "2001:0:a01:203::f7f7:f7f7"] {
            assert_eq!(reach.permits(address.parse().unwrap()), address.starts_with("2001"), "{address}");
        }
    }

    proptest! {
        /// Wrapping never makes an address reachable that is not.
        #[test]
        fn wrapping_changes_nothing(bits in any::<u32>()) {
            let v4 = Ipv4Addr::from_bits(bits);
            let [a, b, c, d] = v4.octets();
            let (high, low) = (u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d]));
            let plain = Reach::default().permits(IpAddr::V4(v4));
            for wrapped in [
                [0, 0, 0, 0, 0, 0xffff, high, low],
                [0, 0, 0, 0, 0, 0, high, low],
                [0x64, 0xff9b, 0, 0, 0, 0, high, low],
                [0x2002, high, low, 0, 0, 0, 0, 1],
                [0x2001, 0, 0x808, 0x808, 0, 0, !high, !low],
                [0x2400, 0xcb00, 0, 0, 0, 0x5efe, high, low],
            ] {
                prop_assert_eq!(Reach::default().permits(IpAddr::V6(wrapped.into())), plain, "{:?}", wrapped);
            }
        }

        #[test]
        fn beyond_global_unicast_is_nothing(bits in any::<u128>()) {
            let address = Ipv6Addr::from_bits(bits);
            if bits >> 125 != 1 && carried(address).is_empty() {
                prop_assert!(!Reach::default().permits(IpAddr::V6(address)));
            }
        }
    }
}
