//! The routes: one file for each thing that they are about.

mod account;
mod audit;
pub(crate) mod from;
mod grant;
mod issuer;
pub(crate) mod key;
mod page;
mod policy;
mod session;
mod tenant;
pub(crate) mod url;
mod user;

use crate::Auth;
use std::sync::Arc;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// All routes, with what they share.
pub(crate) fn router(auth: Arc<Auth>) -> OpenApiRouter {
    OpenApiRouter::new()
        .routes(routes!(account::sign_up))
        .routes(routes!(account::me))
        .routes(routes!(account::change_password))
        .routes(routes!(session::sign_in))
        .routes(routes!(session::refresh))
        .routes(routes!(session::sign_out))
        .routes(routes!(session::list))
        .routes(routes!(session::end))
        .routes(routes!(issuer::jwks))
        .routes(routes!(issuer::configuration))
        .routes(routes!(issuer::rotate))
        .routes(routes!(issuer::introspect))
        .routes(routes!(tenant::list, tenant::create))
        .routes(routes!(tenant::read, tenant::change))
        .routes(routes!(user::list, user::create))
        .routes(routes!(user::read, user::change, user::remove))
        .routes(routes!(key::list, key::create))
        .routes(routes!(key::revoke))
        .routes(routes!(grant::list, grant::create))
        .routes(routes!(grant::revoke))
        .routes(routes!(url::sign_url))
        .routes(routes!(url::sign_upload))
        .routes(routes!(url::sign_cloudfront))
        .routes(routes!(policy::read))
        .routes(routes!(policy::decide))
        .routes(routes!(audit::list))
        .routes(routes!(audit::examine))
        .with_state(auth)
}

/// The database is the one part that every handler needs.
impl From<crate::store::StoreError> for companion::Problem {
    fn from(error: crate::store::StoreError) -> Self {
        Self::unavailable(error)
    }
}
