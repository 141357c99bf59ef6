//! The changes of colour and texture that a pass asks for, in their order. What has no setting is not in the list.

use super::Pass;
use crate::op::Operation;
use crate::op::blur::Blur;
use crate::op::brightness::Brightness;
use crate::op::contrast::Contrast;
use crate::op::curve::{Curve, PerChannel};
use crate::op::duotone::Duotone;
use crate::op::gamma::Gamma;
use crate::op::gray::Gray;
use crate::op::hue::Hue;
use crate::op::invert::Invert;
use crate::op::pixelate::Pixelate;
use crate::op::saturate::Saturate;
use crate::op::sepia::Sepia;
use crate::op::sharpen::Sharpen;
use crate::op::tint::Tint;
use crate::op::unsharp::Unsharp;
use cache_key::Decimal;
use cache_key::transform::Effects;

impl Pass<'_> {
    /// Appends them.
    pub(super) fn push_effects(&self, list: &mut Vec<Box<dyn Operation>>) {
        let effects = &self.transform.effects;
        let float = |number: Decimal| number.to_f64() as f32;
        if let Some(sigma) = effects.blur {
            list.push(Box::new(Blur { sigma: float(sigma) }));
        }
        if let Some(side) = effects.pixelate {
            list.push(Box::new(Pixelate { side: side.get() }));
        }
        if let Some(sigma) = effects.sharpen {
            list.push(Box::new(Sharpen { sigma: float(sigma) }));
        }
        if let Some(usm) = effects.unsharp {
            let (sigma, amount) = (float(usm.sigma), float(usm.amount));
            list.push(Box::new(Unsharp { sigma, amount, threshold: usm.threshold }));
        }
        let curve = curve(effects);
        if !curve.is_empty() {
            list.push(Box::new(Curve(curve)));
        }
        if effects.saturation != 0 {
            list.push(Box::new(Saturate { percent: effects.saturation }));
        }
        if effects.hue != 0 {
            list.push(Box::new(Hue { degrees: effects.hue }));
        }
        if effects.gray {
            list.push(Box::new(Gray));
        }
        if effects.sepia != 0 {
            list.push(Box::new(Sepia { percent: effects.sepia }));
        }
        if let Some(colour) = effects.tint {
            list.push(Box::new(Tint { colour }));
        }
        if let Some((dark, light)) = effects.duotone {
            list.push(Box::new(Duotone { dark, light }));
        }
        if effects.invert {
            list.push(Box::new(Curve(vec![Box::new(Invert)])));
        }
    }
}

/// What one table does.
fn curve(effects: &Effects) -> Vec<Box<dyn PerChannel>> {
    let mut steps: Vec<Box<dyn PerChannel>> = Vec::new();
    if let Some(gamma) = effects.gamma {
        steps.push(Box::new(Gamma { gamma: gamma.to_f64() as f32 }));
    }
    if effects.brightness != 0 {
        steps.push(Box::new(Brightness { percent: effects.brightness }));
    }
    if effects.contrast != 0 {
        steps.push(Box::new(Contrast { percent: effects.contrast }));
    }
    steps
}

/// Nanoseconds that they take for each pixel of the result.
pub(super) fn price(effects: &Effects) -> u64 {
    let priced = [
        (effects.blur.is_some(), 60),
        (effects.pixelate.is_some(), 5),
        (effects.sharpen.is_some(), 60),
        (effects.unsharp.is_some(), 70),
        (!curve(effects).is_empty(), 3),
        (effects.saturation != 0, 11),
        (effects.hue != 0, 11),
        (effects.gray, 5),
        (effects.sepia != 0, 11),
        (effects.tint.is_some(), 7),
        (effects.duotone.is_some(), 7),
        (effects.invert, 3),
    ];
    priced.iter().filter(|(used, _)| *used).map(|(_, price)| price).sum()
}
