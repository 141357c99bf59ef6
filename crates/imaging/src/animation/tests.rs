//! What moves, in which format, and what is refused: the rules, without a pixel.

use super::*;
use crate::motion::Motion;
use crate::orientation::Orientation;
use cache_key::{Presets, parse};

fn moving(format: SourceFormat, frames: u32) -> Probe {
    Probe {
        format,
        width: 100,
        height: 50,
        orientation: Orientation::Upright,
        has_alpha: true,
        gray: false,
        depth: 8,
        frames,
        motion: Some(Motion { plays: 3, micros: u64::from(frames) * 50_000 }),
        has_icc: false,
        lossy: false,
        has_metadata: false,
    }
}

fn decided(probe: &Probe, query: &str, class: FormatClass, limits: &Limits) -> Result<Option<Moving>, Error> {
    let transform = parse(Some(query), &Presets::none()).expect("a query").transform;
    decide(probe, &Variant { transform, class }, (100, 50), &Setup::from(limits.clone()))
}

fn codec_of(source: SourceFormat, query: &str, class: FormatClass) -> Option<Codec> {
    decided(&moving(source, 5), query, class, &Limits::default()).expect(query).map(|moving| moving.codec)
}

/// rav1e writes stills alone, and nobody stands in for it.
#[test]
fn an_engine_without_films_gives_stills_or_another_format() {
    let setup = Setup { avif: Engine::Rav1e, ..Setup::default() };
    let decided = |source, query| {
        let transform = parse(Some(query), &Presets::none()).expect("a query").transform;
        let variant = Variant { transform, class: FormatClass::Avif };
        decide(&moving(source, 5), &variant, (100, 50), &setup).map(|moving| moving.map(|moving| moving.codec))
    };
    assert_eq!(decided(SourceFormat::Gif, "f=avif"), Ok(None));
    assert_eq!(decided(SourceFormat::Avif, "w=10"), Ok(Some(Codec::Webp)));
    assert!(matches!(decided(SourceFormat::Gif, "f=avif&anim=1"), Err(Error::Impossible(_))));
}

#[test]
fn animations_are_kept_where_the_format_can() {
    use FormatClass::{Avif, Baseline, Webp};
    let cases = [
        (SourceFormat::Gif, "", Baseline, Some(Codec::Gif)),
        (SourceFormat::Webp, "", Baseline, Some(Codec::Webp)),
        (SourceFormat::Png, "", Baseline, Some(Codec::Png)),
        (SourceFormat::Avif, "", Baseline, Some(Codec::Avif)),
        (SourceFormat::Gif, "f=auto", Baseline, Some(Codec::Gif)),
        (SourceFormat::Gif, "f=auto", Webp, Some(Codec::Webp)),
        (SourceFormat::Gif, "f=auto", Avif, Some(Codec::Webp)),
        (SourceFormat::Png, "f=auto", Baseline, Some(Codec::Png)),
        (SourceFormat::Webp, "f=auto&lossless=1", Baseline, Some(Codec::Png)),
        (SourceFormat::Gif, "f=webp", Baseline, Some(Codec::Webp)),
        (SourceFormat::Gif, "f=png", Baseline, Some(Codec::Png)),
        (SourceFormat::Webp, "f=gif", Baseline, Some(Codec::Gif)),
        (SourceFormat::Gif, "f=jpeg", Baseline, None),
        (SourceFormat::Gif, "f=avif", Baseline, Some(Codec::Avif)),
        (SourceFormat::Gif, "anim=0", Baseline, None),
        (SourceFormat::Gif, "frame=4", Baseline, None),
        (SourceFormat::Gif, "anim=1", Baseline, Some(Codec::Gif)),
    ];
    for (source, query, class, expected) in cases {
        assert_eq!(codec_of(source, query, class), expected, "{source:?} {query} {class:?}");
    }
}

#[test]
fn still_pictures_stay_still() {
    let still = Probe { frames: 1, motion: None, ..moving(SourceFormat::Gif, 1) };
    for query in ["", "anim=1", "frame=0", "f=jpeg&anim=1"] {
        assert_eq!(decided(&still, query, FormatClass::Webp, &Limits::default()), Ok(None), "{query}");
    }
}

#[test]
fn who_insists_is_told_why_not() {
    let probe = moving(SourceFormat::Gif, 5);
    let default = |query: &str, limits: &Limits| decided(&probe, query, FormatClass::Webp, limits);
    assert!(matches!(default("f=jpeg&anim=1", &Limits::default()), Err(Error::Impossible(_))));
    for limits in
        [Limits { frames: 4, ..Limits::default() }, Limits { frame_pixels: 5 * 100 * 50 - 1, ..Limits::default() }]
    {
        assert_eq!(default("", &limits), Ok(None));
        assert!(matches!(default("anim=1", &limits), Err(Error::TooLarge { .. })));
    }
    let enough = Limits { frames: 5, frame_pixels: 5 * 100 * 50, ..Limits::default() };
    assert!(matches!(default("", &enough), Ok(Some(_))));
}

#[test]
fn a_frame_beyond_the_end_is_refused_with_the_count() {
    let probe = moving(SourceFormat::Gif, 5);
    let refused = decided(&probe, "frame=5", FormatClass::Webp, &Limits::default());
    assert!(matches!(&refused, Err(Error::Impossible(why)) if why.ends_with("the original has 5")), "{refused:?}");
}

#[test]
fn loops_and_rates_are_told() {
    let probe = moving(SourceFormat::Gif, 100);
    let told = |query: &str| {
        let moving = decided(&probe, query, FormatClass::Webp, &Limits::default());
        let moving = moving.expect(query).expect("it moves");
        (moving.plays, moving.frames, moving.kept)
    };
    assert_eq!(told(""), (3, 100, 100));
    assert_eq!(told("loop=0"), (0, 100, 100));
    // Five seconds.
    assert_eq!(told("loop=9&fps-max=2"), (9, 100, 11));
}
