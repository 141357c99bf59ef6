//! `tintype url` and `tintype sign`: what a URL means, and who may use it.

use super::platform::{self, ServerArguments};
use super::{ConfigArguments, Failure};
use crate::config::Config;
use crate::semantics::hints;
use cache_key::transform::Format;
use cache_key::{FormatClass, OriginalVersion, RenditionParts, SourcePath, Variant};
use clap::{Args, ValueEnum};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

#[derive(Debug, Args)]
pub(super) struct UrlArguments {
    /// A URL, or its path and query.
    url: String,
    /// What the client can read, where the URL says f=auto.
    #[arg(long, value_enum, default_value_t = Class::Baseline)]
    class: Class,
    #[command(flatten)]
    config: ConfigArguments,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Class {
    Avif,
    Webp,
    Baseline,
}

/// How long a URL is good that a server signs, where nothing is said.
const REMOTE_EXPIRY: Duration = Duration::from_secs(3600);

#[derive(Debug, Args)]
pub(super) struct SignArguments {
    /// A URL, or its path and query; with --remote also a picture's name and a query.
    url: String,
    /// The key to sign with; without it the first of the configuration.
    #[arg(long)]
    kid: Option<String>,
    /// The URL is void after this time, such as 90s, 1h or 7d.
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    expires_in: Option<Duration>,
    /// Have the server sign it that is signed in to (tintype login), with its key.
    #[arg(long, conflicts_with_all = ["kid", "config", "set"])]
    remote: bool,
    #[command(flatten)]
    server: ServerArguments,
    #[command(flatten)]
    config: ConfigArguments,
}

fn duration(text: &str) -> Result<Duration, String> {
    service::config::parse_duration(text).ok_or_else(|| "a time span such as 90s, 1h or 7d".to_owned())
}

pub(super) fn url(arguments: &UrlArguments) -> Result<(), Failure> {
    let config = arguments.config.load()?;
    let (host, target) = split(&arguments.url)?;
    let (path, query) = target.split_once('?').map_or((target, None), |(path, query)| (path, Some(query)));
    let route = config
        .routes
        .iter()
        .filter(|route| path.starts_with(&route.prefix))
        .filter(|route| route.host.as_deref().is_none_or(|own| host.is_some_and(|host| own.eq_ignore_ascii_case(host))))
        .max_by_key(|route| (route.prefix.len(), route.host.is_some()))
        .ok_or_else(|| Failure::Failed(format!("no route of the configuration begins like {path}")))?;
    let presets = crate::app::presets(&config, route.presets_only).map_err(failed)?;
    let parsed = cache_key::parse(query, &presets).map_err(failed)?;
    let source = SourcePath::parse(&path[route.prefix.len()..]).map_err(failed)?;
    println!("canonical  {}", cache_key::canonical_url(target, &presets).map_err(failed)?);
    println!("transform  {}", parsed.transform.canonical());
    println!("origin     {}", route.origin_name());
    println!("source     {}", source.as_str());
    for name in &parsed.unknown {
        println!("ignored    {name}");
    }
    if let Some(name) = cache_key::not_implemented(&parsed.transform) {
        println!("not yet    {name}");
    }
    let class = match arguments.class {
        Class::Avif => FormatClass::Avif,
        Class::Webp => FormatClass::Webp,
        Class::Baseline => FormatClass::Baseline,
    };
    if parsed.transform.output.format == Format::Auto {
        println!("class      {}", class.as_str());
    }
    let assets = crate::render::assets::load(&config).map_err(Failure::Failed)?;
    let assets = assets.version(&parsed.transform).map_err(failed)?;
    // As for a client without hints.
    let hints = hints::read(&http::HeaderMap::new(), parsed.transform.wants(), &route.hints);
    let transform = parsed.transform.hinted(hints);
    let variant = Variant { transform, class };
    // The version of the original is part of a served key; without a server there is none to look at.
    let version = OriginalVersion::from_content(b"");
    let parts = RenditionParts {
        tenant: "default",
        origin: &route.origin_name(),
        path: &source,
        version: &version,
        variant: &variant,
        pipeline: imaging::PIPELINE_VERSION,
        assets,
        avif: config.render.avif_engine.named(),
        untouched: route.originals,
    };
    println!("key        {} (of an empty original)", parts.key());
    Ok(())
}

pub(super) fn sign(arguments: &SignArguments) -> Result<(), Failure> {
    if arguments.remote {
        return sign_remotely(arguments);
    }
    let config = arguments.config.load()?;
    let (now, unix) = (SystemTime::now(), |moment: SystemTime| moment.duration_since(UNIX_EPOCH).map_err(failed));
    let key = choose_key(&config, arguments.kid.as_deref(), unix(now)?.as_secs())?;
    let (host, target) = split(&arguments.url)?;
    let (path, query) = target.split_once('?').map_or((target, None), |(path, query)| (path, Some(query)));
    let expires = arguments.expires_in.map(|span| unix(now + span)).transpose()?.map(|since| since.as_secs());
    let request = signature::Request { method: "GET", host, path, query };
    let signed = signature::sign(&key, &request, expires).map_err(failed)?;
    let before = arguments.url.strip_suffix(target).unwrap_or_default();
    println!("{before}{signed}");
    Ok(())
}

/// By the server's key: of a picture's name, or of its path at the edge, `/a/<tenant>/<name>`.
fn sign_remotely(arguments: &SignArguments) -> Result<(), Failure> {
    let client = arguments.server.client()?;
    let target = if arguments.url.contains("://") { split(&arguments.url)?.1 } else { arguments.url.as_str() };
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let seconds = arguments.expires_in.unwrap_or(REMOTE_EXPIRY).as_secs();
    let signed = platform::wait(async {
        let whole =
            path.strip_prefix('/').and_then(|rest| rest.split_once('/')).and_then(|(_, rest)| rest.split_once('/'));
        let (tenant, name) = match whole {
            Some((tenant, name)) => (tenant.to_owned(), name),
            None => (client.account().await?.tenant, path),
        };
        let name = percent_encoding::percent_decode_str(name).decode_utf8_lossy();
        Ok(client.sign(&tenant, &name, query, seconds).await?)
    })?;
    println!("{}{signed}", if signed.starts_with('/') { client.server() } else { String::new() });
    Ok(())
}

fn choose_key(config: &Config, kid: Option<&str>, now: u64) -> Result<signature::Key, Failure> {
    let keys = &config.signing.keys;
    let found = kid.map_or(keys.first(), |kid| keys.iter().find(|key| key.kid == kid));
    let found = found.ok_or_else(|| {
        let known = keys.iter().map(|key| key.kid.as_str()).collect::<Vec<_>>().join(", ");
        Failure::Failed(if known.is_empty() {
            "the configuration has no [[signing.keys]]".to_owned()
        } else {
            format!("no such key; the configuration has: {known}")
        })
    })?;
    if found.not_after.is_some_and(|until| now >= until.seconds()) {
        return Err(Failure::Failed(format!("the key {} is not in use any more: its not_after has passed", found.kid)));
    }
    crate::guard::key(found, config.signing.host, &crate::secret::Vault::new(&config.secrets, &aws::Aws::new()))
        .map_err(failed)
}

/// Host and request target of a URL, or of a bare target.
fn split(url: &str) -> Result<(Option<&str>, &str), Failure> {
    let Some((_scheme, rest)) = url.split_once("://").filter(|(scheme, _)| matches!(*scheme, "http" | "https")) else {
        return if url.starts_with('/') {
            Ok((None, url))
        } else {
            Err(Failure::Failed(format!("{url} is neither a URL nor a path that begins with /")))
        };
    };
    let path = rest.find('/').ok_or_else(|| Failure::Failed(format!("{url} has no path")))?;
    Ok((Some(&rest[..path]), &rest[path..]))
}

fn failed(error: impl std::fmt::Display) -> Failure {
    Failure::Failed(error.to_string())
}
