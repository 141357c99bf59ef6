//! For each endpoint a request that is sound, so that it is the caller who is refused and not the request.
//!
//! Invariant: what is made is made below `in`, so that who was granted an upload there is asked fairly.

use super::site::{PASSWORD, Question, Site, Thing, soon};
use base64::Engine as _;
use serde_json::{Value, json};

/// A request, and what it names.
pub(super) struct Asked {
    pub(super) question: Question,
    pub(super) uses: Option<Thing>,
}

/// What the last parameter of a path names.
fn named(path: &str, method: &str) -> Option<Thing> {
    let after = |start: &str| path.strip_prefix(start).filter(|rest| rest.starts_with('{'));
    Some(match path {
        _ if path.starts_with("/ingest/v1/assets/{id}/restore") => Thing::Deleted,
        _ if after("/ingest/v1/assets/").is_some() => Thing::Asset,
        _ if after("/ingest/v1/quarantine/").is_some() => Thing::Quarantined,
        _ if after("/ingest/v1/uploads/").is_some() => Thing::Upload,
        _ if after("/ingest/v1/direct/").is_some() => Thing::Direct,
        _ if after("/index/v1/jobs/").is_some() => Thing::Job,
        _ if after("/auth/v1/sessions/").is_some() => Thing::Session,
        _ if path.ends_with("/keys/{key}") => Thing::Key,
        _ if path.ends_with("/grants/{grant}") => Thing::Grant,
        _ if path.ends_with("/users/{user}") => Thing::User,
        "/search/v1/similar" => Thing::Asset,
        "/index/v1/jobs/replay" if method == "post" => Thing::Job,
        _ => return None,
    })
}

pub(super) fn request(site: &mut Site, endpoint: &str, tenant: &'static str) -> Asked {
    let (method, path) = endpoint.split_once(' ').expect("a method and a path");
    let uses = named(path, method);
    let name = uses.map(|thing| site.thing(thing, tenant)).unwrap_or_default();
    let fresh = format!("in/{}.png", site.number());
    let mut target = path.replace("{tenant}", tenant).replace("{version}", "1");
    for parameter in ["{id}", "{key}", "{grant}", "{user}", "{session}"] {
        target = target.replace(parameter, &name);
    }
    if path == "/search/v1/similar" {
        site.until_found(&name, tenant);
        return Asked { question: Question::new(method, format!("{target}?to={name}")), uses };
    }
    let question = match path.split('/').nth(1) {
        Some("auth") => auth(site, method, path, target, tenant),
        Some("ingest") => ingest(site, method, path, &target, tenant, &fresh),
        Some("index") => index(method, path, target, tenant, &name),
        _ => search(method, path, &target, tenant),
    };
    Asked { question, uses }
}

fn auth(site: &Site, method: &str, path: &str, target: String, tenant: &'static str) -> Question {
    let number = site.number();
    let body = match (method, path.trim_start_matches("/auth/v1/")) {
        ("post", "tenants") => json!({ "id": format!("t{number}"), "name": "New" }),
        ("patch", "tenants/{tenant}" | "tenants/{tenant}/users/{user}") => json!({ "name": "Other" }),
        ("post", "tenants/{tenant}/users") => {
            json!({ "email": format!("n{number}@people.example"), "name": "N", "password": PASSWORD, "roles": ["viewer"] })
        }
        ("post", "tenants/{tenant}/keys") => json!({ "name": "k", "roles": ["viewer"] }),
        ("post", "tenants/{tenant}/grants") => {
            json!({ "subject": site.subject(tenant), "actions": ["asset:read"], "until": soon() })
        }
        ("post", "tenants/{tenant}/urls" | "tenants/{tenant}/cloudfront") => {
            json!({ "path": "a.jpg", "expiresIn": 60 })
        }
        ("post", "tenants/{tenant}/uploads") => json!({ "below": "in", "expiresIn": 60 }),
        ("post", "introspect") => json!({ "token": "x" }),
        ("post", "policies/decisions") => {
            json!({ "subject": "x", "tenant": "main", "roles": [], "action": "user:read" })
        }
        ("post", "password") => json!({ "current": PASSWORD, "new": PASSWORD }),
        ("post", "sign-in") => json!({ "email": "admin@main.example", "password": PASSWORD }),
        ("post", "sign-up") => {
            json!({ "email": format!("x{number}@people.example"), "name": "X", "password": PASSWORD })
        }
        ("post", "refresh") => json!({ "refreshToken": site.refresh_token() }),
        ("post", "sign-out") => json!({}),
        _ => Value::Null,
    };
    let question = Question::new(method, target);
    if body.is_null() { question } else { question.json(&body) }
}

fn ingest(site: &mut Site, method: &str, path: &str, target: &str, tenant: &'static str, fresh: &str) -> Question {
    let whose = format!("{target}?tenant={tenant}");
    let mut base = Question::new(method, whose);
    match (method, path.trim_start_matches("/ingest/v1/")) {
        ("options", _) => Question::new(method, target),
        ("post", "uploads") => {
            let encoded = |text: &str| base64::prelude::BASE64_STANDARD.encode(text);
            let metadata = format!("path {},tenant {}", encoded(fresh), encoded(tenant));
            let question = Question::new(method, target).field("tus-resumable", "1.0.0");
            question.field("upload-length", "100").field("upload-metadata", metadata)
        }
        ("patch", "uploads/{id}") => {
            let part = Question::new(method, target).field("tus-resumable", "1.0.0").field("upload-offset", "0");
            part.bytes("application/offset+octet-stream", vec![0; 10])
        }
        (_, "uploads/{id}") => Question::new(method, target).field("tus-resumable", "1.0.0"),
        ("patch", "assets/{id}") => base.json(&json!({ "title": "New" })).field("if-match", "*"),
        ("delete", "assets/{id}") => base.field("if-match", "*"),
        ("post", "assets/{id}/restore" | "assets/{id}/versions/{version}/restore" | "quarantine/{id}") => {
            base.json(&json!({}))
        }
        ("post", "replication-check") => Question::new(method, target).json(&json!({ "repair": false })),
        ("put", "assets/{id}/content") => base.bytes("image/png", site.picture()),
        ("get", "contents/{hash}") => {
            let hash = site.hash(tenant);
            base.target = base.target.replace("{hash}", &hash);
            base
        }
        ("get", place) if place.starts_with("paths/") => {
            base.target = format!("/ingest/v1/paths/{}?tenant={tenant}", site.path(tenant));
            base
        }
        ("put", place) if place.starts_with("files/") => {
            base.target = format!("/ingest/v1/files/{fresh}?tenant={tenant}");
            base.bytes("image/png", site.picture())
        }
        ("post", "files") => {
            let mut body = Vec::new();
            for (name, value) in [("path", fresh), ("tenant", tenant)] {
                body.extend(
                    format!("--b\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n").bytes(),
                );
            }
            body.extend(b"--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"x.png\"\r\n\r\n");
            body.extend(site.picture());
            body.extend(b"\r\n--b--\r\n");
            Question::new(method, target).bytes("multipart/form-data; boundary=b", body)
        }
        ("post", "direct") => {
            Question::new(method, target).json(&json!({ "path": fresh, "bytes": 10, "tenant": tenant }))
        }
        // Where it leads is refused, once it is clear that the caller may upload.
        ("post", "imports") => Question::new(method, target)
            .json(&json!({ "url": "http://127.0.0.1:9/", "path": fresh, "tenant": tenant })),
        _ => base,
    }
}

fn index(method: &str, path: &str, target: String, tenant: &str, job: &str) -> Question {
    match (method, path.trim_start_matches("/index/v1/")) {
        ("post", "check") => Question::new(method, target).json(&json!({ "repair": false })),
        ("post", "jobs/replay") => Question::new(method, target).json(&json!({ "ids": [job] })),
        ("get", "jobs") => Question::new(method, format!("{target}?tenant={tenant}")),
        _ => Question::new(method, target),
    }
}

fn search(method: &str, path: &str, target: &str, tenant: &str) -> Question {
    let words = if path.ends_with("/suggest") { "zan" } else { "zanzibar" };
    Question::new(method, format!("{target}?q={words}&tenant={tenant}"))
}
