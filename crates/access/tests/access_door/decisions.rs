//! Who may do what: each role × each action × own and foreign tenant × visibility, and policies of the configuration.

use crate::door_at;
use access::{Action, Caller, Door, Kind, Policies, Resource, Role, Visibility};

const NOW: i64 = 1_800_000_000;
const VIEWER: &[&str] = &["asset:read", "asset:list", "asset:search", "url:sign"];
const EDITOR: &[&str] = &[
    "asset:read",
    "asset:list",
    "asset:search",
    "url:sign",
    "asset:create",
    "asset:replace",
    "asset:edit",
    "asset:delete",
    "asset:restore",
    "upload:sign",
    "job:read",
];
const ADMIN: &[&str] = &[
    "asset:read",
    "asset:list",
    "asset:search",
    "url:sign",
    "asset:create",
    "asset:replace",
    "asset:edit",
    "asset:delete",
    "asset:restore",
    "upload:sign",
    "job:read",
    "job:cancel",
    "job:replay",
    "index:rebuild",
    "user:read",
    "user:manage",
    "key:manage",
    "grant:manage",
    "policy:read",
    "audit:read",
];
const OPERATOR: &[&str] = &[
    "job:read",
    "job:cancel",
    "job:replay",
    "index:rebuild",
    "user:read",
    "user:manage",
    "policy:read",
    "audit:read",
    "tenant:manage",
    "issuer:rotate",
];
const SERVICE: &[&str] = &["asset:read", "asset:list", "asset:search", "token:introspect", "job:read"];

/// Who, what of their own tenant, what of others' and of the whole installation.
fn table() -> Vec<(Caller, &'static [&'static str], &'static [&'static str])> {
    let user = |role| Caller::new(Kind::User, "ann", "own", &[role]);
    vec![
        (Caller::anonymous(), &[], &[]),
        (Caller::new(Kind::User, "ann", "own", &[]), &[], &[]),
        (user(Role::Viewer), VIEWER, &[]),
        (user(Role::Editor), EDITOR, &[]),
        (user(Role::Admin), ADMIN, &[]),
        (user(Role::Operator), OPERATOR, OPERATOR),
        (Caller::new(Kind::User, "ann", "", &[Role::Operator]), OPERATOR, OPERATOR),
        (Caller::new(Kind::Service, "index", "", &[Role::Service]), SERVICE, SERVICE),
        (Caller::new(Kind::Key, "ann", "own", &[Role::Viewer]), VIEWER, &[]),
        // A tenant's role without a tenant is none.
        (Caller::new(Kind::User, "ann", "", &[Role::Admin]), &[], &[]),
    ]
}

#[test]
fn roles_may_what_the_table_says_and_nothing_else() {
    let door = door_at(NOW);
    for (caller, own, foreign) in table() {
        for action in Action::ALL {
            for (tenant, allowed) in [("own", own), ("other", foreign), ("*", foreign)] {
                for visibility in [Visibility::Tenant, Visibility::Public] {
                    let resource = match action.is_about_assets() {
                        true => Resource::asset(tenant, "cats/tom.jpg").visible_to(visibility),
                        false => Resource::tenant(tenant),
                    };
                    let public = *action == Action::AssetRead && visibility == Visibility::Public;
                    let wanted = public || allowed.contains(&action.as_str());
                    let found = door.explain(&caller, *action, &resource);
                    assert_eq!(found.allowed, wanted, "{caller:?} {action} {tenant} {visibility:?}: {found:?}");
                    assert!(found.errors.is_empty(), "{found:?}");
                }
            }
        }
    }
}

#[test]
fn an_action_of_pictures_on_a_tenant_is_denied_and_the_other_way_round() {
    let door = door_at(NOW);
    let admin = Caller::new(Kind::User, "ann", "own", &[Role::Admin, Role::Operator]);
    assert!(door.may(&admin, Action::AssetRead, &Resource::tenant("own")).is_err());
    assert!(door.may(&admin, Action::UserRead, &Resource::asset("own", "a.jpg")).is_err());
}

fn with(policy: &str) -> Door {
    let policies = Policies::with(&[("house".to_owned(), policy.to_owned())]).expect("a sound policy");
    let door = door_at(NOW);
    door.replace_policies(policies);
    door
}

#[test]
fn policies_of_the_configuration_add_and_forbid() {
    let editor = Caller::new(Kind::User, "ann", "own", &[Role::Editor]);
    let door = with(
        r#"@id("press is for Bob") forbid (principal, action, resource in Folder::"own/press") unless { principal == Caller::"bob" };
           permit (principal, action in [Action::"asset:search", Action::"asset:list"], resource)
           when { resource.visibility == "public" };"#,
    );
    let press = Resource::asset("own", "press/a.jpg");
    let denied = door.may(&editor, Action::AssetRead, &press).unwrap_err();
    assert!(denied.to_string().contains("house:press is for Bob"), "{denied}");
    assert!(door.may(&editor, Action::AssetRead, &Resource::asset("own", "pressed/a.jpg")).is_ok());
    let bob = Caller { subject: "bob".into(), ..editor };
    assert!(door.may(&bob, Action::AssetRead, &press).is_ok());
    let public = Resource::asset("x", "a.jpg").visible_to(Visibility::Public);
    assert!(door.may(&Caller::anonymous(), Action::AssetSearch, &public).is_ok());
}

#[test]
fn urls_are_signed_within_what_a_policy_allows_of_their_parameters() {
    let viewer = Caller::new(Kind::User, "ann", "own", &[Role::Viewer]);
    let door = with(
        r#"forbid (principal in Role::"viewer", action == Action::"url:sign", resource)
           when { context has width && context.width > 800 || context.parameters.contains("dpr") };"#,
    );
    let asset = Resource::asset("own", "a.jpg");
    let may =
        |parameters: &[(&str, &str)]| door.may(&viewer, Action::UrlSign, &asset.with_parameters(parameters)).is_ok();
    assert!(may(&[("w", "800"), ("f", "webp")]));
    assert!(!may(&[("w", "800.5")]), "a fraction does not pass");
    assert!(!may(&[("w", "801")]) && !may(&[("dpr", "2"), ("w", "10")]));
}

#[test]
fn policies_that_the_schema_does_not_bear_are_refused_whole() {
    for (policy, what) in [
        ("permit (principal, action, resource)", "house"),
        (r#"permit (principal, action == Action::"asset:fly", resource);"#, "asset:fly"),
        (r#"permit (principal, action == Action::"asset:read", resource) when { resource.path like "a*" };"#, "path"),
        (r#"permit (principal, action == Action::"asset:read", resource == Asset::"own/a.jpg");"#, "Folder"),
        (r#"permit (principal, action == Action::"asset:read", resource in Folder::"own");"#, "tenant/path"),
        (r#"permit (principal == ?principal, action, resource);"#, "templates"),
    ] {
        let refused = Policies::with(&[("house".to_owned(), policy.to_owned())]).unwrap_err();
        assert!(refused.to_string().contains(what), "{policy}: {refused}");
    }
}
