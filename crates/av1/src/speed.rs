//! rav1e's switches for one still picture. Its presets are made for films: what looks at other frames is off, and what
//! does not pay on photographs is chosen otherwise.

use rav1e::prelude::{SceneDetectionSpeed, SpeedSettings};

/// Of a preset, 0 (slowest) – 10.
pub(crate) fn settings(speed: u8) -> SpeedSettings {
    let speed = speed.min(10);
    let mut settings = SpeedSettings::from_preset(speed);
    settings.multiref = false;
    settings.rdo_lookahead_frames = 1;
    settings.scene_detection_mode = SceneDetectionSpeed::None;
    settings.motion.include_near_mvs = false;
    // Half the time for a twentieth more bytes; with smaller blocks it would be a fifth more.
    settings.transform.tx_domain_rate = speed == 10;
    // A third less time for a thirtieth more bytes.
    settings.prediction.fine_directional_intra = speed < 9;
    settings
}
