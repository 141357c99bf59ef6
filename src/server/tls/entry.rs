//! The handshake that stands before the admin listener's HTTP.
//!
//! Knows neither routes nor who may. Invariant: a certificate that is told of has been verified by the configured authorities.

use super::Credentials;
use super::handshake::{Handshakes, Shaken};
use service::admin::{Entered, Entering};
use tokio::net::TcpStream;

impl Credentials {
    /// What a connection goes through, for [`service::admin::Admin::secure`].
    pub(crate) fn entry(&self) -> impl Fn(TcpStream) -> Entering + Send + Sync + use<> {
        let handshakes = Handshakes::new(self.clone());
        move |stream| {
            let handshakes = handshakes.clone();
            Box::pin(async move {
                let Shaken { stream, identity, .. } = handshakes.accept(stream).await?;
                Ok(Entered { stream: Box::new(stream), certificate: identity })
            })
        }
    }
}
