//! The same with a process for each part: the edge, auth, ingest, index and search are killed, one at a time and each again and
//! again, while the others go on.

use super::driver::{Driver, Random};
use super::{DRIVERS, JOBS, UPLOADS, hunted, is_whole, kills, turn};
use crate::fleet::Fleet;

/// Kills in all.
const KILLS: u64 = 60;

#[test]
fn each_part_is_killed_and_nothing_is_lost_doubled_or_dangling() {
    let _alone = turn();
    let Some(mut fleet) = Fleet::start(&[], &JOBS.map(str::to_owned), &[UPLOADS.to_owned()]) else { return };
    let (address, password) = (fleet.gateway.address, fleet.password.clone());
    let drivers = (0..DRIVERS).map(|one| Driver::new(address, &password, one + 100)).collect();
    let mut turn = 0;
    let mut drivers = hunted(drivers, kills(KILLS), &mut Random::new(7), |_| {
        let count = fleet.parts.len();
        fleet.parts[turn % count].again();
        turn += 1;
    });
    is_whole(&mut drivers);
    let said = fleet.check().unwrap_or_else(|said| panic!("{said}"));
    assert!(said.contains("0 missing, 0 older, 0 extra"), "{said}");
}
