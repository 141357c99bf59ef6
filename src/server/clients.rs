//! How many connections each client has, so that one cannot take them all.
//!
//! A client is an IPv4 address or an IPv6 network of 64 bits, which is what one customer of a provider has at least.
//! Invariant: what entered leaves, however its connection ends; clients without connections take no memory.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The connections of all clients. Clones share it.
#[derive(Clone, Debug)]
pub(super) struct Clients {
    counts: Arc<Mutex<HashMap<IpAddr, u32>>>,
    most: u32,
}

/// A connection that is counted until it is dropped; `None` inside where nobody is counted.
#[derive(Debug)]
pub(super) struct Place(Option<(Clients, IpAddr)>);

impl Clients {
    /// Each may have `most` connections; 0 counts nobody.
    pub(super) fn new(most: u32) -> Self {
        Self { counts: Arc::default(), most }
    }

    /// A place for one more connection of `address`; `None` where it has as many as it may.
    pub(super) fn enter(&self, address: IpAddr) -> Option<Place> {
        let client = client(address);
        // This machine's own are test tools and proxies beside us.
        if self.most == 0 || client.is_loopback() {
            return Some(Place(None));
        }
        let mut counts = self.counts();
        let count = counts.entry(client).or_insert(0);
        if *count >= self.most {
            return None;
        }
        *count += 1;
        drop(counts);
        Some(Place(Some((self.clone(), client))))
    }

    fn counts(&self) -> MutexGuard<'_, HashMap<IpAddr, u32>> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Place {
    /// For peers that stand for many clients.
    pub(super) const fn uncounted() -> Self {
        Self(None)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let Some((clients, client)) = self.0.take() else { return };
        if let Entry::Occupied(mut count) = clients.counts().entry(client) {
            match *count.get() {
                0 | 1 => drop(count.remove()),
                more => *count.get_mut() = more - 1,
            }
        }
    }
}

fn client(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(if address.is_loopback() {
            1
        } else {
            address.to_bits() & !u128::from(u64::MAX)
        })),
        v4 @ IpAddr::V4(_) => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn a_client_has_so_many_and_others_are_not_touched() {
        let clients = Clients::new(2);
        let first = clients.enter(ip("192.0.2.1")).unwrap();
        let _second = clients.enter(ip("::ffff:192.0.2.1")).unwrap();
        assert!(clients.enter(ip("192.0.2.1")).is_none());
        assert!(clients.enter(ip("192.0.2.2")).is_some());
        drop(first);
        assert!(clients.enter(ip("192.0.2.1")).is_some());
    }

    #[test]
    fn an_ipv6_network_is_one_client() {
        let clients = Clients::new(1);
        let _held = clients.enter(ip("2001:db8:0:1::1")).unwrap();
        assert!(clients.enter(ip("2001:db8:0:1:ffff::2")).is_none());
        assert!(clients.enter(ip("2001:db8:0:2::1")).is_some());
    }

    #[test]
    fn who_has_left_is_forgotten() {
        let clients = Clients::new(5);
        let held: Vec<_> = (0..5).map(|_| clients.enter(ip("192.0.2.1")).unwrap()).collect();
        assert_eq!(clients.counts().len(), 1);
        drop(held);
        assert_eq!(clients.counts().len(), 0);
    }

    #[test]
    fn nobody_is_counted_where_it_is_off_or_the_client_is_this_machine() {
        for (most, address) in [(0, "192.0.2.1"), (1, "127.0.0.1"), (1, "::1"), (1, "::ffff:127.0.0.2")] {
            let clients = Clients::new(most);
            let held: Vec<_> = (0..9).map(|_| clients.enter(ip(address)).unwrap()).collect();
            assert_eq!((held.len(), clients.counts().len()), (9, 0), "{address}");
        }
    }
}
