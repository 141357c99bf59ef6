//! From the configuration to a catalog: the only place that knows all stores.

use crate::config::{CatalogConfig, Kind, PostgresConfig, SqliteConfig, Tls};
use crate::dynamodb::Dynamo;
use crate::error::StoreError;
use crate::sql::Sql;
use crate::store::Catalog;
use crate::terms::Terms;
use aws::Aws;
use sqlx::postgres::{PgConnectOptions, PgSslMode};
use std::path::Path;
use std::sync::Arc;

/// Opens the catalog that is configured, and makes or updates its tables. `aws` is used for DynamoDB only.
///
/// # Errors
/// A file, server or table that cannot be used, in words that name it; never with a password.
pub async fn open(config: &CatalogConfig, aws: &Aws) -> Result<Arc<dyn Catalog>, StoreError> {
    let terms = Terms {
        region: config.region.clone(),
        quota: config.quota,
        versions: usize::try_from(config.versions).unwrap_or(1).max(1),
        idempotency: config.idempotency,
        patience: config.timeout,
    };
    Ok(match config.kind {
        Kind::Sqlite => Arc::new(sqlite(&config.sqlite, terms).await?),
        Kind::Postgres => {
            let options = options(&config.postgres).await?;
            Arc::new(Sql::postgres(options, config.postgres.connections, terms).await?)
        }
        Kind::Dynamodb => Arc::new(Dynamo::open(&config.dynamodb, aws, terms).await?),
    })
}

async fn sqlite(config: &SqliteConfig, terms: Terms) -> Result<Sql, StoreError> {
    if config.path == Path::new(SqliteConfig::MEMORY) {
        return Sql::sqlite(None, 1, terms).await;
    }
    if let Some(folder) = config.path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        let made = tokio::fs::create_dir_all(folder).await;
        made.map_err(|error| StoreError::Unreachable(format!("{}: {error}", folder.display())))?;
    }
    Sql::sqlite(Some(&config.path), config.readers, terms).await
}

async fn options(config: &PostgresConfig) -> Result<PgConnectOptions, StoreError> {
    let mut options = PgConnectOptions::new_without_pgpass()
        .port(config.port)
        .username(&config.user)
        .database(&config.database)
        .ssl_mode(match config.tls {
            Tls::Disable => PgSslMode::Disable,
            Tls::Require => PgSslMode::Require,
            Tls::VerifyFull => PgSslMode::VerifyFull,
        });
    options = if config.host.starts_with('/') { options.socket(&config.host) } else { options.host(&config.host) };
    if let Some(file) = &config.ca_file {
        options = options.ssl_root_cert(file);
    }
    if let Some(password) = &config.password {
        options = options.password(password.expose());
    }
    if let Some(file) = &config.password_file {
        let text = tokio::fs::read_to_string(file).await;
        let text = text.map_err(|error| StoreError::Unreachable(format!("{}: {error}", file.display())))?;
        options = options.password(text.trim_end());
    }
    Ok(options)
}
