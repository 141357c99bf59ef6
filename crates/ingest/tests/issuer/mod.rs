//! An issuer of tokens for tests and measurements of the binary, and an editor's token of it.

use access::Role;
use access::token::Signer;
use access::token::claims::Claims;
use std::path::Path;
use testkit::{Act, Origin, Process};

/// Publishes one key. Ends when dropped.
pub(crate) struct Issuer {
    origin: Origin,
    /// `Bearer …` of an editor of the tenant `main`, good for an hour.
    pub(crate) token: String,
}

impl Issuer {
    pub(crate) fn new() -> Self {
        let (origin, signer) = (Origin::new(), Signer::generate_eddsa().expect("random bytes"));
        let keys = serde_json::json!({ "keys": [signer.jwk()] }).to_string();
        origin.on("/jwks.json", (0..100).map(|_| Act::ok(&[("content-type", "application/json")], keys.clone())));
        let now = jiff::Timestamp::now().as_second();
        let claims = Claims {
            iss: origin.base(),
            aud: "tintype".to_owned(),
            sub: "eddy".to_owned(),
            exp: now + 3600,
            iat: now,
            jti: "1".to_owned(),
            sid: "1".to_owned(),
            tenant: "main".to_owned(),
            roles: vec![Role::Editor],
            scope: String::new(),
            grants: Vec::new(),
        };
        let token = signer.sign("at+jwt", &claims).expect("claims that can be written");
        Self { origin, token: format!("Bearer {token}") }
    }

    /// `tintype-ingest` on embedded parts in a folder, which takes these tokens.
    pub(crate) fn serve(&self, binary: &Path, data: &Path, more: &[&str]) -> Process {
        let sets = [
            format!("store.root={}", data.join("store").display()),
            format!("catalog.sqlite.path={}", data.join("catalog.db").display()),
            format!("jobs.path={}", data.join("jobs.db").display()),
            format!("access.issuers.0.issuer={}", self.origin.base()),
            format!("access.issuers.0.jwks={}jwks.json", self.origin.base()),
        ];
        let more = more.iter().map(|set| (*set).to_owned());
        Process::serve_in(binary, &[], &sets.into_iter().chain(more).collect::<Vec<_>>(), &[("TINTYPE_LOG", "info")])
    }
}

/// The most memory that a process has ever held, in bytes.
pub(crate) fn peak(server: &Process) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", server.id())).expect("Linux");
    let held = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("a running process");
    held.trim().trim_end_matches(" kB").parse::<u64>().expect("a number") << 10
}
