//! `then p`, `dl cb tags`, `exp kid s`: further passes, presets, delivery and the seal.

use super::canonical::write_later_pass;
use super::parameter::{Action, Group, Parameter, not_in_transform};
use super::value::name;
use crate::delivery::{Delivery, Download};
use crate::percent::encode;

/// Longest cache buster, in bytes.
const MAX_BUSTER_BYTES: usize = 128;
/// Longest signature, in characters.
const MAX_SIGNATURE: usize = 128;

pub(super) const PARAMETERS: &[Parameter] = &[
    Parameter::new(
        "then",
        Group::Steps,
        "parameters of size, crop, turn, colour, shape and layers, with `;` between them and `then=` last for one more; \
         at most 3 further passes",
        "A further pass over the result of the one before.",
        |_, _| None,
        |t, out| t.then.as_ref().is_some_and(|pass| {
            let mut inner = String::new();
            write_later_pass(pass, &mut inner);
            encode(&inner, "=;,:", out);
            true
        }),
    )
    .action(Action::Then),
    Parameter::new(
        "p",
        Group::Presets,
        "names of the route's presets, with `,` between them",
        "Parameters from the config, under those of the URL; of two presets the later wins.",
        |_, _| None,
        not_in_transform,
    )
    .aliases(&["preset"])
    .action(Action::Preset),
    Parameter::new(
        "dl",
        Group::Delivery,
        "a file name of up to 255 bytes without `/` and `\\`; nothing or 1 (the source's own name); 0",
        "The answer is to be saved, not shown.",
        |d, v| {
            d.delivery.download = Download::parse(v)?;
            Some(())
        },
        not_in_transform,
    )
    .aliases(&["download"])
    .default("0"),
    Parameter::new(
        "cb",
        Group::Delivery,
        "up to 128 bytes without control characters",
        "Cache buster: any change makes another rendition.",
        |d, v| {
            let fine = v.len() <= MAX_BUSTER_BYTES && !v.chars().any(char::is_control);
            d.transform.cache_buster = Some(v.to_owned()).filter(|_| fine);
            fine.then_some(())
        },
        |t, out| t.cache_buster.as_deref().is_some_and(|cb| {
            encode(cb, "", out);
            true
        }),
    ),
    Parameter::new(
        "tags",
        Group::Delivery,
        "up to 50 tags with `,` between them, each 1–256 visible ASCII characters",
        "Tags to purge by.",
        |d, v| {
            d.delivery.tags = Delivery::parse_tags(v)?;
            Some(())
        },
        not_in_transform,
    ),
    Parameter::new(
        "exp",
        Group::Signing,
        "Unix seconds, 1–99999999999",
        "When the URL ceases to hold. Signed, not in the key.",
        |d, v| {
            let digits = (1..=11).contains(&v.len()) && v.bytes().all(|b| b.is_ascii_digit());
            d.seal.expires = Some(v.parse().ok().filter(|t| digits && *t > 0)?);
            Some(())
        },
        not_in_transform,
    ),
    Parameter::new(
        "kid",
        Group::Signing,
        "1–64 of `A–Z a–z 0–9 . _ -`",
        "Which key signed. Signed, not in the key.",
        |d, v| {
            d.seal.key_id = Some(name(v)?.to_owned());
            Some(())
        },
        not_in_transform,
    ),
    Parameter::new(
        "s",
        Group::Signing,
        "base64url without padding, up to 128 characters",
        "The signature; see [signing](signing.md).",
        |d, v| {
            let digits = v.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
            d.seal.signature = Some(v.to_owned()).filter(|s| digits && (1..=MAX_SIGNATURE).contains(&s.len()));
            d.seal.signature.is_some().then_some(())
        },
        not_in_transform,
    ),
];
