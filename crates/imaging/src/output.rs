//! Which format a rendition gets, and the encoder's settings for it. The order of wishes: what the URL says, what the
//! client reads, what the original was, what the picture needs; and what each format can hold.

use crate::encode::avif::Engine;
use crate::encode::{Settings, longest_side};
use crate::error::Error;
use crate::format::SourceFormat;
use crate::quality::Goal;
use cache_key::transform::{Codec, Colour, Format, Output, Quality};
use cache_key::{FormatClass, Transform};

/// What is known of the picture that is to be encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Subject {
    /// The original's format.
    pub source: SourceFormat,
    /// Whether any pixel is transparent (before encoding: whether one may be).
    pub alpha: bool,
    /// The longer side, pixels.
    pub longer_side: u32,
}

/// The format of a rendition that is a picture (what is told of one instead is no matter of this module).
///
/// - `f` names one: that one.
/// - `f=auto`: the class's format; where it cannot hold the picture's size, or `engine` cannot do without loss what shall
///   have none, the next: AVIF, WebP, baseline.
/// - no `f`: the original's, where it can be written and can hold the size, else baseline.
/// - baseline: PNG for pictures with transparency, JPEG for all others (also drawings: how many colours a picture has
///   is no property of its URL, and `lossless` or `f=png` say what is meant). `lossless` makes it PNG.
///
/// # Errors
/// [`Error::NotImplemented`] for a format that is not written yet, [`Error::Impossible`] for AVIF by name without loss where
/// `engine` always loses a little.
pub fn codec(output: &Output, class: FormatClass, engine: Engine, subject: Subject) -> Result<Codec, Error> {
    let wishes: &[Codec] = match output.format {
        Format::Image(Codec::Avif) => return engine.can(output.lossless).map(|()| Codec::Avif),
        Format::Image(codec @ (Codec::Webp | Codec::Jpeg | Codec::Png | Codec::Gif)) => return Ok(codec),
        Format::Image(Codec::Jxl) => return Err(Error::NotImplemented("f")),
        Format::Json | Format::BlurHash | Format::ThumbHash => &[],
        Format::Auto => match class {
            FormatClass::Avif => &[Codec::Avif, Codec::Webp],
            // Who reads JPEG XL reads WebP.
            FormatClass::Webp | FormatClass::Jxl => &[Codec::Webp],
            FormatClass::Baseline => &[],
        },
        Format::Source => match subject.source {
            SourceFormat::Avif => &[Codec::Avif],
            SourceFormat::Webp => &[Codec::Webp],
            SourceFormat::Jpeg if !subject.alpha && !output.lossless => &[Codec::Jpeg],
            SourceFormat::Png => &[Codec::Png],
            SourceFormat::Gif => &[Codec::Gif],
            _ => &[],
        },
    };
    let holds = |codec: &Codec| {
        let possible = *codec != Codec::Avif || engine.can(output.lossless).is_ok();
        possible && subject.longer_side <= longest_side(*codec)
    };
    let baseline = [if subject.alpha || output.lossless { Codec::Png } else { Codec::Jpeg }, Codec::Png];
    Ok(wishes.iter().copied().chain(baseline).find(holds).unwrap_or(Codec::Png))
}

/// The dial where none is given.
const fn default_quality(codec: Codec) -> u8 {
    match codec {
        Codec::Avif => 60,
        // Without loss: a palette only where the colours fit, or where a dial asks for it.
        Codec::Png | Codec::Gif => 100,
        _ => 80,
    }
}

/// What is asked of the result in `codec` beside the settings. A format's own dial overrides `q`, also where that is `auto`.
pub fn goal(output: &Output, codec: Codec) -> Goal {
    let target = match output.quality {
        Quality::Auto(target) if own_dial(output, codec).is_none() => Some(target),
        _ => None,
    };
    Goal { target, max_bytes: output.max_bytes }
}

fn own_dial(output: &Output, codec: Codec) -> Option<u8> {
    match codec {
        Codec::Avif => output.quality_avif,
        Codec::Webp => output.quality_webp,
        Codec::Jpeg => output.quality_jpeg,
        Codec::Jxl => output.quality_jxl,
        Codec::Png | Codec::Gif => None,
    }
}

/// The encoder's settings for a transform, `engine` where it is an AVIF.
///
/// # Errors
/// None at present.
pub fn settings(transform: &Transform, codec: Codec, engine: Engine) -> Result<Settings, Error> {
    let output = &transform.output;
    let own = own_dial(output, codec);
    let quality = match (own, output.quality) {
        // Where the URL does not say PNG (`f=auto`), its dial is meant for a format that is lossy anyway.
        _ if codec == Codec::Png && output.format != Format::Image(Codec::Png) => 100,
        (Some(own), _) => own,
        (None, Quality::Dial(dial)) => dial,
        (None, Quality::Default) => default_quality(codec),
        // Where nothing turns the dial to a target: PNG, GIF, lossless, animations.
        (None, Quality::Auto(_)) => default_quality(codec),
    };
    Ok(Settings {
        codec,
        quality,
        effort: output.effort,
        lossless: output.lossless,
        progressive: output.progressive.unwrap_or(false),
        chroma: output.chroma,
        background: transform.effects.background.unwrap_or(WHITE),
        engine,
    })
}

/// Under transparent pixels where a format has no alpha and the URL no `bg`.
const WHITE: Colour = Colour { r: u8::MAX, g: u8::MAX, b: u8::MAX, a: u8::MAX };

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(format: Format, class: FormatClass, source: SourceFormat, alpha: bool, longer_side: u32) -> Codec {
        let output = Output { format, ..Output::default() };
        codec(&output, class, Engine::Libaom, Subject { source, alpha, longer_side }).expect("a codec")
    }

    #[test]
    fn the_url_decides_first() {
        let png = Format::Image(Codec::Png);
        assert_eq!(chosen(png, FormatClass::Avif, SourceFormat::Jpeg, false, 10), Codec::Png);
        let jxl = Output { format: Format::Image(Codec::Jxl), ..Output::default() };
        let subject = Subject { source: SourceFormat::Gif, alpha: false, longer_side: 1 };
        assert_eq!(codec(&jxl, FormatClass::Baseline, Engine::Libaom, subject), Err(Error::NotImplemented("f")));
    }

    #[test]
    fn auto_follows_the_client_and_the_size() {
        let auto = |class, alpha, side| chosen(Format::Auto, class, SourceFormat::Jpeg, alpha, side);
        assert_eq!(auto(FormatClass::Avif, true, 100), Codec::Avif);
        assert_eq!(auto(FormatClass::Webp, true, 16_383), Codec::Webp);
        assert_eq!(auto(FormatClass::Webp, true, 16_384), Codec::Png);
        assert_eq!(auto(FormatClass::Webp, false, 16_384), Codec::Jpeg);
        assert_eq!(auto(FormatClass::Jxl, false, 100), Codec::Webp);
        assert_eq!(auto(FormatClass::Baseline, false, 65_500), Codec::Jpeg);
        assert_eq!(auto(FormatClass::Baseline, false, 65_501), Codec::Png);
        assert_eq!(auto(FormatClass::Baseline, true, 100), Codec::Png);
    }

    #[test]
    fn what_an_engine_cannot_keep_gets_another_format() {
        let subject = Subject { source: SourceFormat::Avif, alpha: false, longer_side: 9 };
        let of = |format, engine| {
            let output = Output { format, lossless: true, ..Output::default() };
            codec(&output, FormatClass::Avif, engine, subject)
        };
        assert_eq!(of(Format::Auto, Engine::Libaom), Ok(Codec::Avif));
        assert_eq!(of(Format::Auto, Engine::Rav1e), Ok(Codec::Webp));
        assert_eq!(of(Format::Source, Engine::Rav1e), Ok(Codec::Png));
        let named = of(Format::Image(Codec::Avif), Engine::Rav1e);
        assert!(matches!(&named, Err(Error::Impossible(why)) if why.contains("f=png")), "{named:?}");
    }

    #[test]
    fn without_f_it_stays_what_it_was() {
        let same = |source, alpha| chosen(Format::Source, FormatClass::Avif, source, alpha, 100);
        assert_eq!(same(SourceFormat::Jpeg, false), Codec::Jpeg);
        assert_eq!(same(SourceFormat::Png, false), Codec::Png);
        assert_eq!(same(SourceFormat::Webp, true), Codec::Webp);
        assert_eq!(same(SourceFormat::Avif, true), Codec::Avif);
        assert_eq!(same(SourceFormat::Gif, true), Codec::Gif);
        assert_eq!(same(SourceFormat::Bmp, false), Codec::Jpeg);
        assert_eq!(same(SourceFormat::Ico, true), Codec::Png);
        // Corners of a turned JPEG are transparent.
        assert_eq!(same(SourceFormat::Jpeg, true), Codec::Png);
    }

    #[test]
    fn a_format_s_own_quality_wins() {
        let mut transform = Transform::default();
        let quality =
            |transform: &Transform, codec| settings(transform, codec, Engine::Libaom).expect("settings").quality;
        assert_eq!((quality(&transform, Codec::Jpeg), quality(&transform, Codec::Avif)), (80, 60));
        transform.output.quality = Quality::Dial(50);
        transform.output.quality_webp = Some(40);
        assert_eq!((quality(&transform, Codec::Jpeg), quality(&transform, Codec::Webp)), (50, 40));
        assert_eq!(quality(&transform, Codec::Png), 100, "not named by the URL");
        transform.output.format = Format::Image(Codec::Png);
        assert_eq!(quality(&transform, Codec::Png), 50);
        transform.output.quality = Quality::Auto(Default::default());
        let target = |codec| goal(&transform.output, codec).target;
        assert_eq!((target(Codec::Jpeg), target(Codec::Webp)), (Some(Default::default()), None));
    }
}
