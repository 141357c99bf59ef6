//! One struct of every module's part. Parsed once, whole and loudly: all errors together, nothing clamped.
//!
//! Each part declares its keys beside the code that uses them; `config.toml` is printed from the same declarations.

mod admin;
mod fetch;
mod moment;
mod page;
mod places;
mod route;
mod shown;
mod signing;

pub use admin::{AdminConfig, ProofConfig};
pub use fetch::FetchConfig;
pub use moment::Moment;
pub use page::PageConfig;
pub use route::{PresetConfig, RouteConfig};
pub use signing::{KeyConfig, SigningConfig, SigningMode};

use crate::access_log::AccessConfig;
use crate::cache::config::CacheConfig;
use crate::limit::config::LimitsConfig;
use crate::pressure::config::MemoryConfig;
use crate::purge::config::PurgeConfig;
use crate::render::assets::{FontConfig, WatermarkConfig};
use crate::render::config::RenderConfig;
use crate::sandbox::config::SandboxConfig;
use crate::secret::config::SecretsConfig;
use crate::server::Address;
use crate::server::config::ServerConfig;
use crate::server::tls::TlsConfig;
use crate::tenant::config::TenantConfig;
use origin::config::{OriginConfig, OriginKind};
use service::config::{Reader, Section};
use service::drain::DrainConfig;
use service::otlp::OtlpConfig;
use service::telemetry::Log;
use std::collections::HashSet;
use std::net::IpAddr;

/// Everything that can be configured.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "each part is described in its own module")]
pub struct Config {
    pub server: ServerConfig,
    pub tls: TlsConfig,
    pub drain: DrainConfig,
    pub log: Log,
    pub access_log: AccessConfig,
    pub otlp: OtlpConfig,
    pub memory: MemoryConfig,
    pub sandbox: SandboxConfig,
    pub limits: LimitsConfig,
    pub signing: SigningConfig,
    pub secrets: SecretsConfig,
    pub admin: AdminConfig,
    pub proof: ProofConfig,
    pub tenants: Vec<TenantConfig>,
    pub origins: Vec<OriginConfig>,
    pub presets: Vec<PresetConfig>,
    pub routes: Vec<RouteConfig>,
    pub watermarks: Vec<WatermarkConfig>,
    pub fonts: Vec<FontConfig>,
    pub cache: CacheConfig,
    pub purge: PurgeConfig,
    pub render: RenderConfig,
    pub page: PageConfig,
}

impl Section for Config {
    const DOC: &'static str = "Tintype, the edge server: every key with its default.\n\
        Override with TINTYPE__SERVER__ADMIN=… in the environment or --set server.admin=… on the command line.\n\
        `tintype check-config --config FILE` tells what is wrong with a file.";

    fn read(r: &mut Reader<'_>) -> Self {
        let config = Self::read_open(r);
        if r.is_sound() {
            config.refuse_unsigned(r);
        }
        config
    }
}

impl Config {
    /// As [`Section::read`], for whoever adds keys and routes of their own, and has them judged by
    /// [`Config::refuse_unsigned`] after that.
    pub fn read_open(r: &mut Reader<'_>) -> Self {
        let config = Self {
            server: r.section("server"),
            tls: r.section("tls"),
            drain: r.section("drain"),
            log: r.section("log"),
            access_log: r.section("access_log"),
            otlp: r.section("otlp"),
            memory: r.section("memory"),
            sandbox: r.section("sandbox"),
            limits: r.section("limits"),
            signing: r.section("signing"),
            secrets: r.section("secrets"),
            admin: r.section("admin"),
            proof: r.section("proof"),
            tenants: r.tables("tenants", &[]),
            origins: r.tables("origins", &["name = \"samples\"\nkind = \"file\"\nroot = \"samples\""]),
            presets: r.tables("presets", &[]),
            routes: r.tables("routes", &["prefix = \"/img/\"\norigin = \"samples\""]),
            watermarks: r.tables("watermarks", &[]),
            fonts: r.tables("fonts", &[]),
            cache: r.section("cache"),
            purge: r.section("purge"),
            render: r.section("render"),
            page: r.section("page"),
        };
        if r.is_sound() {
            config.cross_check(r);
        }
        config
    }

    /// The files of secrets that are read again when they change.
    pub(crate) fn secret_files(&self) -> impl Iterator<Item = &std::path::Path> {
        let keys = self.signing.keys.iter().map(|key| &key.secret);
        let tokens = self.admin.tokens.iter().map(|token| &token.secret);
        let values = self.proof.values.iter().map(|value| &value.secret);
        keys.chain(tokens).chain(values).filter_map(|source| source.file())
    }

    /// What only shows when parts are seen together.
    fn cross_check(&self, r: &mut Reader<'_>) {
        let mut names = HashSet::new();
        for (number, origin) in self.origins.iter().enumerate() {
            if !names.insert(origin.name.as_str()) {
                r.reject(&format!("origins.{number}.name"), &origin.name, "a name of its own", "another origin has it");
            }
        }
        crate::tenant::config::check(&self.tenants, r);
        only_once(r, "watermarks", self.watermarks.iter().map(|mark| mark.name.as_str()));
        only_once(r, "fonts", self.fonts.iter().map(|font| font.name.as_str()));
        let mut places = HashSet::new();
        for (number, route) in self.routes.iter().enumerate() {
            for (place, origin) in route.origins().enumerate().filter(|(_, origin)| !names.contains(*origin)) {
                let key = if place == 0 { "origin" } else { "fallback_origins" };
                let known = self.origins.iter().map(|o| o.name.as_str()).collect::<Vec<_>>().join(", ");
                r.reject(&format!("routes.{number}.{key}"), origin, format!("one of: {known}"), "");
            }
            if self.signing.keys.is_empty() && route.signing.is_some_and(|mode| mode != SigningMode::Disabled) {
                let hint = "add [[signing.keys]] with kid and secret_file";
                let mode = route.signing.unwrap_or(self.signing.mode).as_str();
                r.reject(&format!("routes.{number}.signing"), mode, "\"disabled\", where there are no keys", hint);
            }
            if !places.insert((route.host.as_deref(), &route.prefix)) {
                let allowed = "a prefix and host of its own";
                r.reject(&format!("routes.{number}.prefix"), &route.prefix, allowed, "another route has both");
            }
        }
        if self.page.enabled && !self.origins.iter().any(|o| o.name == self.page.origin && o.kind == OriginKind::File) {
            r.reject("page.origin", &self.page.origin, "the name of an origin of kind file", "or page.enabled = false");
        }
        let (admin, doors) = (self.server.admin, &self.admin);
        if !is_loopback(admin.ip()) && doors.tokens.is_empty() && doors.clients.is_empty() {
            r.reject(
                "admin.tokens",
                "none",
                format!(
                    "at least one token or client certificate, because server.admin is {admin}, which others can reach"
                ),
                "add [[admin.tokens]] with name and secret_file, or [[admin.clients]] and admin.tls",
            );
        }
        if self.server.listen.is_empty() && self.tls.listen.is_empty() {
            r.reject(
                "server.listen",
                "[]",
                "at least one address, here or in tls.listen",
                "such as [\"127.0.0.1:8080\"]",
            );
        }
    }

    /// The first address that others can reach, where nobody has written that unsigned requests are meant there.
    pub fn guarded_address(&self) -> Option<&Address> {
        let public = self.server.listen.iter().chain(&self.tls.listen).find(|address| address.is_public());
        public.filter(|_| !self.signing.unsigned_beyond_loopback)
    }

    /// Refuses routes that serve unsigned requests to others than this machine where nobody has written that it is meant.
    pub fn refuse_unsigned(&self, r: &mut Reader<'_>) {
        let Some(address) = self.guarded_address() else { return };
        let modes = self.routes.iter().map(|route| route.signing);
        let own = modes.clone().position(|mode| mode.is_some_and(|mode| mode != SigningMode::Required));
        let common = self.signing.mode != SigningMode::Required
            && (self.routes.is_empty() || modes.clone().any(|mode| mode.is_none()));
        let (key, mode) = match own {
            Some(number) => {
                (format!("routes.{number}.signing"), self.routes[number].signing.unwrap_or(self.signing.mode))
            }
            None if common => ("signing.mode".to_owned(), self.signing.mode),
            None => return,
        };
        r.reject(
            &key,
            mode.as_str(),
            format!("\"required\", because the server listens on {address}, which others can reach"),
            "unsigned URLs let anybody make you render anything; if that is meant, write \
             signing.unsigned_beyond_loopback = true",
        );
    }
}

fn only_once<'n>(r: &mut Reader<'_>, tables: &str, names: impl Iterator<Item = &'n str>) {
    let mut seen = HashSet::new();
    for (number, name) in names.enumerate() {
        if !seen.insert(name) {
            r.reject(&format!("{tables}.{number}.name"), name, "a name of its own", "another one has it");
        }
    }
}

fn is_loopback(address: IpAddr) -> bool {
    address.to_canonical().is_loopback()
}

/// Cores that this process may use; 1 where the system does not tell.
pub fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn errors(sets: &[&str]) -> String {
        let sets: Vec<String> = sets.iter().map(|set| (*set).to_owned()).collect();
        service::config::load::<Config>(None, [], &sets).map_or_else(|errors| errors.to_string(), |_| String::new())
    }

    /// `config.toml` is the documentation of the defaults: `TINTYPE_BLESS=1` writes it anew.
    #[test]
    fn config_toml_is_the_default() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/config.toml");
        let printed = service::config::render_default::<Config>();
        if std::env::var_os("TINTYPE_BLESS").is_some() {
            std::fs::write(path, &printed).unwrap();
        }
        assert_eq!(std::fs::read_to_string(path).unwrap(), printed);
        service::config::load::<Config>(Some(path.as_ref()), [], &[]).unwrap();
    }

    #[test]
    fn the_defaults_are_fine() {
        assert_eq!(errors(&[]), "");
    }

    #[test]
    fn unsigned_and_public_has_to_be_written_out() {
        let public = "server.listen=[\"127.0.0.1:80\", \"0.0.0.0:80\"]";
        assert!(errors(&[public]).contains("signing.unsigned_beyond_loopback = true"), "{}", errors(&[public]));
        assert_eq!(errors(&[public, "signing.unsigned_beyond_loopback=true"]), "");
        let secret = "signing.keys.0.secret=0123456789abcdef0123456789abcdef";
        assert_eq!(errors(&[public, "signing.mode=required", "signing.keys.0.kid=a", secret]), "");
        let route = ["routes.0.prefix=/img/", "routes.0.origin=samples", "signing.keys.0.kid=a", secret];
        let with = |sets: &[&'static str]| errors(&[&route[..], sets].concat());
        assert_eq!(with(&[public, "signing.mode=disabled", "routes.0.signing=required"]), "");
        assert!(with(&[public, "routes.0.signing=optional"]).contains("routes.0.signing"));
        assert!(errors(&[&route[..2], &["routes.0.signing=required"][..]].concat()).contains("[[signing.keys]]"));
        let mapped = "server.listen=[\"[::ffff:127.0.0.1]:80\"]";
        assert_eq!(errors(&[mapped]), "", "loopback, however it is written");
    }

    #[test]
    fn all_faults_come_together() {
        let text = errors(&["server.lisen=x", "render.nice=20", "origins.0.kind=ftp", "cache.memory.bytes=many"]);
        let text = text + &errors(&["cache.s3.bucket=a/b", "cache.s3.prefix=a", "cache.s3.storage_class=GOLD"]);
        for part in ["server.listen", "0 to 19", "ftp", "many", "a bucket's name", "ends with a slash", "STANDARD_IA"] {
            assert!(text.contains(part), "{part} in {text}");
        }
    }

    #[test]
    fn parts_must_fit_together() {
        assert!(errors(&["routes.0.origin=nowhere"]).contains("one of: samples"));
        assert!(errors(&["routes.0.prefix=img"]).contains("slash at both ends"));
        assert!(errors(&["routes.0.fallback_origins=nowhere"]).contains("one of: samples"));
        let http = ["origins.1.name=web", "origins.1.kind=http"];
        assert!(errors(&http).contains("kind http has a base"), "{}", errors(&http));
        let base = "origins.1.base=http://127.0.0.1:1/";
        assert_eq!(errors(&[http[0], http[1], base, "origins.1.allow_private=127.0.0.0/8"]), "");
        assert!(errors(&["origins.0.base=http://a/"]).contains("for origins of kind http"));
        let s3 = ["origins.1.name=media", "origins.1.kind=s3"];
        assert!(errors(&s3).contains("kind s3 has a bucket"), "{}", errors(&s3));
        assert_eq!(errors(&[s3[0], s3[1], "origins.1.bucket=originals", "origins.1.prefix=a/"]), "");
        assert!(errors(&["origins.0.region=eu-west-1"]).contains("for origins of kind s3"));
        assert!(errors(&["routes.0.fetch.min_fresh=2h", "routes.0.fetch.max_fresh=1h"]).contains("at most max_fresh"));
        assert!(errors(&["server.name=a b"]).contains("letters, digits"));
        assert!(errors(&["signing.mode=required"]).contains("at least one key"));
    }

    #[test]
    fn tenants_share_what_there_is() {
        let tenant = |number: usize, name: &str, more: &str| {
            [format!("tenants.{number}.name={name}"), format!("tenants.{number}.{more}")]
        };
        let both = |first: &str, second: &str| {
            let sets = [tenant(0, "a", first), tenant(1, "b", second)].concat();
            errors(&sets.iter().map(String::as_str).collect::<Vec<_>>())
        };
        assert_eq!(both("memory_percent=60", "memory_percent=39"), "");
        assert!(both("memory_percent=60", "memory_percent=40").contains("at most 99 together"));
        assert_eq!(both("prefix=/img/a/", "prefix=/img/b/"), "");
        assert!(both("prefix=/img/a/", "prefix=/img/a/").contains("another tenant has it"));
        assert!(both("prefix=/img/a/", "prefix=/img/b").contains("slash at both ends"));
        assert!(both("window=1h", "name=a").contains("another tenant has it"));
        assert!(errors(&["routes.0.sizes.widths=[640, 320]"]).contains("each larger than the one before"));
        assert!(errors(&["routes.0.referrer.empty=false"]).contains("at least one host"));
        assert!(errors(&["routes.0.referrer.allow=https://a"]).contains("without scheme"));
    }

    #[test]
    fn secrets_are_not_shown() {
        let secret = "short-but-secret";
        let set = format!("signing.keys.0.secret={secret}");
        let field = "origins.0.http.headers.0";
        let (name, value) = (format!("{field}.name=x-key"), format!("{field}.value={secret}"));
        let both = errors(&[&name, &value, &format!("{field}.file=/dev/null")]);
        assert!(both.contains("either value or file") && !both.contains(secret), "{both}");
        let text = errors(&["signing.keys.0.kid=a", &set]);
        assert!(text.contains("32 characters") && !text.contains(secret), "{text}");
    }
}
