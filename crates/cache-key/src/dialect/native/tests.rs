//! The grammar by example, and its laws over every transform that there can be.

use super::*;
use crate::number::Decimal;
use crate::transform::*;
use proptest::option::of;
use proptest::prelude::*;
use std::num::NonZeroU32;

fn canonical(query: &str) -> String {
    read(query).transform.canonical()
}

fn read(query: &str) -> Parsed {
    parse(Some(query), &Presets::none()).unwrap_or_else(|e| panic!("{query}: {e}"))
}

fn refusal(query: &str) -> ParseError {
    match parse(Some(query), &Presets::none()) {
        Err(error) => error,
        Ok(parsed) => panic!("{query}: {parsed:?}"),
    }
}

#[test]
fn one_form_for_what_means_the_same() {
    for (written, expected) in [
        ("", ""),
        ("&&", ""),
        ("w=100&h=50", "h=50&w=100"),
        ("h=50&w=100.0", "h=50&w=100"),
        ("%77=1%300", "w=100"),
        ("width=100&height=50&dpr=1.0", "h=50&w=100"),
        ("dpr=2", ""),
        ("dpr=2&pad=3", "dpr=2&pad=3"),
        ("dpr=1.50&w=10", "dpr=1.5&w=10"),
        ("ar=32:18&w=9", "ar=16:9&w=9"),
        ("ar=1.5&w=9", "ar=3:2&w=9"),
        ("ar=16:9&w=9&h=9", "h=9&w=9"),
        ("min-w=1&min-h=1.0", ""),
        ("w=5&fit=inside", "w=5"),
        ("w=5&fit=contain&enlarge=1", "enlarge=1&fit=contain&w=5"),
        ("w=5&fit=max&enlarge", "w=5"),
        ("w=5&fit=squeeze", "fit=fill&w=5"),
        ("w=5&fit=min", "fit=outside&w=5"),
        ("fit=cover&enlarge=1", ""),
        ("w=5&kernel=catmull-rom&linear", "kernel=cubic&linear=1&w=5"),
        ("w=5&kernel=lanczos3&linear=0", "w=5"),
        ("kernel=box&linear=1", ""),
        ("radius=5&mask=circle", "mask=circle"),
        ("redact=1,2,3,4&meta=keep&hdr=keep", "meta=copyright&redact=1,2,3,4"),
        ("meta=keep&then=redact=1,2,3,4", "meta=copyright&then=redact=1,2,3,4"),
        ("redact=1,2,3,4&meta=copyright", "meta=copyright&redact=1,2,3,4"),
        ("w=5&h=5&g=ne", "h=5&w=5"),
        ("w=5&h=5&fit=cover&g=north", "fit=cover&g=n&h=5&w=5"),
        ("w=5&h=5&fit=cover&g=ne:0:0", "fit=cover&g=ne&h=5&w=5"),
        ("w=5&h=5&fit=cover&g=ne:-1:2.0", "fit=cover&g=ne:-1:2&h=5&w=5"),
        ("w=5&h=5&fit=pad&g=center:0:0&bg=White", "bg=ffffff&fit=pad&h=5&w=5"),
        ("w=5&h=5&fit=cover&g=fp:0.30:.7", "fit=cover&g=fp:0.3:0.7&h=5&w=5"),
        ("crop=0,0,1.0,1.0", ""),
        ("crop=0.0,0,.5,100", "crop=0,0,0.5,100"),
        ("crop=none&trim=none&extend=none", ""),
        ("trim", "trim=10"),
        ("trim=,fff", "trim=10,ffffff"),
        ("pad=0", ""),
        ("pad=1,2", "pad=1,2,1,2"),
        ("pad=1,2,3", "pad=1,2,3,2"),
        ("pad=4,4,4,4", "pad=4"),
        ("rot=360&flip=none&orient=auto", ""),
        ("rot=-90&flip=vh", "flip=hv&rot=270"),
        ("rot=22.50", "rot=22.5"),
        ("bg=%23F008", "bg=ff000088"),
        ("blur=0&sharpen=0.0&gray=0&pixelate=0&gam=1&hue=360&sepia=0&radius=0", ""),
        ("grayscale", "gray=1"),
        ("hue=-90", "hue=270"),
        ("usm=1.0,0.50,3", "usm=1,0.5,3"),
        ("redact=1,2,3,4;0,0,1.0,0.5", "redact=1,2,3,4;0,0,1.0,0.5"),
        ("wm=logo", "wm=logo"),
        ("wm=logo:c:0:0", "wm=logo"),
        ("wm=logo:se:10:10:0.20:1", "wm=logo:se:10:10:0.2"),
        ("wm=logo:se:0:0::0.5&wm-tile", "wm=logo:se:0:0::0.5&wm-tile=1"),
        ("wm-tile=1&text-size=40", ""),
        ("text=a+b%2Bc%0A%E2%82%AC&text-g=c&text-size=40", "text=a%20b%2Bc%0A%E2%82%AC&text-size=40"),
        ("f=jpg&q=80&q-jpg=70&q-avif=50", "f=jpeg&q=70"),
        ("f=auto&q=80&q-avif=50", "f=auto&q=80&q-avif=50"),
        ("f=blurhash&q=3&effort=4", "f=blurhash"),
        ("f=json&q=80&srcset=640,320.0,640", "f=json&q=80&srcset=320,640"),
        ("f=json&kernel=box&srcset=auto", "f=json&kernel=box&srcset=auto"),
        ("f=thumbhash&srcset=auto", "f=thumbhash"),
        ("srcset=320", ""),
        ("q=auto:medium", "q=auto"),
        ("chroma=4:4:4&icc=srgb&hdr=sdr&meta=none", "chroma=444"),
        ("anim=0&frame=0&progressive=0", "anim=0&frame=0&progressive=0"),
        ("cb=", ""),
        ("cb=%2B+", "cb=%2B%20"),
        ("w=9&then=h=5;w=4.0", "then=h=5;w=4&w=9"),
        ("then=blur=0;then=;then=blur=2", "then=blur=2"),
        ("then=redact=1,2,3,4;.5,0,1.0,8;w=3", "then=redact=1,2,3,4;0.5,0,1.0,8;w=3"),
        ("then=text=a%253Bthen%253D;w=3;then=w=2", "then=text=a%253Bthen%253D;w=3;then=w=2"),
        ("nothing=1&dl=a.jpg&tags=a&exp=1&kid=k&s=AA&p=", ""),
    ] {
        assert_eq!(canonical(written), expected, "{written}");
        assert_eq!(canonical(expected), expected, "idempotent: {written}");
    }
}

#[test]
fn refusals_name_the_parameter_and_what_is_allowed() {
    for (query, parameter, reason) in [
        ("w=0", "w", Reason::Value),
        ("w=", "w", Reason::Value),
        ("w", "w", Reason::Value),
        ("width=-1", "w", Reason::Value),
        ("w=100.5", "w", Reason::Value),
        ("w=100.00001", "w", Reason::Value),
        ("w=65536", "w", Reason::Value),
        ("w=1e3", "w", Reason::Value),
        ("w=%D9%A3", "w", Reason::Value),
        ("f=json&srcset=", "srcset", Reason::Value),
        ("f=json&srcset=320,", "srcset", Reason::Value),
        ("f=json&srcset=0,320", "srcset", Reason::Value),
        ("f=json&srcset=auto,320", "srcset", Reason::Value),
        ("srcset=1,2,3,4,5,6,7,8,9,1,2,3,4,5,6,7,8,9,1,2,3,4,5,6,7,8,9,1,2,3,4,5,6", "srcset", Reason::Value),
        ("w=1&w=1", "w", Reason::Duplicate),
        ("w=1&width=1", "w", Reason::Duplicate),
        ("dpr=0.09", "dpr", Reason::Value),
        ("dpr=8.0001", "dpr", Reason::Value),
        ("ar=0:1", "ar", Reason::Value),
        ("ar=1:2:3", "ar", Reason::Value),
        ("fit=Cover", "fit", Reason::Value),
        ("kernel=sinc", "kernel", Reason::Value),
        ("crop=0,0,0,5", "crop", Reason::Value),
        ("crop=0,0,5", "crop", Reason::Value),
        ("crop=0,0,1.5,5", "crop", Reason::Value),
        ("crop=1.0,0,5,5", "crop", Reason::Value),
        ("g=x", "g", Reason::Value),
        ("g=n:1", "g", Reason::Value),
        ("g=fp:1.1:0", "g", Reason::Value),
        ("g=smart:1:1", "g", Reason::Value),
        ("pad=1,2,3,4,5", "pad", Reason::Value),
        ("pad=-1", "pad", Reason::Value),
        ("rot=361", "rot", Reason::Value),
        ("bg=12", "bg", Reason::Value),
        ("blur=0.2", "blur", Reason::Value),
        ("q=101", "q", Reason::Value),
        ("q=auto:", "q", Reason::Value),
        ("effort=11", "effort", Reason::Value),
        ("tags=a,,b", "tags", Reason::Value),
        ("tags=a+b", "tags", Reason::Value),
        ("dl=a%2Fb", "dl", Reason::Value),
        ("dl=..", "dl", Reason::Value),
        ("wm=a%20b", "wm", Reason::Value),
        ("wm=a:c:1", "wm", Reason::Value),
        ("text=%00", "text", Reason::Value),
        ("exp=-1", "exp", Reason::Value),
        ("exp=0", "exp", Reason::Value),
        ("s=a%3D", "s", Reason::Value),
        ("w=%", "w", Reason::Encoding),
        ("%ff=1", "%ff", Reason::Encoding),
        ("cb=%ff", "cb", Reason::Encoding),
        ("p=card", "p", Reason::Preset),
        ("then=f=webp", "then.f", Reason::Place),
        ("then=cb=1", "then.cb", Reason::Place),
        ("then=w=0", "then.w", Reason::Value),
        ("then=w=1;w=1", "then.w", Reason::Duplicate),
        ("then=x=1", "then.x", Reason::Unknown),
        ("then=w=1;then=w=2;then=w=3;then=w=4", "then", Reason::Limit),
    ] {
        let error = refusal(query);
        assert_eq!((error.parameter.as_ref(), error.reason), (parameter, reason), "{query}: {error}");
        assert!(!error.allowed.is_empty());
    }
    assert_eq!(refusal("rot=abc").to_string(), "`rot` cannot be \"abc\"; allowed: −360–360 (degrees clockwise)");
    assert!(refusal(&format!("w={}", "9".repeat(5000))).value.chars().count() <= 65);
}

#[test]
fn limits() {
    let reason = |query: &str| refusal(query).reason;
    assert_eq!(reason(&"a".repeat(MAX_QUERY_BYTES + 1)), Reason::Limit);
    assert_eq!(reason(&"a&".repeat(MAX_PARAMETERS + 1)), Reason::Limit);
    assert_eq!(reason(&format!("text={}", "a".repeat(1025))), Reason::Value);
    assert_eq!(reason(&format!("tags={}", "a".repeat(257))), Reason::Value);
    let tags: Vec<String> = (0..51).map(|n| format!("t{n}")).collect();
    assert_eq!(reason(&format!("tags={}", tags.join(","))), Reason::Value);
    assert_eq!(read(&format!("tags={}", tags[..50].join(","))).delivery.tags.len(), 50);
    assert_eq!(reason(&format!("redact={}", ["1,2,3,4"; 33].join(";"))), Reason::Value);
    assert_eq!(reason("p=a,b,c,d,e,f,g,h,i"), Reason::Limit);
    let unknown: Vec<String> = (0..40).map(|n| format!("x{n}=1")).collect();
    assert_eq!(read(&unknown.join("&")).unknown.len(), MAX_UNKNOWN);
}

#[test]
fn what_is_not_the_transform() {
    let parsed = read("dl=My+cat.jpg&tags=a,b,a&exp=1700000000&kid=k-1&s=Zm9v&x%0a,y=1&w=1");
    assert_eq!(parsed.delivery.download.unwrap().file_name.as_deref(), Some("My cat.jpg"));
    assert_eq!(parsed.delivery.tags, ["a", "b"]);
    let seal = Seal { expires: Some(1_700_000_000), key_id: Some("k-1".into()), signature: Some("Zm9v".into()) };
    assert_eq!(parsed.seal, seal);
    assert_eq!(parsed.unknown, ["x??y"]);
    assert_eq!(read("x=1").refuse_unknown().unwrap_err().reason, Reason::Unknown);
    assert_eq!(read("w=1").refuse_unknown(), Ok(()));
    assert_eq!(read("dl").delivery.download, Some(crate::Download::default()));
    assert_eq!(read("dl=0").delivery.download, None);
    assert_eq!(parse(None, &Presets::none()), Ok(Parsed::default()));
}

#[test]
fn presets_lie_under_the_url() {
    let entries = [("default", "q=70&meta=copyright"), ("card", "w=400&h=300&fit=cover"), ("big", "p=card&w=800")];
    let presets = Presets::new(entries, false).unwrap();
    let with = |query| parse(Some(query), &presets).unwrap();
    assert_eq!(with("").transform.canonical(), "meta=copyright&q=70");
    assert_eq!(with("q=5&meta=none").transform.canonical(), "q=5");
    assert_eq!(with("p=card&h=5&meta=none").transform.canonical(), "fit=cover&h=5&q=70&w=400");
    assert_eq!(with("h=5&p=card&meta=none").transform.canonical(), "fit=cover&h=5&q=70&w=400");
    assert_eq!(with("preset=big").transform.canonical(), "fit=cover&h=300&meta=copyright&q=70&w=800");
    assert_eq!(with("p=big,card").transform.canonical(), "fit=cover&h=300&meta=copyright&q=70&w=400");
    assert_eq!(with("p=big,card").presets, ["big", "card"]);
    let error = parse(Some("p=nope"), &presets).unwrap_err();
    assert_eq!((error.reason, error.allowed.as_ref()), (Reason::Preset, "big, card, default"));
}

#[test]
fn presets_only() {
    let presets = Presets::new([("card", "w=400")], true).unwrap();
    assert!(presets.only());
    assert_eq!(parse(Some("p=card&dl&cb=1&exp=9&tags=a"), &presets).unwrap().transform.canonical(), "cb=1&w=400");
    let error = parse(Some("p=card&w=5"), &presets).unwrap_err();
    assert_eq!((error.reason, error.parameter.as_ref()), (Reason::Place, "w"));
}

#[test]
fn presets_are_checked_when_loaded() {
    for (entries, parameter, reason) in [
        (vec![("a", "w=0")], "preset.a.w", Reason::Value),
        (vec![("a", "x=0")], "preset.a.x", Reason::Unknown),
        (vec![("a", "s=AA")], "preset.a.s", Reason::Place),
        (vec![("a", "p=a")], "preset.a.p", Reason::Limit),
        (vec![("a", "p=b"), ("b", "p=a")], "preset.a.p", Reason::Limit),
        (vec![("a", "p=c")], "preset.a.p", Reason::Preset),
        (vec![("a b", "w=1")], "preset", Reason::Value),
        (vec![("a", "w=1"), ("a", "w=2")], "preset.a", Reason::Duplicate),
    ] {
        let error = Presets::new(entries.clone(), false).unwrap_err();
        assert_eq!((error.parameter.as_ref(), error.reason), (parameter, reason), "{entries:?}");
    }
}

#[test]
fn what_the_engine_lacks() {
    let lacks = |query| not_implemented(&read(query).transform);
    for query in
        ["", "w=1&h=2&fit=cover&g=ne:1:1", "rot=90", "rot=22.5", "frame=0&anim=0", "f=avif", "q=5&q-avif=4&icc=srgb"]
    {
        assert_eq!(lacks(query), None, "{query}");
    }
    for (query, name) in [
        ("w=1&h=1&fit=cover&g=face", "g"),
        ("trim", "trim"),
        ("extend=1:1", "extend"),
        ("f=jxl", "f"),
        ("q=auto", "q"),
        ("frame=1", "frame"),
        ("anim=1", "anim"),
        ("icc=keep", "icc"),
        ("hdr=keep", "hdr"),
        ("meta=keep", "meta"),
        ("then=w=1", "then"),
        ("sepia=1&bri=1", "bri"),
    ] {
        // What the engine has learnt since is announced in its row alone.
        let support = parameters().iter().find(|p| p.name == name).unwrap().support;
        let expected = if matches!(support, Support::Whole) { None } else { Some(name) };
        assert_eq!(lacks(query), expected, "{query}");
    }
}

// ---- every transform ----

fn non_zero(max: u32) -> impl Strategy<Value = NonZeroU32> {
    (1..=max).prop_map(|n| NonZeroU32::new(n).unwrap())
}

fn scaled(min: i64, max: i64) -> impl Strategy<Value = Decimal> {
    (min..=max).prop_map(Decimal::from_scaled)
}

fn size() -> impl Strategy<Value = Size> {
    let length = || of(prop_oneof![Just(Length::Auto), non_zero(65_535).prop_map(Length::Px)]);
    let dpr = of(prop_oneof![Just(Decimal::ONE), scaled(1_000, 80_000)]);
    (length(), length(), dpr, of(ratio()), of(non_zero(65_535)), of(non_zero(65_535)), any::<bool>()).prop_map(
        |(width, height, dpr, aspect, min_width, min_height, enlarge)| Size {
            width,
            height,
            dpr,
            aspect,
            min_width,
            min_height,
            enlarge,
        },
    )
}

fn ratio() -> impl Strategy<Value = Aspect> {
    (non_zero(655_350_000), non_zero(100)).prop_map(|(width, height)| Aspect { width, height })
}

fn fit() -> impl Strategy<Value = Fit> {
    use Fit::*;
    prop::sample::select(vec![ScaleDown, Contain, Cover, Crop, AspectCrop, Pad, Fill, Outside])
}

fn resample() -> impl Strategy<Value = Resample> {
    use Kernel::*;
    let kernel = prop::sample::select(vec![Nearest, Box, Linear, CatmullRom, Mitchell, Lanczos2, Lanczos3]);
    (kernel, any::<bool>()).prop_map(|(kernel, linear)| Resample { kernel, linear })
}

fn region() -> impl Strategy<Value = Crop> {
    let from = || prop_oneof![(0..=1_000_000_u32).prop_map(Extent::Px), scaled(0, 9_999).prop_map(Extent::Fraction)];
    let side = || {
        prop_oneof![
            (1..=1_000_000_u32).prop_map(Extent::Px),
            scaled(1, 10_000).prop_map(Extent::Fraction),
            Just(Extent::Fraction(Decimal::ONE))
        ]
    };
    (from(), from(), side(), side()).prop_map(|(x, y, width, height)| Crop { x, y, width, height })
}

fn direction() -> impl Strategy<Value = Gravity> {
    use Compass::*;
    let point =
        prop::sample::select(vec![Centre, North, NorthEast, East, SouthEast, South, SouthWest, West, NorthWest]);
    let offset = || prop_oneof![Just(0), -65_535..=65_535_i32];
    prop_oneof![
        prop::sample::select(vec![Gravity::Centre, Gravity::Smart, Gravity::Entropy, Gravity::Face]),
        (point, offset(), offset()).prop_map(|(point, x, y)| Gravity::Compass(point, x, y)),
        (scaled(0, 10_000), scaled(0, 10_000)).prop_map(|(x, y)| Gravity::Focal(x, y)),
    ]
}

fn shade() -> impl Strategy<Value = Colour> {
    any::<[u8; 4]>().prop_map(|[r, g, b, a]| Colour { r, g, b, a })
}

fn effects() -> impl Strategy<Value = Effects> {
    let first = (
        of(shade()),
        of(prop_oneof![Just(Decimal::ZERO), scaled(3_000, 2_500_000)]),
        of(prop_oneof![Just(Decimal::ZERO), scaled(3_000, 100_000)]),
        of((scaled(3_000, 100_000), scaled(1_000, 100_000), any::<u8>())
            .prop_map(|(sigma, amount, threshold)| Unsharp { sigma, amount, threshold })),
        of(non_zero(1024)),
        any::<bool>(),
        any::<bool>(),
    );
    let second = (
        -100..=100_i16,
        -100..=100_i16,
        -100..=100_i16,
        of(scaled(1_000, 100_000)),
        0..=400_u16,
        of(shade()),
        of((shade(), shade())),
        0..=100_u8,
    );
    (first, second).prop_map(|(first, second)| {
        let (background, blur, sharpen, unsharp, pixelate, gray, invert) = first;
        let (brightness, contrast, saturation, gamma, hue, tint, duotone, sepia) = second;
        Effects {
            background,
            blur,
            sharpen,
            unsharp,
            pixelate,
            brightness,
            contrast,
            saturation,
            gamma,
            hue,
            gray,
            invert,
            tint,
            duotone,
            sepia,
        }
    })
}

fn shape() -> impl Strategy<Value = Shape> {
    let radius = of(prop_oneof![Just(Radius::Max), non_zero(65_535).prop_map(Radius::Px)]);
    let mask = of(prop::sample::select(vec![Mask::Circle, Mask::Ellipse]));
    (radius, of((non_zero(65_535), shade())), mask, prop::collection::vec(region(), 0..4))
        .prop_map(|(radius, border, mask, redact)| Shape { radius, border, mask, redact })
}

fn layers() -> impl Strategy<Value = (Option<Watermark>, Option<Text>)> {
    let name = || "[A-Za-z0-9._-]{1,8}".prop_filter("the word for no mark", |n| n != "none");
    let place =
        || direction().prop_filter("a crop's", |g| !matches!(g, Gravity::Smart | Gravity::Entropy | Gravity::Face));
    let mark = (name(), place(), of(scaled(1, 10_000)), of(scaled(0, 10_000)), any::<bool>())
        .prop_map(|(name, gravity, scale, opacity, tile)| Watermark { name, gravity, scale, opacity, tile });
    let size = of((4..=1024_u32).prop_map(|n| NonZeroU32::new(n).unwrap()));
    let text = ("[ -~é€😀\n]{0,12}", of(name()), size, of(shade()), place())
        .prop_map(|(content, font, size, colour, gravity)| Text { content, font, size, colour, gravity });
    (of(mark), of(text))
}

fn output() -> impl Strategy<Value = Output> {
    use Codec::*;
    let codecs = [Avif, Webp, Jxl, Jpeg, Png, Gif].map(Format::Image);
    let others = [Format::Source, Format::Auto, Format::Json, Format::BlurHash, Format::ThumbHash];
    let format = prop::sample::select([codecs.as_slice(), others.as_slice()].concat());
    let targets = [QualityTarget::Low, QualityTarget::Medium, QualityTarget::High, QualityTarget::Best];
    let quality = prop_oneof![
        Just(Quality::Default),
        (1..=100_u8).prop_map(Quality::Dial),
        prop::sample::select(targets.to_vec()).prop_map(Quality::Auto)
    ];
    let dial = || of(1..=100_u8);
    let first = (format, quality, dial(), dial(), dial(), dial(), of(non_zero(1_000_000_000)));
    let second = (
        any::<bool>(),
        any::<Option<bool>>(),
        of(0..=10_u8),
        prop::sample::select(vec![Chroma::Auto, Chroma::C420, Chroma::C444]),
        prop::sample::select(vec![ColourSpace::Srgb, ColourSpace::Keep, ColourSpace::P3]),
        prop::sample::select(vec![Hdr::Sdr, Hdr::Keep]),
        prop::sample::select(vec![Metadata::None, Metadata::Copyright, Metadata::Keep]),
        of(prop_oneof![
            Just(Srcset::Auto),
            prop::collection::vec(non_zero(65_535), 1..=Srcset::MAX_WIDTHS).prop_map(Srcset::Widths)
        ]),
    );
    (first, second).prop_map(|(first, second)| {
        let (format, quality, quality_avif, quality_webp, quality_jpeg, quality_jxl, max_bytes) = first;
        let (lossless, progressive, effort, chroma, colour_space, hdr, metadata, srcset) = second;
        Output {
            format,
            quality,
            quality_avif,
            quality_webp,
            quality_jpeg,
            quality_jxl,
            max_bytes,
            lossless,
            progressive,
            effort,
            chroma,
            colour_space,
            hdr,
            metadata,
            srcset,
        }
    })
}

fn pass() -> BoxedStrategy<Transform> {
    let pad = of((0..3_u32, 0..3_u32, 0..3_u32, 0..65_535_u32).prop_map(|(top, right, bottom, left)| Pad {
        top,
        right,
        bottom,
        left,
    }));
    let trim = of((any::<u8>(), of(shade())).prop_map(|(tolerance, colour)| Trim { tolerance, colour }));
    let rotate = prop_oneof![Just(Decimal::ZERO), Just(Decimal::from_int(90)), scaled(-3_600_000, 3_600_000)];
    let flip = any::<(bool, bool)>().prop_map(|(horizontal, vertical)| Flip { horizontal, vertical });
    let orient = prop::sample::select(vec![Orient::Auto, Orient::None]);
    let place = (of(region()), direction(), trim, pad, of(ratio()), orient, rotate, flip);
    let frames = (of(0..=1_000_000_u32), any::<Option<bool>>(), of(0..=65_535_u32), of(1..=60_u8))
        .prop_map(|(frame, animate, loops, fps_max)| Frames { frame, animate, loops, fps_max });
    let rest =
        (effects().boxed(), shape().boxed(), layers().boxed(), output().boxed(), frames.boxed(), of("[ -~é]{0,12}"));
    (size().boxed(), fit(), resample(), place.boxed(), rest.boxed())
        .prop_map(|(size, fit, resample, place, rest)| {
            let (crop, gravity, trim, pad, extend, orient, rotate, flip) = place;
            let (effects, shape, (watermark, text), output, frames, cache_buster) = rest;
            Transform {
                size,
                fit,
                resample,
                crop,
                gravity,
                trim,
                pad,
                extend,
                orient,
                rotate,
                flip,
                effects,
                shape,
                watermark,
                text,
                output,
                frames,
                then: None,
                cache_buster,
            }
        })
        .boxed()
}

/// One to four passes, the later ones often empty.
fn transform() -> impl Strategy<Value = Transform> {
    let later = prop::collection::vec(prop_oneof![Just(Transform::default()), pass()], 0..MAX_PASSES);
    (pass(), later).prop_map(|(mut first, later)| {
        first.then = later.into_iter().fold(None, |next, mut pass| {
            pass.then = next;
            Some(Box::new(pass))
        });
        first
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn canonical_strings_read_back(transform in transform()) {
        let normal = transform.clone().normalised();
        prop_assert_eq!(normal.clone().normalised(), normal.clone(), "normalising is idempotent");
        let canonical = transform.canonical();
        prop_assert!(canonical.is_ascii());
        prop_assert_eq!(&normal.canonical(), &canonical);
        let again = parse(Some(&canonical), &Presets::none());
        let again = again.map_err(|e| TestCaseError::fail(format!("{canonical}: {e}")))?;
        prop_assert_eq!(&again.transform, &normal, "{}", canonical);
        prop_assert!(again.unknown.is_empty());
    }

    /// Any order of the pairs is the same request.
    #[test]
    fn order_does_not_matter(transform in transform(), seed in any::<prop::sample::Index>()) {
        let canonical = transform.canonical();
        let mut pairs: Vec<&str> = canonical.split('&').collect();
        let at = seed.index(pairs.len());
        pairs.rotate_left(at);
        pairs.reverse();
        prop_assert_eq!(read(&pairs.join("&")).transform.canonical(), canonical);
    }

    /// Whatever is thrown at it: an answer, and a stable one.
    #[test]
    fn any_query_is_read_or_refused(query in "([a-z]{1,2}|then|crop|text|=|&|;|:|,|%|%2|[0-9]{1,3}|\\.|\\PC){0,24}") {
        if let Ok(parsed) = parse(Some(&query), &Presets::none()) {
            let canonical = parsed.transform.canonical();
            prop_assert_eq!(read(&canonical).transform, parsed.transform);
        }
    }
}
