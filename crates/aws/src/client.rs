//! A client of one AWS service, made when it is first asked for, and asked about its credentials at the start.
//!
//! Does not know which service. Invariant: what could not be made is tried again by the next who asks.

use super::{Access, Aws, Fault, Patience};
use aws_config::SdkConfig;
use aws_credential_types::provider::ProvideCredentials;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::OnceCell;

/// For all of the chain to be asked, once, behind the start: the machine's metadata may take some seconds not to be there.
const CHECK: Duration = Duration::from_secs(20);

/// A client to be. Clones share it.
pub struct Service<C>(Arc<Parts<C>>);

impl<C> Clone for Service<C> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

struct Parts<C> {
    aws: Aws,
    access: Access,
    patience: Patience,
    make: Box<dyn Fn(&SdkConfig) -> C + Send + Sync>,
    client: OnceCell<C>,
}

impl<C> fmt::Debug for Service<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Service").field("access", &self.0.access).finish_non_exhaustive()
    }
}

impl<C: Send + Sync + 'static> Service<C> {
    /// `make` is mostly the client's own `new`.
    pub fn new(
        aws: &Aws,
        access: Access,
        patience: Patience,
        make: impl Fn(&SdkConfig) -> C + Send + Sync + 'static,
    ) -> Self {
        let (aws, make) = (aws.clone(), Box::new(make));
        Self(Arc::new(Parts { aws, access, patience, make, client: OnceCell::new() }))
    }

    /// The client.
    ///
    /// # Errors
    /// See [`Aws::config`].
    pub async fn client(&self) -> Result<&C, Fault> {
        let Parts { aws, access, patience, make, client } = &*self.0;
        client.get_or_try_init(async || aws.config(access, patience).await.map(|config| make(&config))).await
    }

    /// Looks for region and credentials behind the start, and says in the log what is missing of them for `what`.
    pub fn announce(&self, what: &str) {
        let (service, what) = (self.clone(), what.to_owned());
        let Ok(handle) = self.0.aws.handle() else { return };
        handle.spawn(async move {
            let late = |_| Err(Fault::Credentials("looking for AWS credentials takes too long".to_owned()));
            match tokio::time::timeout(CHECK, service.check()).await.unwrap_or_else(late) {
                Ok(()) => tracing::debug!(what, "AWS region and credentials found"),
                Err(fault) => tracing::error!(what, "cannot be asked: {fault}"),
            }
        });
    }

    async fn check(&self) -> Result<(), Fault> {
        let config = self.0.aws.config(&self.0.access, &self.0.patience).await?;
        let Some(provider) = config.credentials_provider() else { return Ok(()) };
        provider.provide_credentials().await.map(drop).map_err(|error| Fault::credentials(&error))
    }
}
