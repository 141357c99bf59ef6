//! Puts a question to Cedar: the caller, the action and the resource as entities.
//!
//! A picture is put as the case that it is (`Cell`): of which tenant, in which of the named folders, visible to whom, the
//! caller's own or not. Nothing else of it gets here, so that whole cases can be asked about as well.

use super::{PolicyError, uid, wrong};
use crate::resource::Visibility;
use crate::{Action, Caller, Role};
use cedar_policy::{
    Authorizer, Context, Entities, Entity, EntityTypeName, EntityUid, Request, RestrictedExpression, Schema,
};
use jiff::Timestamp;
use std::collections::{HashMap, HashSet};

/// The resource as policies see it.
#[derive(Clone, Debug)]
pub(crate) enum Cell<'a> {
    /// A tenant as a whole.
    Tenant(&'a str),
    /// A picture.
    Asset {
        tenant: &'a str,
        /// The named folders that it lies in.
        folders: Vec<&'a str>,
        visibility: Visibility,
        mine: bool,
    },
}

/// One question.
#[derive(Debug)]
pub(crate) struct Asked<'a> {
    pub(crate) caller: &'a Caller,
    pub(crate) action: Action,
    pub(crate) cell: Cell<'a>,
    pub(crate) granted: bool,
    pub(crate) parameters: &'a [(&'a str, &'a str)],
    pub(crate) now: Timestamp,
}

/// Names that do not change between questions.
#[derive(Debug)]
pub(super) struct Names {
    pub(super) authorizer: Authorizer,
    caller: EntityTypeName,
    tenant: EntityTypeName,
    folder: EntityTypeName,
    asset: EntityUid,
    roles: HashMap<Role, EntityUid>,
    actions: HashMap<Action, EntityUid>,
}

impl Names {
    /// # Errors
    /// The schema lacks an action.
    pub(super) fn new(schema: &Schema) -> Result<Self, PolicyError> {
        let kind = |name: &str| name.parse::<EntityTypeName>().map_err(|error| wrong("the schema", &error));
        let (role, action) = (kind("Role")?, kind("Action")?);
        let actions: HashMap<Action, EntityUid> =
            Action::ALL.iter().map(|one| (*one, uid(&action, one.as_str()))).collect();
        let known: HashSet<&EntityUid> = schema.actions().collect();
        if let Some(missing) = actions.values().find(|uid| !known.contains(uid)) {
            return Err(wrong("the schema", &format!("lacks {missing}")));
        }
        Ok(Self {
            authorizer: Authorizer::new(),
            caller: kind("Caller")?,
            tenant: kind("Tenant")?,
            folder: kind("Folder")?,
            asset: uid(&kind("Asset")?, "this"),
            roles: Role::ALL.iter().map(|one| (*one, uid(&role, one.as_str()))).collect(),
            actions,
        })
    }

    /// The question in Cedar's words; `None` where it cannot be put (a picture's action on a tenant).
    pub(super) fn put(&self, asked: &Asked<'_>) -> Option<(Request, Entities)> {
        let caller = self.caller_entity(asked.caller)?;
        let principal = caller.uid();
        let mut entities = vec![caller];
        let resource = match &asked.cell {
            Cell::Tenant(_) if asked.action.is_about_assets() => return None,
            Cell::Asset { .. } if !asked.action.is_about_assets() => return None,
            Cell::Tenant(tenant) => uid(&self.tenant, tenant),
            Cell::Asset { tenant, folders, visibility, mine } => {
                let attributes = HashMap::from([
                    ("tenant".to_owned(), RestrictedExpression::new_entity_uid(uid(&self.tenant, tenant))),
                    ("visibility".to_owned(), RestrictedExpression::new_string(visibility.as_str().to_owned())),
                    ("mine".to_owned(), RestrictedExpression::new_bool(*mine)),
                ]);
                let parents = folders.iter().map(|folder| uid(&self.folder, folder)).collect();
                entities.push(Entity::new(self.asset.clone(), attributes, parents).ok()?);
                self.asset.clone()
            }
        };
        let context = context(asked)?;
        let action = self.actions.get(&asked.action)?.clone();
        // Not checked against the schema once more: these entities are made by the lines above, and a test checks them.
        let request = Request::new(principal, action, resource, context, None).ok()?;
        Some((request, Entities::from_entities(entities, None).ok()?))
    }

    fn caller_entity(&self, caller: &Caller) -> Option<Entity> {
        let mut attributes =
            HashMap::from([("kind".to_owned(), RestrictedExpression::new_string(caller.kind.as_str().to_owned()))]);
        if !caller.tenant.is_empty() {
            let tenant = RestrictedExpression::new_entity_uid(uid(&self.tenant, &caller.tenant));
            attributes.insert("tenant".to_owned(), tenant);
        }
        let roles = caller.roles.iter().filter_map(|role| self.roles.get(role).cloned()).collect();
        Entity::new(uid(&self.caller, &caller.subject), attributes, roles).ok()
    }
}

fn context(asked: &Asked<'_>) -> Option<Context> {
    let in_scope = asked.caller.scopes.cover(asked.action);
    let mut pairs = vec![
        ("granted".to_owned(), RestrictedExpression::new_bool(asked.granted)),
        ("inScope".to_owned(), RestrictedExpression::new_bool(in_scope)),
        ("now".to_owned(), RestrictedExpression::new_datetime(cedar_time(asked.now))),
    ];
    if asked.action == Action::UrlSign {
        pairs.extend(parameters_of(asked.parameters));
    }
    Context::from_pairs(pairs).ok()
}

/// Milliseconds, as Cedar's `datetime` reads them.
fn cedar_time(now: Timestamp) -> String {
    now.strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string()
}

/// What a URL asks for, as policies see it.
fn parameters_of(parameters: &[(&str, &str)]) -> Vec<(String, RestrictedExpression)> {
    let names = parameters.iter().map(|(name, _)| RestrictedExpression::new_string((*name).to_owned()));
    let mut pairs = vec![("parameters".to_owned(), RestrictedExpression::new_set(names))];
    for (short, long) in [("w", "width"), ("h", "height"), ("q", "quality")] {
        // The next whole number: a limit must not be passed by a fraction.
        let value = parameters.iter().find(|(name, _)| *name == short).and_then(|(_, value)| value.parse::<f64>().ok());
        if let Some(value) = value.filter(|value| value.is_finite() && value.abs() < 1e9) {
            #[expect(clippy::cast_possible_truncation, reason = "its size was looked at the line before")]
            let whole = value.ceil() as i64;
            pairs.push((long.to_owned(), RestrictedExpression::new_long(whole)));
        }
    }
    if let Some((_, format)) = parameters.iter().find(|(name, _)| *name == "f") {
        pairs.push(("format".to_owned(), RestrictedExpression::new_string((*format).to_owned())));
    }
    pairs
}
