//! The handshake, bounded in time and number, and what it tells of the client.
//!
//! Invariant: a place among the handshakes is taken only once the client's greeting is whole: who says nothing keeps nobody
//! out.

use super::{Credentials, der};
use crate::server::Identity;
use rustls::ProtocolVersion;
use rustls::pki_types::CertificateDer;
use rustls::server::Acceptor;
use sha2::{Digest as _, Sha256};
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_rustls::LazyConfigAcceptor;
use tokio_rustls::server::TlsStream;
use webpki::EndEntityCert;

/// Handshakes under way. Clones share it.
#[derive(Clone, Debug)]
pub(in crate::server) struct Handshakes {
    credentials: Credentials,
    places: Arc<Semaphore>,
    timeout: Duration,
}

/// A connection after its handshake.
pub(in crate::server) struct Shaken<S> {
    pub(in crate::server) stream: TlsStream<S>,
    pub(in crate::server) h2: bool,
    pub(in crate::server) resumed: bool,
    pub(in crate::server) identity: Option<Identity>,
}

impl Handshakes {
    pub(in crate::server) fn new(credentials: Credentials) -> Self {
        let terms = credentials.terms();
        let (places, timeout) = (Arc::new(Semaphore::new(terms.max_handshakes)), terms.handshake_timeout);
        Self { credentials, places, timeout }
    }

    pub(in crate::server) fn credentials(&self) -> &Credentials {
        &self.credentials
    }

    pub(in crate::server) fn timeout(&self) -> Duration {
        self.timeout
    }

    /// How many there are now.
    pub(in crate::server) fn under_way(&self) -> usize {
        self.credentials.terms().max_handshakes.saturating_sub(self.places.available_permits())
    }

    /// A place for one more, if there is any.
    pub(in crate::server) fn try_place(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.places).try_acquire_owned().ok()
    }

    /// Shakes hands.
    ///
    /// # Errors
    /// The client took too long (`TimedOut`), left, or spoke no TLS that we speak; it has been told why.
    pub(in crate::server) async fn accept<S: AsyncRead + AsyncWrite + Unpin>(
        &self,
        stream: S,
    ) -> io::Result<Shaken<S>> {
        let shake = async {
            let greeted = LazyConfigAcceptor::new(Acceptor::default(), stream).await?;
            let _place = self.places.acquire().await.map_err(io::Error::other)?;
            greeted.into_stream(self.credentials.settings().tcp).await
        };
        let stream = tokio::time::timeout(self.timeout, shake).await??;
        let (_, session) = stream.get_ref();
        let h2 = session.alpn_protocol() == Some(b"h2");
        let identity = session.peer_certificates().and_then(identity);
        let resumed = session.handshake_kind() == Some(rustls::HandshakeKind::Resumed);
        tracing::debug!(
            h2,
            version = session.protocol_version().and_then(|version| ProtocolVersion::as_str(&version)),
            resumed,
            client = identity.as_ref().and_then(|identity| identity.common_name.as_deref()),
            "TLS handshake"
        );
        Ok(Shaken { stream, h2, resumed, identity })
    }
}

/// Whom a verified chain names.
pub(in crate::server) fn identity(chain: &[CertificateDer<'_>]) -> Option<Identity> {
    let certificate = chain.first()?;
    let parsed = EndEntityCert::try_from(certificate).ok();
    let names = parsed.iter().flat_map(|parsed| parsed.valid_dns_names()).map(str::to_owned).collect();
    let uris = parsed.iter().flat_map(|parsed| parsed.valid_uri_names()).map(str::to_owned).collect();
    let fingerprint = Sha256::digest(certificate).into();
    Some(Identity { fingerprint, common_name: der::common_name(certificate), names, uris })
}
