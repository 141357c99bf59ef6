//! The groups' rows as one table sorted by name, and the look-up of names and aliases. Built by the compiler.

use super::parameter::{Parameter, Write};
use super::{colour, delivery, layers, output, place, shape, size};

/// The rows in the reference's order, one slice for each file.
pub(super) const GROUPS: [&[Parameter]; 7] = [
    size::PARAMETERS,
    place::PARAMETERS,
    colour::PARAMETERS,
    shape::PARAMETERS,
    layers::PARAMETERS,
    output::PARAMETERS,
    delivery::PARAMETERS,
];

const COUNT: usize = {
    let (mut count, mut group) = (0, 0);
    while group < GROUPS.len() {
        count += GROUPS[group].len();
        group += 1;
    }
    count
};

/// Every parameter, sorted by name: the order of canonical strings.
pub(super) static TABLE: [Parameter; COUNT] = TABLE_CONST;

/// The writers of [`TABLE`], row by row, close together for the hit path.
pub(super) static WRITERS: [Write; COUNT] = {
    let mut writers = [TABLE_CONST[0].write; COUNT];
    let mut row = 0;
    while row < COUNT {
        writers[row] = TABLE_CONST[row].write;
        row += 1;
    }
    writers
};

/// A set of parameters, one bit for each row of [`TABLE`].
pub(super) type Bits = u128;
const _: () = assert!(COUNT <= Bits::BITS as usize, "a set of parameters fits its bits");

const fn sorted() -> [Parameter; COUNT] {
    let mut table = [GROUPS[0][0]; COUNT];
    let (mut filled, mut group) = (0, 0);
    while group < GROUPS.len() {
        let mut row = 0;
        while row < GROUPS[group].len() {
            let mut at = filled;
            while at > 0 && before(GROUPS[group][row].name, table[at - 1].name) {
                table[at] = table[at - 1];
                at -= 1;
            }
            table[at] = GROUPS[group][row];
            filled += 1;
            row += 1;
        }
        group += 1;
    }
    table
}

const fn before(a: &str, b: &str) -> bool {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    let mut at = 0;
    while at < a.len() && at < b.len() {
        if a[at] != b[at] {
            return a[at] < b[at];
        }
        at += 1;
    }
    a.len() < b.len()
}

const SLOTS: usize = 512;
const EMPTY: u8 = u8::MAX;

/// Open addressing by [`slot`]: row numbers, [`EMPTY`] where there is none.
static INDEX: [(u8, &str); SLOTS] = index();

const fn index() -> [(u8, &'static str); SLOTS] {
    let mut slots = [(EMPTY, ""); SLOTS];
    let mut row = 0;
    while row < COUNT {
        place_name(&mut slots, TABLE_CONST[row].name, row as u8);
        let mut alias = 0;
        while alias < TABLE_CONST[row].aliases.len() {
            place_name(&mut slots, TABLE_CONST[row].aliases[alias], row as u8);
            alias += 1;
        }
        row += 1;
    }
    slots
}

const TABLE_CONST: [Parameter; COUNT] = sorted();

const fn place_name(slots: &mut [(u8, &'static str); SLOTS], name: &'static str, row: u8) {
    let mut at = slot(name);
    while slots[at].0 != EMPTY {
        assert!(before(slots[at].1, name) || before(name, slots[at].1), "two parameters share a name");
        at = (at + 1) % SLOTS;
    }
    slots[at] = (row, name);
}

/// FNV-1a, folded to the index.
const fn slot(name: &str) -> usize {
    let bytes = name.as_bytes();
    let (mut hash, mut at) = (0x811c_9dc5_u32, 0);
    while at < bytes.len() {
        hash = (hash ^ bytes[at] as u32).wrapping_mul(0x0100_0193);
        at += 1;
    }
    (hash ^ (hash >> 16)) as usize % SLOTS
}

/// No name is longer; longer ones are not even hashed.
const LONGEST: usize = 24;

/// The row that a name or an alias means.
pub(super) fn row(name: &str) -> Option<u8> {
    if name.len() > LONGEST {
        return None;
    }
    let mut at = slot(name);
    loop {
        match INDEX.get(at) {
            Some((EMPTY, _)) | None => return None,
            Some((row, known)) if *known == name => return Some(*row),
            Some(_) => at = (at + 1) % SLOTS,
        }
    }
}

/// The row by number.
pub(super) fn parameter(row: u8) -> &'static Parameter {
    TABLE.get(usize::from(row)).expect("row numbers come from the table's own index")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_finds_its_row() {
        assert!(TABLE.is_sorted_by_key(|p| p.name));
        for (number, entry) in TABLE.iter().enumerate() {
            for name in std::iter::once(&entry.name).chain(entry.aliases) {
                assert_eq!(row(name).map(usize::from), Some(number), "{name}");
                assert!(name.len() <= LONGEST);
                assert!(name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-'), "{name}");
                assert!(name.as_bytes()[0].is_ascii_lowercase(), "{name}: `then` tells names from values by this");
            }
            assert!(!entry.values.is_empty() && !entry.doc.is_empty());
        }
        for name in ["", "W", "ww", "unknown", "a-name-that-is-far-too-long-to-be-one"] {
            assert_eq!(row(name), None, "{name}");
        }
    }
}
