//! One suite for all stores, each against the real thing: SQLite on a disk, a PostgreSQL server, and moto for DynamoDB.

mod contract;
mod lists;
mod model;
mod opening;
mod together;
mod world;

use world::World;

/// The whole suite; so many games of the model.
fn suite(world: &World, games: u32) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(4).enable_all().build().expect("threads");
    runtime.block_on(opening::a_table_that_is_not_there(world));
    runtime.block_on(contract::holds(world));
    runtime.block_on(lists::holds(world));
    runtime.block_on(together::holds(world));
    model::holds(&runtime, world, games);
}

#[test]
fn sqlite() {
    suite(&World::sqlite(), 40);
}

#[test]
fn postgres() {
    if let Some(world) = World::postgres() {
        suite(&world, 40);
    }
}

#[test]
fn dynamodb() {
    if let Some(world) = World::dynamo() {
        suite(&world, 5);
    }
}
