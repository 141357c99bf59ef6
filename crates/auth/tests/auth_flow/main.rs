//! Whole flows by requests: who signs in, what follows, and what is refused.

mod audit;
mod contract;
mod elsewhere;
mod ended;
mod flow;
mod keys;
mod signed;
mod stranger;

use auth::{Auth, Config, Parts};
use companion::Companion;
use companion::testing::{Answered, ask_json, base};
use jiff::Timestamp;
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

/// What the tests' clock begins with.
const NOW: i64 = 1_800_000_000;
const PASSWORD: &str = "a long enough password";

/// A running auth with a clock of its own.
struct Site {
    companion: Companion,
    auth: Arc<Auth>,
    clock: Arc<AtomicI64>,
    /// Of the first administrator.
    admin: String,
}

impl Site {
    /// With a database, and further keys of the configuration.
    async fn open(database: &str, sets: &[&str]) -> Self {
        let plain = [
            &format!("auth.database={database}"),
            "auth.secret=a secret of the installation, for tests",
            "auth.passwords.memory=64KiB",
            "auth.passwords.rounds=1",
        ];
        let sets: Vec<String> =
            plain.iter().map(|set| (*set).to_owned()).chain(sets.iter().map(|set| (*set).to_owned())).collect();
        let config = service::config::load::<Config>(None, [], &sets).expect("a sound config").config;
        let clock = Arc::new(AtomicI64::new(NOW));
        let told = Arc::clone(&clock);
        let time = Arc::new(move || Timestamp::from_second(told.load(Ordering::Relaxed)).expect("near now"));
        let auth = Auth::open_at(&config, time).await.expect("it opens");
        let first = auth.first_administrator("main").await.expect("the database");
        let parts = Parts { auth: Arc::clone(&auth), base: base(&["rate=0.0"]) };
        let companion = auth::build(&config, parts).expect("it is built");
        let mut site = Self { companion, auth, clock, admin: String::new() };
        if let Some(first) = first {
            site.admin =
                site.sign_in(&first.email, &first.password).await["accessToken"].as_str().expect("a token").into();
        }
        site
    }

    async fn memory() -> Self {
        Self::open(":memory:", &[]).await
    }

    /// So many seconds later.
    fn later(&self, seconds: i64) {
        self.clock.fetch_add(seconds, Ordering::Relaxed);
    }

    async fn ask(&self, method: &str, path: &str, token: &str, body: Value) -> Answered {
        ask_json(&self.companion, method, &format!("/auth/v1/{path}"), token, &body).await
    }

    /// The JSON of an answer of this status.
    async fn told(&self, status: u16, method: &str, path: &str, token: &str, body: Value) -> Value {
        let answer = self.ask(method, path, token, body).await;
        assert_eq!(answer.status(), status, "{method} {path}: {}", answer.json());
        answer.json()
    }

    async fn sign_in(&self, email: &str, password: &str) -> Value {
        self.told(200, "POST", "sign-in", "", json!({ "email": email, "password": password })).await
    }

    /// A user of a tenant, which is made where there is none; their tokens.
    async fn user(&self, tenant: &str, name: &str, roles: &[&str]) -> Value {
        self.ask("POST", "tenants", &self.admin, json!({ "id": tenant, "name": tenant })).await;
        let email = format!("{name}@example.com");
        let body = json!({ "email": email, "name": name, "password": PASSWORD, "roles": roles });
        self.told(201, "POST", &format!("tenants/{tenant}/users"), &self.admin, body).await;
        self.sign_in(&email, PASSWORD).await
    }
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_else(|| panic!("{name} in {value}"))
}
