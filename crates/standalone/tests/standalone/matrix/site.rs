//! A running platform with two tenants, somebody of each kind in the first, and things in both that can be asked for.
//!
//! Invariant: things are made by each tenant's own administrator, and made anew once they were used up.

use crate::parts::{bucket, store};
use crate::server::Server;
use serde_json::{Value, json};
use std::cell::Cell;
use std::collections::HashMap;
use std::time::Duration;
use testkit::s3::Inside;
use testkit::wire::{self, Connection, Reply};

/// The callers' own, and another one.
pub(super) const TENANTS: [&str; 2] = ["main", "other"];
/// What is told of a picture of the other tenant, and of nothing else.
const MARK: &str = "zanzibar";
pub(super) const PASSWORD: &str = "a long enough password";

/// In an hour.
pub(super) fn soon() -> String {
    (jiff::Timestamp::now() + Duration::from_secs(3600)).to_string()
}

/// Who asks. All but the operator and the service are of the first tenant; whose things there are is its administrator's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Who {
    Nobody,
    Viewer,
    Editor,
    Admin,
    Operator,
    Service,
    /// Who has been granted an upload below `in`.
    Upload,
    /// A key of an editor that is limited to reading pictures.
    Scoped,
}

impl Who {
    pub(super) const ALL: [Self; 8] = [
        Self::Nobody,
        Self::Viewer,
        Self::Editor,
        Self::Admin,
        Self::Operator,
        Self::Service,
        Self::Upload,
        Self::Scoped,
    ];

    pub(super) const fn letter(self) -> char {
        match self {
            Self::Nobody => 'N',
            Self::Viewer => 'V',
            Self::Editor => 'E',
            Self::Admin => 'A',
            Self::Operator => 'O',
            Self::Service => 'S',
            Self::Upload => 'U',
            Self::Scoped => 'K',
        }
    }
}

/// What a path can name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Thing {
    Asset,
    Deleted,
    Quarantined,
    Key,
    Grant,
    User,
    Session,
    Upload,
    Direct,
    Job,
}

/// A request, but for who asks.
#[derive(Debug, Default)]
pub(super) struct Question {
    pub(super) method: String,
    pub(super) target: String,
    pub(super) fields: Vec<(&'static str, String)>,
    pub(super) body: Vec<u8>,
}

impl Question {
    pub(super) fn new(method: &str, target: impl Into<String>) -> Self {
        Self { method: method.to_uppercase(), target: target.into(), ..Self::default() }
    }

    pub(super) fn json(mut self, body: &Value) -> Self {
        self.fields.push(("content-type", "application/json".to_owned()));
        self.body = body.to_string().into_bytes();
        self
    }

    pub(super) fn bytes(mut self, kind: &str, body: Vec<u8>) -> Self {
        self.fields.push(("content-type", kind.to_owned()));
        self.body = body;
        self
    }

    pub(super) fn field(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.fields.push((name, value.into()));
        self
    }
}

pub(super) struct Site {
    server: Server,
    /// Originals are in a bucket, so that there are uploads into it.
    _s3: Inside,
    tokens: HashMap<Who, String>,
    /// Of each tenant's administrator.
    admins: HashMap<&'static str, String>,
    things: HashMap<(Thing, &'static str), String>,
    number: Cell<u32>,
}

impl Site {
    pub(super) fn start() -> Self {
        let s3 = Inside::start(&["originals"]);
        let (file, mut sets) = (bucket(s3.address), store(s3.address));
        sets.extend(
            [
                "requests.rate=0.0",
                "auth.access_token=1h",
                "auth.sign_up=true",
                "auth.lockout.network=100000",
                "jobs.rest=1h",
                "jobs.longest_rest=1h",
            ]
            .map(str::to_owned),
        );
        // Nobody listens there, and it would not be asked: jobs that stay.
        sets.push("ingest.webhooks.0.url=http://127.0.0.1:9/".to_owned());
        sets.push("ingest.webhooks.0.secret=a secret of the webhook".to_owned());
        let server = Server::start_with(&file, &sets);
        let (tokens, admins) = (HashMap::new(), HashMap::new());
        let mut site = Self { server, _s3: s3, tokens, admins, things: HashMap::new(), number: Cell::new(0) };
        site.people();
        let hidden = Question::new("put", format!("/ingest/v1/files/{MARK}.png?title={MARK}&tags={MARK}"));
        site.made(&site.admins["other"], &hidden.bytes("image/png", site.picture()), "/asset/id");
        site
    }

    fn people(&mut self) {
        let first = self.sign_in("admin@localhost", &self.server.password.clone());
        let made = |site: &Self, target: &str, body: Value, place: &str| {
            site.made(&first, &Question::new("post", target).json(&body), place)
        };
        made(self, "/auth/v1/tenants", json!({ "id": "other", "name": "Other" }), "/id");
        for tenant in TENANTS {
            let email = format!("admin@{tenant}.example");
            let body = json!({ "email": email, "name": "A", "password": PASSWORD, "roles": ["admin"] });
            made(self, &format!("/auth/v1/tenants/{tenant}/users"), body, "/id");
            let token = self.sign_in(&email, PASSWORD);
            self.admins.insert(tenant, token);
        }
        self.tokens.insert(Who::Admin, self.admins["main"].clone());
        for (who, role) in [(Who::Viewer, "viewer"), (Who::Editor, "editor")] {
            let email = format!("{role}@people.example");
            let body = json!({ "email": email, "name": role, "password": PASSWORD, "roles": [role] });
            made(self, "/auth/v1/tenants/main/users", body, "/id");
            let token = self.sign_in(&email, PASSWORD);
            self.tokens.insert(who, token);
        }
        let body =
            json!({ "email": "operator@people.example", "name": "O", "password": PASSWORD, "roles": ["operator"] });
        made(self, "/auth/v1/tenants/*/users", body, "/id");
        let operator = self.sign_in("operator@people.example", PASSWORD);
        self.tokens.insert(Who::Operator, operator);
        let service = made(self, "/auth/v1/tenants/*/keys", json!({ "name": "s", "roles": ["service"] }), "/secret");
        self.tokens.insert(Who::Service, service);
        let scoped = json!({ "name": "scoped", "roles": ["editor"], "scopes": ["asset:read"] });
        let scoped = made(self, "/auth/v1/tenants/main/keys", scoped, "/secret");
        self.tokens.insert(Who::Scoped, scoped);
        let upload = json!({ "below": "in", "expiresIn": 3600 });
        let upload = made(self, "/auth/v1/tenants/main/uploads", upload, "/token");
        self.tokens.insert(Who::Upload, upload);
    }

    fn sign_in(&self, email: &str, password: &str) -> String {
        let body = json!({ "email": email, "password": password });
        self.made("", &Question::new("post", "/auth/v1/sign-in").json(&body), "/accessToken")
    }

    /// Somebody who has signed out signs in again.
    pub(super) fn renew(&mut self, who: Who) {
        let email = match who {
            Who::Viewer => "viewer@people.example",
            Who::Editor => "editor@people.example",
            Who::Admin => "admin@main.example",
            Who::Operator => "operator@people.example",
            Who::Nobody | Who::Service | Who::Upload | Who::Scoped => return,
        };
        let token = self.sign_in(email, PASSWORD);
        if who == Who::Admin {
            self.admins.insert("main", token.clone());
        }
        self.tokens.insert(who, token);
    }

    /// Of a session that has just begun.
    pub(super) fn refresh_token(&self) -> String {
        let body = json!({ "email": "admin@main.example", "password": PASSWORD });
        self.made("", &Question::new("post", "/auth/v1/sign-in").json(&body), "/refreshToken")
    }

    /// Another number each time.
    pub(super) fn number(&self) -> u32 {
        self.number.set(self.number.get() + 1);
        self.number.get()
    }

    /// Another picture each time.
    pub(super) fn picture(&self) -> Vec<u8> {
        testkit::picture::noise(8, 8, u64::from(self.number()))
    }

    fn send(&self, token: &str, question: &Question) -> Reply {
        let (bearer, length) = (format!("Bearer {token}"), question.body.len().to_string());
        let mut fields = vec![("content-length", length.as_str()), ("connection", "close")];
        if !token.is_empty() {
            fields.push(("authorization", &bearer));
        }
        fields.extend(question.fields.iter().map(|(name, value)| (*name, value.as_str())));
        let message = [wire::head(&question.method, &question.target, &fields).as_bytes(), &question.body].concat();
        let asked = Connection::open(self.server.address).and_then(|mut connection| {
            connection.send(&message)?;
            connection.reply(&question.method)
        });
        asked.unwrap_or_else(|error| panic!("{question:?}: {error}"))
    }

    pub(super) fn ask(&self, who: Who, question: &Question) -> Reply {
        self.send(self.tokens.get(&who).map_or("", String::as_str), question)
    }

    /// What a request that is taken answers at a place.
    fn made(&self, token: &str, question: &Question, place: &str) -> String {
        let reply = self.send(token, question);
        assert!(reply.status < 300, "{question:?}: {} {}", reply.status, reply.text());
        let value: Value = serde_json::from_slice(&reply.body).unwrap_or_default();
        let text = value.pointer(place).and_then(Value::as_str);
        text.unwrap_or_else(|| panic!("{place} in {value}")).to_owned()
    }

    /// A document that everybody may have.
    pub(super) fn told(&self, target: &str) -> Value {
        let reply = self.send("", &Question::new("get", target));
        assert_eq!(reply.status, 200, "{target}");
        serde_json::from_slice(&reply.body).expect("JSON")
    }

    /// The name of a thing of that kind in that tenant.
    pub(super) fn thing(&mut self, thing: Thing, tenant: &'static str) -> String {
        if let Some(there) = self.things.get(&(thing, tenant)) {
            return there.clone();
        }
        let made = self.make(thing, tenant);
        self.things.insert((thing, tenant), made.clone());
        made
    }

    fn make(&self, thing: Thing, tenant: &'static str) -> String {
        let (admin, number) = (self.admins[tenant].clone(), self.number());
        let post =
            |path: String, body: Value, place: &str| self.made(&admin, &Question::new("post", path).json(&body), place);
        let put = |bytes: Vec<u8>| {
            let question =
                Question::new("put", format!("/ingest/v1/files/things/{number}.png")).bytes("image/png", bytes);
            self.made(&admin, &question, "/asset/id")
        };
        match thing {
            Thing::Asset => put(self.picture()),
            Thing::Deleted => {
                let id = put(self.picture());
                let gone = self.send(&admin, &Question::new("delete", format!("/ingest/v1/assets/{id}")));
                assert!(gone.status < 300, "{}", gone.text());
                id
            }
            Thing::Quarantined => put([&self.picture()[..], b"<html><script>alert(1)</script></html>"].concat()),
            Thing::Key => {
                post(format!("/auth/v1/tenants/{tenant}/keys"), json!({ "name": "k", "roles": ["viewer"] }), "/key/id")
            }
            Thing::Grant => {
                let body = json!({ "subject": self.subject(tenant), "actions": ["asset:read"], "until": soon() });
                post(format!("/auth/v1/tenants/{tenant}/grants"), body, "/id")
            }
            Thing::User => {
                let email = format!("u{number}@people.example");
                let body = json!({ "email": email, "name": "U", "password": PASSWORD, "roles": ["viewer"] });
                post(format!("/auth/v1/tenants/{tenant}/users"), body, "/id")
            }
            Thing::Session => {
                self.sign_in(&format!("admin@{tenant}.example"), PASSWORD);
                let listed = self.send(&admin, &Question::new("get", "/auth/v1/sessions"));
                let listed: Value = serde_json::from_slice(&listed.body).expect("JSON");
                let sessions = listed.as_array().or(listed["items"].as_array()).expect("sessions");
                let other = sessions.iter().find(|session| session["current"] != true).expect("the one just begun");
                other["id"].as_str().expect("an id").to_owned()
            }
            Thing::Upload => {
                use base64::Engine as _;
                let name = base64::prelude::BASE64_STANDARD.encode(format!("things/{number}.png"));
                let question = Question::new("post", "/ingest/v1/uploads")
                    .field("tus-resumable", "1.0.0")
                    .field("upload-length", "100")
                    .field("upload-metadata", format!("path {name}"));
                let begun = self.send(&admin, &question);
                assert_eq!(begun.status, 201, "{}", begun.text());
                begun.field("location").rsplit('/').next().expect("an id").to_owned()
            }
            Thing::Direct => {
                let body = json!({ "path": format!("things/{number}.png"), "bytes": 10 });
                post("/ingest/v1/direct".to_owned(), body, "/id")
            }
            Thing::Job => {
                let target = format!("/index/v1/jobs?kind=webhook&tenant={tenant}");
                let began = std::time::Instant::now();
                loop {
                    let page = self.send(&admin, &Question::new("get", target.clone()));
                    let page: Value = serde_json::from_slice(&page.body).expect("JSON");
                    let waiting = page["items"].as_array().expect("a page").iter();
                    let mut waiting =
                        waiting.filter(|job| matches!(job["state"].as_str(), Some("delayed" | "ready" | "dead")));
                    if let Some(job) = waiting.next() {
                        return job["id"].as_str().expect("an id").to_owned();
                    }
                    assert!(began.elapsed().as_secs() < 20, "no job of {tenant}: {page}");
                    put(self.picture());
                    std::thread::sleep(Duration::from_millis(50));
                }
            }
        }
    }

    /// The path of a picture of that tenant.
    pub(super) fn path(&mut self, tenant: &'static str) -> String {
        self.record(tenant)["path"].as_str().expect("a path").to_owned()
    }

    /// The hash of a picture of that tenant.
    pub(super) fn hash(&mut self, tenant: &'static str) -> String {
        self.record(tenant)["content"]["hash"].as_str().expect("a hash").to_owned()
    }

    fn record(&mut self, tenant: &'static str) -> Value {
        let id = self.thing(Thing::Asset, tenant);
        let reply = self.send(&self.admins[tenant], &Question::new("get", format!("/ingest/v1/assets/{id}")));
        let answer: Value = serde_json::from_slice(&reply.body).expect("JSON");
        answer["asset"].clone()
    }

    /// Waits until a picture can be found.
    pub(super) fn until_found(&self, id: &str, tenant: &'static str) {
        let began = std::time::Instant::now();
        let target = format!("/search/v1/similar?to={id}");
        while self.send(&self.admins[tenant], &Question::new("get", target.clone())).status != 200 {
            assert!(began.elapsed().as_secs() < 20, "{id} is not found");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// The account of that tenant's administrator.
    pub(super) fn subject(&self, tenant: &'static str) -> String {
        self.made(&self.admins[tenant], &Question::new("get", "/auth/v1/me"), "/subject")
    }

    /// It has been used up.
    pub(super) fn used(&mut self, thing: Thing, tenant: &'static str) {
        self.things.remove(&(thing, tenant));
    }

    /// It is still there for its own administrator, after somebody was refused.
    pub(super) fn is_there(&self, thing: Thing, tenant: &'static str, endpoint: &str, who: Who) {
        let id = &self.things[&(thing, tenant)];
        let target = match thing {
            Thing::Asset | Thing::Deleted | Thing::Quarantined => format!("/ingest/v1/assets/{id}"),
            Thing::User => format!("/auth/v1/tenants/{tenant}/users/{id}"),
            Thing::Upload => format!("/ingest/v1/uploads/{id}"),
            Thing::Job => format!("/index/v1/jobs/{id}"),
            Thing::Key => format!("/auth/v1/tenants/{tenant}/keys"),
            Thing::Grant => format!("/auth/v1/tenants/{tenant}/grants"),
            Thing::Session => "/auth/v1/sessions".to_owned(),
            Thing::Direct => return,
        };
        let reply = self.send(&self.admins[tenant], &Question::new("get", target));
        let there = reply.status == 200 && reply.text().contains(id.as_str());
        assert!(there, "{who:?} was refused {endpoint}, and {thing:?} is gone: {} {}", reply.status, reply.text());
    }

    /// Whoever is of one tenant hears nothing of another one's pictures.
    pub(super) fn is_discreet(&self, who: Who, endpoint: &str, tenant: &str, reply: &Reply) {
        // Jobs name the pictures that they are about, and both of these see those of all tenants.
        let everywhere = who == Who::Service || who == Who::Operator && endpoint.contains("/index/v1/jobs");
        let told = reply.text().contains(MARK);
        assert!(!told || everywhere, "{endpoint} of {tenant} tells {who:?}: {}", reply.text());
        if who == Who::Service && tenant == "other" && endpoint == "get /search/v1/assets" {
            assert!(told, "else nothing would have been kept from the others: {}", reply.text());
        }
    }
}
