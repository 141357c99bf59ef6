//! One suite for both engines: the same documents, the same questions, the same answers, in the same order.

mod alike;
mod answers;
mod cursors;
mod documents;
mod engines;
mod kill;
mod reach;
mod rebuild;
mod shared;
mod writes;
