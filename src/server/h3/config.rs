//! `[tls.quic]`: what HTTP/3 adds to the limits of `[server]` and `[tls]`.

use service::config::{Reader, Section};

/// QUIC.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "each key is described where it is read")]
pub struct QuicConfig {
    pub retry_above: usize,
    pub send_window: u64,
    pub socket_buffer: usize,
}

impl Section for QuicConfig {
    const DOC: &'static str = "QUIC, for http3 = true. Streams, heads and time-outs are those of [server].";

    fn read(r: &mut Reader<'_>) -> Self {
        let buffer = |bytes: u64| usize::try_from(bytes).unwrap_or(usize::MAX);
        Self {
            retry_above: r.int("retry_above", 64, 0..=100_000, "With more handshakes under way than these, clients must first prove their address, which costs them a round trip (Retry). 0: always."),
            send_window: r.bytes("send_window", "1MiB", "64KiB"..="64MiB", "Bytes under way to one client that it has not confirmed: memory per connection at most, and with the round-trip time its top speed."),
            socket_buffer: buffer(r.bytes("socket_buffer", "2MiB", "64KiB"..="64MiB", "The sockets' buffers, as far as the kernel allows (net.core.rmem_max, wmem_max).")),
        }
    }
}
