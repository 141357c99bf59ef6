//! Who asks, for which tenant, and what they may do.
//!
//! Invariant: whoever may not know of a picture is told that there is none.

use super::Site;
use crate::Trouble;
use access::{Action, Resource};
use catalog::{Asset, AssetId, AssetPath, Subject, TenantId};
use companion::{Caller, Problem};

/// The tenant that is asked about: the caller's own, unless another one is named.
pub(super) fn tenant(caller: &Caller, named: Option<&TenantId>) -> Result<TenantId, Problem> {
    if let Some(named) = named {
        return Ok(named.clone());
    }
    if caller.is_anonymous() {
        return Err(access::Denied::Anonymous.into());
    }
    let own = caller.tenant.parse();
    own.map_err(|_| Problem::missing("query.tenant", "a tenant's name: your credentials are for none"))
}

/// As records name them.
pub(crate) fn subject(caller: &access::Caller) -> Subject {
    caller.subject.parse().unwrap_or_else(|_| "anonymous".parse().expect("visible ASCII"))
}

pub(super) const fn visibility(visibility: catalog::Visibility) -> access::Visibility {
    match visibility {
        catalog::Visibility::Tenant => access::Visibility::Tenant,
        catalog::Visibility::Public => access::Visibility::Public,
    }
}

/// A picture, as policies see it.
pub(super) fn resource(asset: &Asset) -> Resource<'_> {
    let resource = Resource::asset(asset.tenant.as_str(), asset.path.as_str()).visible_to(visibility(asset.visibility));
    match &asset.owner {
        Some(owner) => resource.owned_by(owner.as_str()),
        None => resource,
    }
}

impl Site {
    pub(super) fn may(&self, caller: &Caller, action: Action, asset: &Asset) -> bool {
        self.door.may(caller, action, &resource(asset)).is_ok()
    }

    /// The asset, where the caller may do that; a live or deleted one.
    pub(super) async fn asset(
        &self,
        caller: &Caller,
        tenant: &TenantId,
        id: AssetId,
        action: Action,
    ) -> Result<Asset, Problem> {
        let found = self.desk.catalog.get(tenant, id).await.map_err(Trouble::from)?;
        let Some(asset) = found else {
            return Err(self.hidden(caller, tenant, action, None));
        };
        if matches!(asset.state, catalog::State::Quarantined { .. }) && !self.sees_quarantine(caller, &asset) {
            return Err(self.hidden(caller, tenant, action, None));
        }
        if let Err(denied) = self.door.may(caller, action, &resource(&asset)) {
            let seen = self.may(caller, Action::AssetRead, &asset);
            return Err(if seen { denied.into() } else { self.hidden(caller, tenant, action, Some(denied)) });
        }
        Ok(asset)
    }

    /// What is said of what somebody may not know of: the same as of what is not there.
    fn hidden(&self, caller: &Caller, tenant: &TenantId, action: Action, denied: Option<access::Denied>) -> Problem {
        if caller.is_anonymous() {
            return access::Denied::Anonymous.into();
        }
        // Whoever may do nothing of the kind in that tenant hears so, whether there is such a picture or not.
        let any = Resource::asset(tenant.as_str(), "any").owned_by(&caller.subject);
        match (self.door.may(caller, action, &any), denied) {
            (Err(denied), _) => denied.into(),
            (Ok(()), _) => Problem::not_found("picture"),
        }
    }

    /// Those who manage a tenant's users, and see its pictures.
    pub(super) fn sees_quarantine(&self, caller: &Caller, asset: &Asset) -> bool {
        let tenant = Resource::tenant(asset.tenant.as_str());
        self.door.may(caller, Action::UserManage, &tenant).is_ok() && self.may(caller, Action::AssetRead, asset)
    }

    /// Whether an upload to a path may create, and may replace.
    ///
    /// # Errors
    /// Neither.
    pub(crate) async fn may_upload(
        &self,
        caller: &Caller,
        tenant: &TenantId,
        path: &AssetPath,
        wanted: catalog::Visibility,
    ) -> Result<(bool, bool), Problem> {
        let mine =
            Resource::asset(tenant.as_str(), path.as_str()).owned_by(&caller.subject).visible_to(visibility(wanted));
        let create = self.door.may(caller, Action::AssetCreate, &mine);
        let there = self.desk.catalog.find(tenant, path).await.map_err(Trouble::from)?;
        let replace = match &there {
            Some(asset) => self.door.may(caller, Action::AssetReplace, &resource(asset)),
            None => self.door.may(caller, Action::AssetReplace, &mine),
        };
        match (create, replace, there.is_some()) {
            (_, Err(denied), true) | (Err(denied), _, false) => Err(denied.into()),
            (create, replace, _) => Ok((create.is_ok(), replace.is_ok())),
        }
    }
}
