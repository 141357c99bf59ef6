//! A PROXY protocol header, whole, cut and with other bytes behind it: no panic, and only what the specification lays out
//! names a client.
#![no_main]

use libfuzzer_sys::fuzz_target;
use std::net::IpAddr;
use tintype::server::proxy::{self, MOST, SIGNATURE, START};

fuzz_target!(|data: &[u8]| {
    // Half of the inputs begin as headers do: the signature is not to be found by chance.
    let (bytes, signed) = match data.split_first() {
        Some((first, rest)) if first & 1 == 0 => ([&SIGNATURE[..], rest].concat(), true),
        Some((_, rest)) => (rest.to_vec(), rest.starts_with(&SIGNATURE)),
        None => return,
    };
    let Some((fixed, rest)) = bytes.split_first_chunk::<START>() else { return };
    let Ok(announced) = proxy::start(fixed) else { return };
    assert!(signed && announced.length <= MOST);
    let Some(body) = rest.get(..announced.length) else { return };
    let client = proxy::client(announced, body);
    if let Ok(Some(address)) = client {
        let source = if fixed[13] == 0x11 { 4 } else { 16 };
        let written = match address {
            IpAddr::V4(address) => address.octets().to_vec(),
            IpAddr::V6(address) => address.octets().to_vec(),
        };
        assert!(body[..source].ends_with(&written), "the client is the source");
    }
    assert!(proxy::client(announced, &body[..body.len().saturating_sub(1)]).is_err() || body.is_empty(), "cut short");
});
