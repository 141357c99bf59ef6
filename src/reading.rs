//! What a request target says, read once and remembered: most requests repeat a target that was read before.
//!
//! Nothing here depends on a request's fields. Invariant: a remembered reading is used only for the very same target, route
//! and tenant; they are compared, since a hash alone could be made to collide.

use crate::cache::{Label, Marks, Memory, Since};
use crate::error::{Error, Kind};
use crate::original::View;
use crate::route::Route;
use crate::semantics::{Vary, cache_tag, format_class, hints, note};
use cache_key::hinted::Wants;
use cache_key::transform::Format;
use cache_key::{
    AssetsVersion, Delivery, FormatClass, Hinted, OriginalVersion, Presets, RenditionKey, RenditionParts, SourceKey,
    SourceParts, SourcePath, Transform, Variant,
};
use http::{HeaderMap, HeaderValue, Uri};
use imaging::Setup;
use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, OnceLock, PoisonError, RwLock};

/// Least and most bytes of what is remembered: some 600 and some 10,000 targets.
const BUDGET: (u64, u64) = (4 << 20, 64 << 20);
/// Bytes of a reading beside its target, with all that hangs on it and the cache's own entry: measured over 15,000 targets, as
/// what the process grew by.
const WEIGHT: u64 = 6600;
/// Sorts of clients by their hints that are remembered for one target.
const MOST_HINTED: usize = 32;

/// A request target, understood.
#[derive(Debug)]
pub(crate) struct Reading {
    target: Box<str>,
    tenant: Arc<str>,
    pub(crate) route: Arc<Route>,
    pub(crate) path: SourcePath,
    pub(crate) source: SourceKey,
    pub(crate) delivery: Delivery,
    pub(crate) fields: Fields,
    /// What its renditions can be purged by.
    pub(crate) label: Arc<Label>,
    purged: Since,
    /// Which of the client's fields have a say.
    pub(crate) vary: Vary,
    transform: Transform,
    /// As keys name it: what tells URLs of its route is of that route alone.
    origin: Box<str>,
    assets: Option<AssetsVersion>,
    /// Who encodes AVIF, as keys name it.
    avif: Option<&'static str>,
    classes: [Slot; 4],
    /// The same for clients whose hints count; at most [`MOST_HINTED`].
    hinted: RwLock<HashMap<Client, Arc<Slot>>>,
    /// The original as it was for the last of these requests: saves the look-up while that holds.
    view: RwLock<Option<Arc<View>>>,
    /// The one before, of another version: its renditions may be at hand when there is no room to make new ones.
    former: RwLock<Option<Arc<View>>>,
}

/// Response fields that follow from the target alone.
#[derive(Debug)]
pub(crate) struct Fields {
    pub(crate) cache_tag: Option<HeaderValue>,
    pub(crate) canonical: Option<HeaderValue>,
    pub(crate) ignored: Option<HeaderValue>,
}

/// What counts of a client, for one target.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Client {
    pub(crate) class: FormatClass,
    pub(crate) hinted: Hinted,
}

/// What follows from target and client; filled when it is first asked for.
#[derive(Debug, Default)]
struct Slot {
    variant: OnceLock<Arc<Variant>>,
    /// The key for the version of the original that was last seen.
    key: RwLock<Option<(OriginalVersion, RenditionKey)>>,
}

/// The readings of late.
#[derive(Debug)]
pub(crate) struct Readings {
    memory: Memory<u64, Arc<Reading>>,
    hasher: RandomState,
}

impl Readings {
    /// Beside `renditions` bytes of renditions: a quarter of them, within bounds, as a target that is asked for often has one, of
    /// four times its weight.
    pub(crate) fn new(renditions: u64) -> Self {
        let budget = (renditions / 4).clamp(BUDGET.0, BUDGET.1);
        let memory = Memory::new(budget, |reading: &Arc<Reading>| WEIGHT + reading.target.len() as u64);
        Self { memory, hasher: RandomState::new() }
    }

    /// The reading of `uri` on `route`, whose part of the path is `rest`. `verified` tells that somebody signed it;
    /// `setup` knows the names that it may use.
    pub(crate) fn read(
        &self,
        uri: &Uri,
        route: &Arc<Route>,
        rest: &str,
        tenant: &Arc<str>,
        verified: bool,
        setup: &Setup,
    ) -> Result<Arc<Reading>, Error> {
        let target = uri.path_and_query().map_or("", http::uri::PathAndQuery::as_str);
        let hash = self.hasher.hash_one((target, &**tenant, Arc::as_ptr(route)));
        if let Some(known) = self.memory.get(&hash)
            && *known.target == *target
            && known.tenant == *tenant
            && Arc::ptr_eq(&known.route, route)
        {
            return Ok(known);
        }
        let reading = Arc::new(Reading::new(target, uri, route, rest, tenant, verified, setup)?);
        self.memory.insert(hash, Arc::clone(&reading));
        Ok(reading)
    }
}

impl Reading {
    /// Of a target that nobody asks for now, and that is not remembered.
    pub(crate) fn of(
        uri: &Uri,
        route: &Arc<Route>,
        rest: &str,
        tenant: &Arc<str>,
        setup: &Setup,
    ) -> Result<Self, Error> {
        let target = uri.path_and_query().map_or("", http::uri::PathAndQuery::as_str);
        Self::new(target, uri, route, rest, tenant, false, setup)
    }

    /// Path and query, as asked.
    pub(crate) fn target(&self) -> &str {
        &self.target
    }

    fn new(
        target: &str,
        uri: &Uri,
        route: &Arc<Route>,
        rest: &str,
        tenant: &Arc<str>,
        verified: bool,
        setup: &Setup,
    ) -> Result<Self, Error> {
        let mut parsed = parse(uri.query(), &route.presets, verified)?;
        parsed.transform = parsed.transform.sized(&route.sizes)?;
        if route.originals && parsed.transform != Transform::default() {
            return Err(Kind::Originals.into());
        }
        let assets = setup.assets.version(&parsed.transform)?;
        let wants = parsed.transform.wants();
        let path = SourcePath::parse(rest).map_err(|error| Kind::Path(error.to_string()))?;
        let source = SourceParts { tenant, origin: &route.origin_name, path: &path }.key();
        let presets = parsed.presets.iter().map(|preset| ("preset", preset.as_str()));
        let named = [("src", path.as_str()), ("route", &route.prefix), ("tenant", tenant)];
        let named: Vec<_> = named.into_iter().chain(presets).collect();
        let own: Vec<_> = parsed.delivery.tags.iter().map(String::as_str).collect();
        let tags = cache_tag::tags(&named, &own);
        let fields = Fields {
            cache_tag: if route.tags { cache_tag::field(&tags) } else { None },
            canonical: note::canonical_link(uri.path()),
            ignored: note::ignored_parameters(parsed.unknown.iter().map(String::as_str)),
        };
        Ok(Self {
            target: target.into(),
            tenant: Arc::clone(tenant),
            route: Arc::clone(route),
            source,
            label: Arc::new(Label::new(
                &route.origin_name,
                path.as_str(),
                &parsed.transform.canonical(),
                tags.into_iter(),
            )),
            purged: Since::default(),
            delivery: parsed.delivery,
            fields,
            vary: Vary {
                accept: parsed.transform.output.format == Format::Auto,
                width: wants.width,
                height: wants.height,
                save_data: route.hints.save_data && !route.originals,
                referrer: route.referrers.is_some(),
            },
            origin: match parsed.transform.output.srcset {
                None => route.origin_name.as_str().into(),
                // No origin of a config is called so.
                Some(_) => {
                    format!("{}|{}|{}", route.origin_name, route.host().unwrap_or_default(), route.prefix).into()
                }
            },
            transform: parsed.transform,
            assets,
            avif: setup.avif.named(),
            classes: Default::default(),
            hinted: RwLock::default(),
            view: RwLock::default(),
            former: RwLock::default(),
            path,
        })
    }

    /// What is older has been purged.
    pub(crate) fn since(&self, marks: &Marks) -> u64 {
        self.purged.get(marks, &self.label)
    }

    /// What [`Self::saw`] was told last.
    pub(crate) fn view(&self) -> Option<Arc<View>> {
        self.view.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Remembers how the original was seen.
    pub(crate) fn saw(&self, view: &Arc<View>) {
        let before = self.view.write().unwrap_or_else(PoisonError::into_inner).replace(Arc::clone(view));
        if let Some(before) = before.filter(|before| before.sighting.version != view.sighting.version) {
            *self.former.write().unwrap_or_else(PoisonError::into_inner) = Some(before);
        }
    }

    /// The original as it was before it changed, and the name of its rendition for such a client.
    pub(crate) fn former(&self, client: Client) -> Option<(Arc<View>, RenditionKey)> {
        let former = self.former.read().unwrap_or_else(PoisonError::into_inner).clone()?;
        let key = self.name(&self.variant(client), &former.sighting.version);
        Some((former, key))
    }

    /// Whose renditions these are.
    pub(crate) fn tenant(&self) -> &Arc<str> {
        &self.tenant
    }

    /// What of a client's fields counts for this target.
    pub(crate) fn client(&self, headers: &HeaderMap) -> Client {
        let Vary { accept, width, height, save_data, .. } = self.vary;
        let class = if accept { format_class(headers, self.route.classes) } else { FormatClass::default() };
        let hinted = match width || height || save_data {
            true => hints::read(headers, Wants { width, height }, &self.route.hints),
            false => Hinted::default(),
        };
        Client { class, hinted }
    }

    fn with_slot<R>(&self, client: Client, with: impl FnOnce(&Slot) -> R) -> R {
        if client.hinted == Hinted::default() {
            return with(&self.classes[client.class as usize]);
        }
        let known = self.hinted.read().unwrap_or_else(PoisonError::into_inner).get(&client).map(Arc::clone);
        let slot = known.unwrap_or_else(|| {
            let mut hinted = self.hinted.write().unwrap_or_else(PoisonError::into_inner);
            // Beyond that the work is done again each time: it is little, and memory has an end.
            match hinted.len() < MOST_HINTED {
                true => Arc::clone(hinted.entry(client).or_default()),
                false => Arc::default(),
            }
        });
        with(&slot)
    }

    /// What is asked of the engine for such a client.
    pub(crate) fn variant(&self, client: Client) -> Arc<Variant> {
        self.with_slot(client, |slot| Arc::clone(self.variant_in(slot, client)))
    }

    fn variant_in<'s>(&self, slot: &'s Slot, client: Client) -> &'s Arc<Variant> {
        let Client { class, hinted } = client;
        slot.variant.get_or_init(|| {
            let asks = self.vary.width || self.vary.height || hinted != Hinted::default();
            let transform = if asks { self.transform.hinted(hinted) } else { self.transform.clone() };
            Arc::new(Variant { transform, class })
        })
    }

    /// Names the rendition of the original's `version`.
    pub(crate) fn key(&self, client: Client, version: &OriginalVersion) -> RenditionKey {
        self.with_slot(client, |slot| {
            // A poisoned lock guards a whole value all the same: it is replaced in one assignment.
            if let Some((known, key)) = &*slot.key.read().unwrap_or_else(PoisonError::into_inner)
                && known == version
            {
                return *key;
            }
            let key = self.name(self.variant_in(slot, client), version);
            *slot.key.write().unwrap_or_else(PoisonError::into_inner) = Some((version.clone(), key));
            key
        })
    }

    fn name(&self, variant: &Variant, version: &OriginalVersion) -> RenditionKey {
        RenditionParts {
            tenant: &self.tenant,
            origin: &self.origin,
            path: &self.path,
            version,
            variant,
            pipeline: imaging::PIPELINE_VERSION,
            assets: self.assets,
            avif: self.avif,
            untouched: self.route.originals,
        }
        .key()
    }

    /// Names the rendition of what the route shows instead of its originals: the same for all of them.
    pub(crate) fn stand_in_key(&self, client: Client, version: &OriginalVersion) -> RenditionKey {
        let path = SourcePath::parse("stand-in").expect("one plain segment");
        RenditionParts {
            tenant: &self.tenant,
            // No origin of a config is called so.
            origin: "|",
            path: &path,
            version,
            variant: &self.variant(client),
            pipeline: imaging::PIPELINE_VERSION,
            assets: self.assets,
            avif: self.avif,
            untouched: false,
        }
        .key()
    }
}

fn parse(query: Option<&str>, presets: &Presets, verified: bool) -> Result<cache_key::Parsed, Error> {
    let parsed = cache_key::parse(query, presets)?;
    if verified {
        parsed.refuse_unknown()?;
    }
    match cache_key::not_implemented(&parsed.transform) {
        Some(name) => Err(imaging::Error::NotImplemented(name).into()),
        None => Ok(parsed),
    }
}
