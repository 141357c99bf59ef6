//! What can be done: one list of names, which policies, scopes, grants and the audit log share.
//!
//! Invariant: the schema of the policies has exactly these actions (a test compares them).

use crate::UnknownName;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};
use utoipa::{PartialSchema, ToSchema};

macro_rules! actions {
    ($($name:literal $variant:ident $doc:literal),* $(,)?) => {
        /// Something that a caller may want to do, by its name in policies.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        pub enum Action {
            $(#[doc = $doc] #[serde(rename = $name)] $variant,)*
        }

        impl Action {
            /// All of them, in the order of the documentation.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];
            const NAMES: &'static str = concat!($($name, " "),*);

            /// The name, as in policies and scopes.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name),* }
            }

            /// What it allows, in a few words.
            pub const fn what(self) -> &'static str {
                match self { $(Self::$variant => $doc),* }
            }
        }
    };
}

actions! {
    "asset:read" AssetRead "See a picture and its record.",
    "asset:list" AssetList "Have pictures listed.",
    "asset:search" AssetSearch "Have pictures found, counted and suggested.",
    "asset:create" AssetCreate "Upload a new picture.",
    "asset:replace" AssetReplace "Upload other content under the name of a picture.",
    "asset:edit" AssetEdit "Change a picture's record, or its name.",
    "asset:delete" AssetDelete "Delete a picture.",
    "asset:restore" AssetRestore "Undo the deletion of a picture.",
    "url:sign" UrlSign "Have the URL of a rendition signed.",
    "upload:sign" UploadSign "Have an upload granted to somebody without an account.",
    "job:read" JobRead "See background work.",
    "job:cancel" JobCancel "Cancel background work.",
    "job:replay" JobReplay "Have failed background work done again.",
    "index:rebuild" IndexRebuild "Have the search index built anew.",
    "user:read" UserRead "See users and their roles.",
    "user:manage" UserManage "Make, change and lock users.",
    "key:manage" KeyManage "Make and revoke API keys.",
    "grant:manage" GrantManage "Make and revoke time-limited grants.",
    "policy:read" PolicyRead "Read policies, and try decisions.",
    "audit:read" AuditRead "Read the audit log.",
    "tenant:manage" TenantManage "Make, change and lock tenants.",
    "issuer:rotate" IssuerRotate "Rotate the keys that sign tokens.",
    "token:introspect" TokenIntrospect "Ask whether somebody's token or key is good.",
}

impl Action {
    /// Whether it is about a picture; the others are about a tenant or the whole installation.
    pub const fn is_about_assets(self) -> bool {
        matches!(
            self,
            Self::AssetRead
                | Self::AssetList
                | Self::AssetSearch
                | Self::AssetCreate
                | Self::AssetReplace
                | Self::AssetEdit
                | Self::AssetDelete
                | Self::AssetRestore
                | Self::UrlSign
                | Self::UploadSign
        )
    }
}

/// By hand: what is derived does not see names that a macro gives.
impl PartialSchema for Action {
    fn schema() -> RefOr<Schema> {
        let names = Self::ALL.iter().map(|action| action.as_str());
        ObjectBuilder::new().schema_type(Type::String).enum_values(Some(names)).into()
    }
}

impl ToSchema for Action {}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Action {
    type Err = UnknownName;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let found = Self::ALL.iter().find(|action| action.as_str() == text);
        found.copied().ok_or_else(|| UnknownName { value: text.to_owned(), allowed: Self::NAMES })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_schema_tells_the_names_that_are_read() {
        let schema = serde_json::to_value(Action::schema()).expect("a schema");
        let names = schema["enum"].as_array().expect("names");
        assert_eq!(names.len(), Action::ALL.len());
        for name in names {
            assert!(serde_json::from_value::<Action>(name.clone()).is_ok(), "{name}");
        }
    }
}
