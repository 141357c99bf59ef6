//! Policies in Cedar: the schema, our own, and those of the configuration.
//!
//! Knows no tokens. Invariants: a set of policies that the schema does not bear is refused whole; a policy can tell pictures
//! apart by tenant, visibility, ownership and folder only, and all folders and tenants that it can name are known, so that
//! [`crate::Reach`] can go through every case.

mod ask;

use cedar_policy::{
    Decision, EntityTypeName, EntityUid, Policy, PolicyId, PolicySet, Schema, ValidationMode, Validator,
};
use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;
use std::sync::atomic::{AtomicU64, Ordering};

pub(crate) use ask::{Asked, Cell};

/// The schema, as text.
pub const SCHEMA: &str = include_str!("schema.cedarschema");
/// Our own policies, as text.
pub const ROLES: &str = include_str!("roles.cedar");

/// Policies that have been checked.
#[derive(Debug)]
pub struct Policies {
    set: PolicySet,
    texts: Vec<(String, String)>,
    /// What policies name: tenants, and folders as (tenant, path).
    pub(crate) tenants: BTreeSet<String>,
    pub(crate) folders: BTreeSet<(String, String)>,
    asking: ask::Names,
    /// Tells these from all others of the process.
    pub(crate) generation: u64,
}

static GENERATIONS: AtomicU64 = AtomicU64::new(0);

/// Why policies cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyError {
    /// Which text.
    pub source: String,
    /// What is wrong with it.
    pub why: String,
}

impl fmt::Display for PolicyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "policies of {}: {}", self.source, self.why)
    }
}

impl std::error::Error for PolicyError {}

/// A decision with its reasons.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explained {
    /// Whether it is allowed.
    pub allowed: bool,
    /// The policies that decided: those that forbid, else those that permit; none: nothing permits it.
    pub policies: Vec<String>,
    /// Policies that could not be evaluated, with the reason; they neither permit nor forbid.
    pub errors: Vec<String>,
}

impl Policies {
    /// Our own, and nothing else.
    ///
    /// # Errors
    /// None but for a fault of this crate: a test holds them.
    pub fn builtin() -> Result<Self, PolicyError> {
        Self::with(&[])
    }

    /// Our own and these, each with a name (of its file) and its text.
    ///
    /// # Errors
    /// A text that cannot be read, or that the schema does not bear; or one that names a picture instead of a folder.
    pub fn with(more: &[(String, String)]) -> Result<Self, PolicyError> {
        let (schema, _) = Schema::from_cedarschema_str(SCHEMA).map_err(|error| wrong("the schema", &error))?;
        let mut texts = vec![("roles".to_owned(), ROLES.to_owned())];
        texts.extend_from_slice(more);
        let mut set = PolicySet::new();
        for (source, text) in &texts {
            add(&mut set, source, text, source == "roles")?;
        }
        let checked = Validator::new(schema.clone()).validate(&set, ValidationMode::Strict);
        if !checked.validation_passed() {
            let faults: Vec<String> = checked.validation_errors().map(ToString::to_string).collect();
            return Err(PolicyError { source: "the configuration".into(), why: faults.join("; ") });
        }
        let (tenants, folders) = named(&set)?;
        let asking = ask::Names::new(&schema)?;
        let generation = GENERATIONS.fetch_add(1, Ordering::Relaxed);
        Ok(Self { set, texts, tenants, folders, asking, generation })
    }

    /// Names and texts of all, ours first.
    pub fn texts(&self) -> &[(String, String)] {
        &self.texts
    }

    /// Whether a policy besides our own looks at what URLs ask for.
    pub fn looks_at_parameters(&self) -> bool {
        self.mention(&["parameters", "width", "height", "quality", "format"])
    }

    /// Whether a policy besides our own looks at the time.
    pub(crate) fn look_at_time(&self) -> bool {
        self.mention(&["now"])
    }

    fn mention(&self, names: &[&str]) -> bool {
        self.texts.iter().skip(1).any(|(_, text)| names.iter().any(|name| text.contains(name)))
    }

    pub(crate) fn decide(&self, asked: &Asked<'_>) -> Explained {
        let Some((request, entities)) = self.asking.put(asked) else {
            return Explained { allowed: false, policies: Vec::new(), errors: vec!["cannot be put to Cedar".into()] };
        };
        let answer = self.asking.authorizer.is_authorized(&request, &self.set, &entities);
        Explained {
            allowed: answer.decision() == Decision::Allow,
            policies: answer.diagnostics().reason().map(ToString::to_string).collect(),
            errors: answer.diagnostics().errors().map(ToString::to_string).collect(),
        }
    }
}

/// Adds the policies of one text under names that can be shown: their `@id`, or the text's name and a number.
fn add(set: &mut PolicySet, source: &str, text: &str, is_ours: bool) -> Result<(), PolicyError> {
    let read = PolicySet::from_str(text).map_err(|error| wrong(source, &error))?;
    if read.templates().next().is_some() {
        return Err(PolicyError { source: source.into(), why: "templates are not used here".into() });
    }
    let mut policies: Vec<Policy> = read.policies().cloned().collect();
    policies.sort_by_key(|policy| policy.id().to_string());
    for (at, policy) in policies.into_iter().enumerate() {
        let id = match (policy.annotation("id").filter(|id| !id.is_empty()), is_ours) {
            (Some(id), true) => id.to_owned(),
            (Some(id), false) => format!("{source}:{id}"),
            (None, _) => format!("{source}:{}", at + 1),
        };
        set.add(policy.new_id(PolicyId::new(id))).map_err(|error| wrong(source, &error))?;
    }
    Ok(())
}

/// The tenants and folders that policies name.
type Named = (BTreeSet<String>, BTreeSet<(String, String)>);

fn named(set: &PolicySet) -> Result<Named, PolicyError> {
    let (mut tenants, mut folders) = Named::default();
    for policy in set.policies() {
        for literal in policy.entity_literals() {
            let id: &str = literal.id().unescaped();
            match literal.type_name().basename() {
                "Tenant" => {
                    tenants.insert(id.to_owned());
                }
                "Folder" => {
                    let (tenant, path) =
                        id.split_once('/').filter(|(_, path)| !path.is_empty()).ok_or_else(|| PolicyError {
                            source: policy.id().to_string(),
                            why: format!("{literal}: a folder is named \"tenant/path\""),
                        })?;
                    tenants.insert(tenant.to_owned());
                    folders.insert((tenant.to_owned(), path.trim_end_matches('/').to_owned()));
                }
                "Asset" => {
                    let why = format!("{literal}: name a picture by resource in Folder::\"tenant/path\"");
                    return Err(PolicyError { source: policy.id().to_string(), why });
                }
                _ => {}
            }
        }
    }
    Ok((tenants, folders))
}

fn wrong(source: &str, error: &impl fmt::Display) -> PolicyError {
    PolicyError { source: source.to_owned(), why: error.to_string() }
}

fn uid(kind: &EntityTypeName, id: &str) -> EntityUid {
    EntityUid::from_type_name_and_id(kind.clone(), cedar_policy::EntityId::new(id))
}
