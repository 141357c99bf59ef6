//! Lists and single decisions never disagree, whatever the policies, the caller and the picture.

use crate::door_at;
use access::{Action, Caller, Grant, Kind, Policies, Reach, Resource, Role, Scope, Tenants, Visibility};
use jiff::Timestamp;
use proptest::prelude::*;

const NOW: i64 = 1_800_000_000;
const TENANTS: [&str; 4] = ["own", "other", "third", ""];
const PATHS: [&str; 7] = ["a", "a/b", "a/b/c", "a-b", "ab", "b", "a/bc"];
const POLICIES: [&str; 8] = [
    r#"forbid (principal, action, resource in Folder::"own/a");"#,
    r#"permit (principal, action, resource in Folder::"other/a/b") when { resource is Asset };"#,
    r#"forbid (principal, action, resource in Folder::"own/a/b") unless { resource is Asset && resource.mine };"#,
    r#"permit (principal, action == Action::"asset:search", resource) when { resource.visibility == "public" };"#,
    r#"permit (principal == Caller::"ann", action, resource) when { resource is Asset && resource.tenant == Tenant::"third" };"#,
    r#"forbid (principal, action == Action::"asset:read", resource) when { resource.visibility == "public" && !resource.mine };"#,
    r#"permit (principal, action == Action::"asset:read", resource in Folder::"own/a-b") when { principal.kind == "anonymous" };"#,
    r#"forbid (principal, action == Action::"asset:read", resource) when { context.now > datetime("2020-01-01") && resource in Folder::"own/ab" };"#,
];

fn callers() -> impl Strategy<Value = Caller> {
    let grant =
        (0..3_usize, prop::option::of(0..PATHS.len()), -60..60_i64).prop_map(|(tenant, below, seconds)| Grant {
            tenant: TENANTS[tenant].into(),
            actions: vec![Action::AssetRead, Action::AssetSearch],
            below: below.map(|at| PATHS[at].to_owned()).unwrap_or_default(),
            until: Timestamp::from_second(NOW + seconds).expect("near now"),
        });
    let scope = prop::sample::select(vec!["asset:*", "asset:read", "job:read", "*"]);
    let parts = (
        prop::sample::select(vec!["ann", "bob", ""]),
        prop::sample::select(TENANTS.to_vec()),
        prop::sample::subsequence(Role::ALL.to_vec(), 0..3),
        prop::collection::vec(grant, 0..3),
        prop::option::of(scope),
    );
    parts.prop_map(|(subject, tenant, roles, grants, scope)| {
        let kind = if subject.is_empty() { Kind::Anonymous } else { Kind::User };
        let scopes = scope.map(|text| text.parse::<Scope>().expect("a scope")).into_iter().collect();
        Caller { grants, scopes, ..Caller::new(kind, subject, tenant, &roles) }
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn a_reach_admits_exactly_what_may_be(
        caller in callers(),
        chosen in prop::sample::subsequence(POLICIES.to_vec(), 0..POLICIES.len()),
        action in prop::sample::select(vec![Action::AssetRead, Action::AssetSearch, Action::AssetEdit, Action::UrlSign]),
    ) {
        let door = door_at(NOW);
        door.replace_policies(Policies::with(&[("house".to_owned(), chosen.concat())]).expect("sound policies"));
        let reach = door.reach(&caller, action);
        prop_assert_eq!(&reach, &door.reach(&caller, action), "as it was remembered");
        for tenant in ["own", "other", "third", "unnamed"] {
            let within = reach.within(tenant);
            for path in PATHS.iter().copied().chain(["z", "a/b/c/d", "ab/x", "a-b/x"]) {
                for visibility in [Visibility::Tenant, Visibility::Public] {
                    for owner in [None, Some("ann"), Some("bob")] {
                        let asset = Resource { owner, ..Resource::asset(tenant, path).visible_to(visibility) };
                        let may = door.may(&caller, action, &asset).is_ok();
                        prop_assert_eq!(reach.admits(&asset), may, "{:?} {:?} {:?}", asset, caller, reach);
                        prop_assert_eq!(within.admits(&asset), may, "within");
                    }
                }
            }
        }
    }
}

#[test]
fn common_reaches_are_one_clause() {
    let door = door_at(NOW);
    let editor = Caller::new(Kind::User, "ann", "own", &[Role::Editor]);
    assert_eq!(door.reach(&editor, Action::AssetSearch), Reach::whole_tenant("own"));
    let read = door.reach(&editor, Action::AssetRead);
    assert_eq!(read.clauses().len(), 2);
    assert_eq!(read.clauses()[1].tenants, Tenants::AllBut(vec!["own".into()]));
    assert_eq!(read.clauses()[1].visibility, Some(Visibility::Public));
    assert!(door.reach(&Caller::anonymous(), Action::AssetSearch).is_nothing());
    assert!(door.reach(&editor, Action::UserRead).is_nothing(), "not about pictures");
}

#[test]
fn what_is_remembered_ends_with_the_policies_and_is_of_one_caller() {
    let door = door_at(NOW);
    let editor = Caller::new(Kind::User, "ann", "own", &[Role::Editor]);
    assert!(!door.reach(&editor, Action::AssetSearch).is_nothing());
    let scoped = Caller { scopes: "job:*".parse::<Scope>().into_iter().collect(), ..editor.clone() };
    assert!(door.reach(&scoped, Action::AssetSearch).is_nothing());
    let none = Caller { roles: [].into(), ..editor.clone() };
    assert!(door.reach(&none, Action::AssetSearch).is_nothing());
    let forbid = r#"forbid (principal, action == Action::"asset:search", resource);"#;
    door.replace_policies(Policies::with(&[("house".to_owned(), forbid.to_owned())]).expect("a sound policy"));
    assert!(door.reach(&editor, Action::AssetSearch).is_nothing());
}
