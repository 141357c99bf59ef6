//! Two records of one asset, written in two regions, become one: the same one wherever and in whatever order they meet.
//!
//! Pure. Invariant: commutative, associative and idempotent, as the property tests hold it.

use crate::asset::Asset;
use crate::name::{Revision, Version};
use crate::schema::Schema;
use crate::stamp::{Stamp, VersionVector};

/// What both regions agree on: the whole record of the last writer, with the vector that has seen both.
///
/// The last writer is the one whose stamp has the later moment; of one moment, the region that sorts last; of one moment and
/// region, the record that sorts last. Where one knew of the other, it is the last writer too (see [`Stamp`]). Fields are not
/// mixed: a title and the picture it describes come from one hand. `revision` is the vector's, so that what comes of two
/// records that did not know of each other is newer than either; `version` is the larger one.
///
/// Both must be of one asset; of two, the result means nothing.
#[must_use]
pub fn merge(a: &Asset, b: &Asset) -> Asset {
    let vector = a.stamp.vector.join(&b.stamp.vector);
    let last = if order(a) >= order(b) { a } else { b };
    Asset {
        revision: vector.revision(),
        version: a.version.max(b.version),
        changed: a.changed.max(b.changed),
        stamp: Stamp { vector, ..last.stamp.clone() },
        ..last.clone()
    }
}

/// What decides who wrote last: nothing that a merge itself changes.
fn order(asset: &Asset) -> (jiff::Timestamp, &str, String) {
    let bare = Asset {
        schema: Schema::default(),
        revision: Revision::FIRST,
        version: Version::FIRST,
        changed: asset.created,
        stamp: Stamp { vector: VersionVector::default(), ..asset.stamp.clone() },
        ..asset.clone()
    };
    let text = serde_json::to_string(&bare).unwrap_or_default();
    (asset.stamp.at, asset.stamp.region.as_str(), text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::asset::Content;
    use crate::name::{ContentHash, Region};
    use jiff::Timestamp;
    use proptest::prelude::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + second).unwrap()
    }

    fn base() -> Asset {
        let content = Content {
            hash: ContentHash::of(b"x"),
            bytes: 1,
            media_type: "image/png".parse().unwrap(),
            width: 1,
            height: 1,
            frames: 1,
        };
        let mut asset = Asset::new("main".parse().unwrap(), "a".parse().unwrap(), content, at(0));
        asset.id = "019384a1-7c00-7abc-8def-0123456789aa".parse().unwrap();
        asset
    }

    fn region(index: u8) -> Region {
        ["eu", "us", "ap"][usize::from(index) % 3].parse().unwrap()
    }

    /// Any record whatever, also such as no history gives.
    fn any_record() -> impl Strategy<Value = Asset> {
        (0..4_i64, 0..3_u8, "[ab]{0,2}", prop::collection::vec(0..4_u64, 3), 1..4_u64).prop_map(
            |(second, here, title, counts, version)| {
                let vector = VersionVector::of(counts.into_iter().enumerate().map(|(i, n)| (region(i as u8), n)));
                let stamp = Stamp { region: region(here), at: at(second), vector };
                let (revision, version) = (stamp.vector.revision(), version.try_into().unwrap());
                Asset { title: Some(title), revision, version, changed: at(second), stamp, ..base() }
            },
        )
    }

    /// What happens in three regions: one writes by a clock that may be wrong, or hears from another.
    #[derive(Clone, Debug)]
    enum Step {
        Write(u8, i64),
        Hear(u8, u8),
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let write = (0..3_u8, 0..50_i64).prop_map(|(region, second)| Step::Write(region, second));
        let hear = (0..3_u8, 0..3_u8).prop_map(|(to, from)| Step::Hear(to, from));
        prop::collection::vec(prop_oneof![write, hear], 1..30)
    }

    proptest! {
        #[test]
        fn order_and_repetition_do_not_matter(a in any_record(), b in any_record(), c in any_record()) {
            prop_assert_eq!(merge(&a, &b), merge(&b, &a));
            prop_assert_eq!(merge(&merge(&a, &b), &c), merge(&a, &merge(&b, &c)));
            let both = merge(&a, &b);
            prop_assert_eq!(&merge(&both, &b), &both);
        }

        #[test]
        fn regions_come_to_agree_and_what_was_known_never_wins(steps in steps()) {
            let mut records = [base(), base(), base()];
            for (number, step) in steps.into_iter().enumerate() {
                match step {
                    Step::Write(index, second) => {
                        let now = &mut records[usize::from(index)];
                        now.stamp = now.stamp.next(&region(index), at(second));
                        now.revision = now.stamp.vector.revision();
                        now.title = Some(number.to_string());
                    }
                    Step::Hear(to, from) => {
                        let (to, from) = (usize::from(to), usize::from(from));
                        let (mine, theirs) = (records[to].clone(), records[from].clone());
                        let merged = merge(&mine, &theirs);
                        // Who knew of the other, wins.
                        if mine.stamp.vector < theirs.stamp.vector {
                            prop_assert_eq!(&merged.title, &theirs.title);
                        }
                        if mine.stamp.vector.partial_cmp(&theirs.stamp.vector).is_none() {
                            prop_assert!(merged.revision > mine.revision && merged.revision > theirs.revision);
                        }
                        records[to] = merged;
                    }
                }
            }
            let [a, b, c] = &records;
            let all = merge(&merge(a, b), c);
            prop_assert_eq!(&all, &merge(&merge(c, b), a));
            prop_assert_eq!(&all, &merge(&merge(b, a), c));
        }
    }
}
