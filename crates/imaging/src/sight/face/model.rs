//! The trained numbers of the detector: SeetaFace's frontal model, 1.2 MB, part of the program (`model/README.md`).
//!
//! Its file is little-endian words: how many levels there are; for each its classifiers, each a list of stages with their
//! numbers, and which of the level before it feeds it. This reader takes the one shape that the file has and nothing else;
//! whatever it hands out has every index inside the windows and the weights that it is used on.

use super::lab::{Boosted, CODES, GROUP, Group, REACH};
use super::surf::{Judge, LENGTH, Layer, PATCHES};
use super::{LOOKS, WINDOW};
use std::sync::LazyLock;

static BYTES: &[u8] = include_bytes!("../../../model/seeta_fd_frontal_v1.0.bin");

/// What stands for no list at all.
const NOTHING: [u8; 4] = (-1i32).to_le_bytes();

/// The model, read when a picture first asks for it.
pub(super) static MODEL: LazyLock<Model> =
    LazyLock::new(|| Model::read(BYTES).expect("the model that is part of the program is whole"));

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Model {
    /// They look at every window, each for heads that are turned a little differently.
    pub(super) scans: Vec<Boosted>,
    /// They look at what is left, one after the other, and say where in it the face is.
    pub(super) judges: Vec<Judge>,
}

impl Model {
    /// `None`: these bytes are not such a model.
    fn read(bytes: &[u8]) -> Option<Self> {
        let mut words = Words { left: bytes.as_chunks::<4>().0 };
        words.is(3)?;
        words.is(LOOKS)?;
        let mut scans = Vec::new();
        for _ in 0..LOOKS {
            words.is(1)?;
            scans.push(words.boosted()?);
            // Nothing feeds the first level.
            (words.word()? == NOTHING).then_some(())?;
        }
        // Two judges for what all the scans found, one for what is left.
        words.is(1)?;
        words.is(2)?;
        let mut judges = vec![words.judge()?, words.judge()?];
        words.is(LOOKS)?;
        (0..LOOKS).try_for_each(|scan| words.is(scan))?;
        words.is(1)?;
        words.is(1)?;
        judges.push(words.judge()?);
        words.is(1)?;
        words.is(0)?;
        (words.left.is_empty() && bytes.len().is_multiple_of(4)).then_some(Self { scans, judges })
    }
}

struct Words<'a> {
    left: &'a [[u8; 4]],
}

impl Words<'_> {
    fn word(&mut self) -> Option<[u8; 4]> {
        let (first, left) = self.left.split_first()?;
        self.left = left;
        Some(*first)
    }

    fn count(&mut self) -> Option<usize> {
        usize::try_from(i32::from_le_bytes(self.word()?)).ok()
    }

    fn float(&mut self) -> Option<f32> {
        Some(f32::from_le_bytes(self.word()?)).filter(|value| value.is_finite())
    }

    fn floats(&mut self, count: usize) -> Option<Vec<f32>> {
        (count <= self.left.len()).then_some(())?;
        (0..count).map(|_| self.float()).collect()
    }

    /// The next word is this.
    fn is(&mut self, expected: usize) -> Option<()> {
        (self.count()? == expected).then_some(())
    }

    fn boosted(&mut self) -> Option<Boosted> {
        self.is(0)?;
        let features = self.count().filter(|count| *count <= self.left.len() && count.is_multiple_of(GROUP))?;
        self.is(CODES - 1)?;
        let mut places = Vec::with_capacity(features);
        for _ in 0..features {
            let (x, y) = (self.count()?, self.count()?);
            (x.max(y) + REACH <= WINDOW).then_some(())?;
            places.push((x, y));
        }
        let thresholds = self.floats(features)?;
        let mut groups = Vec::with_capacity(features / GROUP);
        for (places, thresholds) in places.chunks_exact(GROUP).zip(thresholds.chunks_exact(GROUP)) {
            let weights = self.floats(GROUP * CODES)?;
            groups.push(Group { places: places.to_vec(), weights, threshold: *thresholds.last()? });
        }
        Some(Boosted { groups })
    }

    fn judge(&mut self) -> Option<Judge> {
        self.is(1)?;
        let layers = self.count().filter(|count| (2..8).contains(count))?;
        let features = self.count().filter(|count| *count <= PATCHES.len())?;
        // Counted from 1 in the file.
        let patch = |number: usize| number.checked_sub(1).filter(|index| *index < PATCHES.len());
        let patches = (0..features).map(|_| self.count().and_then(patch)).collect::<Option<Vec<_>>>()?;
        let threshold = self.float()?;
        let mut inputs = self.count().filter(|inputs| *inputs == features * LENGTH)?;
        let mut network = Vec::new();
        for _ in 1..layers {
            let outputs = self.count().filter(|outputs| (1..=4096).contains(outputs))?;
            let weights = self.floats(inputs * outputs)?;
            network.push(Layer { inputs, weights, biases: self.floats(outputs)? });
            inputs = outputs;
        }
        (inputs == 4).then_some(Judge { patches, threshold, layers: network })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_model_is_whole_and_nothing_else_is() {
        let model = Model::read(BYTES).expect("the bundled model");
        assert_eq!(model.scans.len(), 3);
        assert!(model.scans.iter().all(|scan| scan.groups.len() == 15));
        let sizes: Vec<usize> = model.judges.iter().map(|judge| judge.patches.len()).collect();
        assert_eq!(sizes, [4, 8, 16]);
        for end in [0, 3, 4, 1000, BYTES.len() - 4, BYTES.len() - 1] {
            assert_eq!(Model::read(&BYTES[..end]), None, "{end} bytes");
        }
        let longer: Vec<u8> = BYTES.iter().copied().chain([0; 4]).collect();
        assert_eq!(Model::read(&longer), None);
        // Every count in the head of the file matters.
        for at in (0..24).step_by(4) {
            let mut damaged = BYTES.to_vec();
            damaged[at] ^= 0x41;
            assert_eq!(Model::read(&damaged), None, "word {}", at / 4);
        }
    }
}
