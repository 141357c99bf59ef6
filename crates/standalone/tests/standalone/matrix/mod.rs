//! Who may do what: every endpoint of every document, asked as everybody, in their own tenant and in another one.
//!
//! Deny by default: an endpoint that is in a document and not in [`table`] fails the test, and so does a line without an
//! endpoint. Whoever is refused must have changed nothing: what the request named is still there.

mod requests;
mod site;
mod table;

use requests::{Asked, request};
use site::{Site, TENANTS, Who};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use table::TABLE;

/// Methods and paths of the documents, such as `get /auth/v1/me`.
fn endpoints(site: &Site) -> Vec<String> {
    let mut all = Vec::new();
    for service in ["auth", "ingest", "index", "search"] {
        let document = site.told(&format!("/{service}/v1/openapi.json"));
        for (path, item) in document["paths"].as_object().expect("paths") {
            let operations = item.as_object().expect("operations").iter();
            let methods = operations.filter(|(_, operation)| operation["responses"].is_object());
            all.extend(methods.map(|(method, _)| format!("{method} {path}")));
        }
    }
    all
}

/// Who gets through, by their letters: first in the callers' own tenant, then in another one.
fn measured(site: &mut Site, endpoint: &str) -> [String; 2] {
    let mut through = [String::new(), String::new()];
    for (tenant, through) in TENANTS.into_iter().zip(&mut through) {
        for who in Who::ALL {
            let Asked { question, uses } = request(site, endpoint, tenant);
            let reply = site.ask(who, &question);
            let refused = matches!(reply.status, 401 | 403 | 404);
            let told = || format!("{endpoint} of {tenant} as {who:?}: {} {}", reply.status, reply.text());
            // Such a request would say nothing of who asks.
            assert!(!matches!(reply.status, 400 | 405 | 415 | 500), "{}", told());
            assert!(!refused || who != Who::Nobody || reply.status == 401, "{}", told());
            if !refused {
                through.push(who.letter());
            }
            if endpoint == "post /auth/v1/sign-out" {
                site.renew(who);
            }
            site.is_discreet(who, endpoint, tenant, &reply);
            let changes = !endpoint.starts_with("get ") && !endpoint.starts_with("head ");
            if let Some(thing) = uses.filter(|_| changes) {
                if refused {
                    site.is_there(thing, tenant, endpoint, who);
                } else {
                    site.used(thing, tenant);
                }
            }
        }
    }
    through
}

#[test]
fn everybody_may_what_the_table_says_and_nothing_else() {
    let mut site = Site::start();
    let expected: BTreeMap<&str, [&str; 2]> = TABLE.iter().map(|(name, own, other)| (*name, [*own, *other])).collect();
    assert_eq!(expected.len(), TABLE.len(), "one line for each");
    let endpoints = endpoints(&site);
    let mut wrong = String::new();
    for line in expected.keys().filter(|line| !endpoints.iter().any(|endpoint| endpoint == *line)) {
        let _ = writeln!(wrong, "{line} is in the table, and in no document");
    }
    for endpoint in &endpoints {
        let [own, other] = measured(&mut site, endpoint);
        let said = expected.get(endpoint.as_str());
        if said != Some(&[own.as_str(), other.as_str()]) {
            let _ = writeln!(wrong, "    ({endpoint:?}, {own:?}, {other:?}), // and the table says {said:?}");
        }
    }
    assert!(wrong.is_empty(), "who gets through is not who may:\n{wrong}");
    assert!(endpoints.len() >= 60, "{}", endpoints.len());
}
