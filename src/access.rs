//! Proofs other than a URL's signature: who may on the admin listener, and that a request came through the CDN.
//!
//! Knows no routes. Invariant: secrets are compared in constant time and with all that are in force, whichever it is.

use crate::config::{AdminConfig, Config, ProofConfig};
use crate::error::{Error, Kind};
use crate::secret::{Source, Value, Vault};
use crate::server::Peer;
use arc_swap::ArcSwapOption;
use http::{HeaderMap, HeaderName};
use service::admin::{Admin, Audit, Holder, Known, Token};
use std::sync::Arc;
use subtle::ConstantTimeEq as _;

/// Bytes of a token or value: shorter ones can be tried out.
const SHORTEST: usize = 32;

/// What of the config can be exchanged while requests are served, read and sound.
#[derive(Debug)]
pub(crate) struct Keyring {
    known: Known,
    /// Others can reach the admin listener.
    exposed: bool,
    proof: Option<Arc<Rules>>,
}

impl Keyring {
    /// Opens all secrets.
    ///
    /// # Errors
    /// One cannot be had or cannot be used, in words that name its place.
    pub(crate) fn read(config: &Config, vault: &Vault) -> Result<Self, String> {
        let mut tokens = Vec::new();
        for token in &config.admin.tokens {
            for value in open(&token.secret, vault).map_err(|error| format!("admin.tokens: {}: {error}", token.name))? {
                tokens.push(Token::new(&token.name, value.expose()));
            }
        }
        let holders =
            config.admin.clients.iter().map(|client| Holder::new(&client.name, &client.certificates)).collect();
        let known = Known { tokens, holders, closed_reads: !config.admin.open_reads };
        let exposed = !config.server.admin.ip().to_canonical().is_loopback();
        Ok(Self { known, exposed, proof: Rules::read(&config.proof, vault)?.map(Arc::new) })
    }
}

fn open(source: &Source, vault: &Vault) -> Result<Vec<Value>, String> {
    let values = vault.open(source)?;
    for value in &values {
        let bytes = value.expose().len();
        if bytes < SHORTEST {
            return Err(format!("{source} has {bytes} bytes; at least {SHORTEST} are asked for"));
        }
        if !value.expose().iter().all(u8::is_ascii_graphic) {
            return Err(format!("{source} has characters that a header cannot have, or white space"));
        }
    }
    Ok(values)
}

/// The doors beside signatures.
#[derive(Debug)]
pub(crate) struct Doors {
    admin: service::admin::Access,
    /// Others can reach the socket that is bound, whatever a later configuration says.
    exposed: bool,
    proof: ArcSwapOption<Rules>,
}

/// What shows that a request came through the CDN.
#[derive(Debug)]
struct Rules {
    header: HeaderName,
    values: Vec<Value>,
    certificates: Vec<String>,
}

impl Doors {
    pub(crate) fn new(keyring: Keyring) -> Self {
        let (admin, proof) = (service::admin::Access::open(), ArcSwapOption::empty());
        let doors = Self { admin, exposed: keyring.exposed, proof };
        doors.replace(keyring);
        doors
    }

    /// Whether these may take the place of those in force.
    ///
    /// # Errors
    /// Whoever reaches the listener could act, and others can.
    pub(crate) fn check(&self, keyring: &Keyring) -> Result<(), String> {
        let nobody = keyring.known.tokens.is_empty() && keyring.known.holders.is_empty();
        if self.exposed && nobody {
            return Err(
                "admin.tokens: the last is gone, and others reach the admin listener until the next start".into()
            );
        }
        Ok(())
    }

    /// From the next request on these hold.
    pub(crate) fn replace(&self, keyring: Keyring) {
        self.admin.replace(keyring.known);
        self.proof.store(keyring.proof);
    }

    /// The listener with tokens and an audit log.
    ///
    /// # Errors
    /// The audit file cannot be opened.
    pub(crate) fn hang(&self, admin: Admin, config: &AdminConfig) -> Result<Admin, String> {
        let audit = config.audit_file.as_deref().map_or_else(|| Ok(Audit::to_log()), Audit::to_file);
        let audit = audit.map_err(|error| format!("admin.audit_file: {error}"))?;
        Ok(admin.access(self.admin.clone()).audit(audit))
    }

    /// Whether the request comes from where requests may come from.
    ///
    /// # Errors
    /// [`Kind::NoProof`].
    pub(crate) fn admit(&self, peer: &Peer, headers: &HeaderMap) -> Result<(), Error> {
        let rules = self.proof.load();
        match &*rules {
            Some(rules) if !rules.proves(peer, headers) => Err(Kind::NoProof.into()),
            _ => Ok(()),
        }
    }
}

impl Rules {
    fn read(config: &ProofConfig, vault: &Vault) -> Result<Option<Self>, String> {
        let mut values = Vec::new();
        for value in &config.values {
            values.extend(open(&value.secret, vault).map_err(|error| format!("proof.values: {error}"))?);
        }
        let (header, certificates) = (config.header.clone(), config.certificates.clone());
        Ok((!values.is_empty() || !certificates.is_empty()).then_some(Self { header, values, certificates }))
    }

    fn proves(&self, peer: &Peer, headers: &HeaderMap) -> bool {
        let mut fields = headers.get_all(&self.header).into_iter();
        let shown = match (fields.next(), fields.next()) {
            (Some(field), None) => self.values.iter().fold(subtle::Choice::from(0), |found, value| {
                // All of them: how far down the list it stands does not show.
                found | value.expose().ct_eq(field.as_bytes())
            }),
            _ => subtle::Choice::from(0),
        };
        bool::from(shown) || peer.identity.as_ref().is_some_and(|identity| identity.is_one_of(&self.certificates))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::Identity;
    use http::HeaderValue;
    use std::net::IpAddr;

    const OLD: &str = "old-0123456789-0123456789-0123456789";
    const NEW: &str = "new-0123456789-0123456789-0123456789";

    fn doors(sets: &[&str]) -> Result<Doors, String> {
        let sets: Vec<String> = sets.iter().map(|set| (*set).to_owned()).collect();
        let loaded = service::config::load::<Config>(None, [], &sets).map_err(|errors| errors.to_string())?;
        Keyring::read(&loaded.config, &Vault::new(&loaded.config.secrets, &aws::Aws::new())).map(Doors::new)
    }

    fn request(fields: &[&'static str]) -> HeaderMap {
        let name = HeaderName::from_static("x-origin-verify");
        fields.iter().map(|field| (name.clone(), HeaderValue::from_static(field))).collect()
    }

    fn peer(names: &[&str], common_name: Option<&str>) -> Peer {
        let names = names.iter().map(|name| (*name).to_owned()).collect();
        let identity = Identity { names, common_name: common_name.map(str::to_owned), ..Identity::default() };
        Peer { address: IpAddr::from([127, 0, 0, 1]), secure: true, identity: Some(identity) }
    }

    #[test]
    fn any_of_the_values_proves() {
        let sets = [format!("proof.values.0.secret={NEW}"), format!("proof.values.1.secret={OLD}")];
        let doors = doors(&[&sets[0], &sets[1]]).unwrap();
        let plain = Peer::plain(IpAddr::from([127, 0, 0, 1]));
        for (fields, proves) in [
            (&[OLD][..], true),
            (&[NEW], true),
            (&[], false),
            (&[""], false),
            (&["old-0123456789-0123456789-012345678"], false),
            (&["OLD-0123456789-0123456789-0123456789"], false),
            (&[OLD, OLD], false),
        ] {
            assert_eq!(doors.admit(&plain, &request(fields)).is_ok(), proves, "{fields:?}");
        }
        assert!(doors.admit(&peer(&["cdn.example.org"], None), &request(&[])).is_err(), "no certificate is asked for");
        assert!(!format!("{doors:?}").contains("0123456789"));
    }

    /// The socket stays where it was bound, whatever the new configuration says of it.
    #[test]
    fn the_last_proof_stays_where_others_reach_the_admin_listener() {
        let token = format!("admin.tokens.0.secret={NEW}");
        let exposed = doors(&["server.admin=0.0.0.0:1", "admin.tokens.0.name=ops", &token]).unwrap();
        let read = |sets: &[&str]| {
            let sets: Vec<String> = sets.iter().map(|set| (*set).to_owned()).collect();
            let loaded = service::config::load::<Config>(None, [], &sets).unwrap();
            Keyring::read(&loaded.config, &Vault::new(&loaded.config.secrets, &aws::Aws::new())).unwrap()
        };
        assert!(exposed.check(&read(&[])).is_err());
        assert!(exposed.check(&read(&["admin.tokens.0.name=ops", &token])).is_ok());
        assert!(doors(&[]).unwrap().check(&read(&[])).is_ok());
    }

    #[test]
    fn so_does_a_certificate() {
        let doors = doors(&["proof.certificates=cdn.example.org, *.edge.example.org"]).unwrap();
        let plain = Peer::plain(IpAddr::from([127, 0, 0, 1]));
        assert!(doors.admit(&plain, &request(&[OLD])).is_err());
        for (names, common, proves) in [
            (&["CDN.example.org"][..], None, true),
            (&["a.edge.example.org"], None, true),
            (&["x", "a.b.edge.example.org"], None, true),
            (&[], Some("cdn.example.org"), true),
            (&["edge.example.org"], None, false),
            (&[".edge.example.org"], None, false),
            (&["aedge.example.org", "evilcdn.example.org", "cdn.example.org.evil"], Some("evil"), false),
            (&[], None, false),
        ] {
            assert_eq!(doors.admit(&peer(names, common), &request(&[])).is_ok(), proves, "{names:?} {common:?}");
        }
    }

    #[test]
    fn without_rules_everybody_may() {
        let plain = Peer::plain(IpAddr::from([127, 0, 0, 1]));
        assert!(doors(&[]).unwrap().admit(&plain, &request(&[])).is_ok());
    }

    #[test]
    fn what_a_header_cannot_have_is_no_value() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("value");
        let set = format!("proof.values.0.secret_file={}", path.display());
        std::fs::write(&path, format!("{OLD} {OLD}")).unwrap();
        assert!(doors(&[&set]).unwrap_err().contains("white space"));
        std::fs::write(&path, "brief").unwrap();
        let error = doors(&[&set]).unwrap_err();
        assert!(error.contains("has 5 bytes") && !error.contains("brief"), "{error}");
        let token = "admin.tokens.0.secret_env=TINTYPE_NO_SUCH";
        assert!(doors(&["admin.tokens.0.name=ops", token]).unwrap_err().starts_with("admin.tokens: ops: "));
    }
}
