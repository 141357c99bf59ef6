//! What all renders of a process share beside their originals: the limits, and what the config names for use in them.
//!
//! Made once at start and never changed. It knows no files and no config keys.

use crate::assets::Assets;
use crate::encode::avif::Engine;
use crate::limits::Limits;

/// Lent to every render.
#[derive(Clone, Debug, Default)]
pub struct Setup {
    /// What a render may cost at most.
    pub limits: Limits,
    /// What its transform may name.
    pub assets: Assets,
    /// Who encodes AVIF.
    pub avif: Engine,
}

impl From<Limits> for Setup {
    /// Limits alone, nothing named.
    fn from(limits: Limits) -> Self {
        Self { limits, ..Self::default() }
    }
}
