//! Where a request comes from, as far as the audit log and lock-outs look at it.

use axum::extract::FromRequestParts;
use companion::{ClientAddress, RequestId};
use http::header::USER_AGENT;
use http::request::Parts;
use std::convert::Infallible;
use std::net::IpAddr;

/// Most characters of a program's name that are kept.
const AGENT: usize = 120;

/// Where a request comes from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct From {
    /// The client's network: /24 or /56, which is what one household or server has.
    pub(crate) network: String,
    /// The request's id.
    pub(crate) request: String,
    /// The program, as it calls itself.
    pub(crate) agent: String,
}

impl<S: Sync> FromRequestParts<S> for From {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Infallible> {
        let client = ClientAddress::from_request_parts(parts, state).await?;
        let request = RequestId::from_request_parts(parts, state).await?;
        let agent = parts.headers.get(USER_AGENT).and_then(|value| value.to_str().ok()).unwrap_or_default();
        Ok(Self {
            network: network(client.address),
            request: request.as_str().to_owned(),
            agent: agent.chars().take(AGENT).collect(),
        })
    }
}

fn network(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(address) => {
            let [a, b, c, _] = address.octets();
            format!("{a}.{b}.{c}.0/24")
        }
        IpAddr::V6(address) => {
            let bits = u128::from(address) >> 72 << 72;
            format!("{}/56", std::net::Ipv6Addr::from(bits))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_are_cut_where_households_end() {
        for (address, wanted) in [
            ("192.0.2.77", "192.0.2.0/24"),
            ("::ffff:192.0.2.77", "192.0.2.0/24"),
            ("2001:db8:1:2ff::1", "2001:db8:1:200::/56"),
        ] {
            assert_eq!(network(address.parse().unwrap()), wanted);
        }
    }
}
