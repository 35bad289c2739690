//! The system seen from outside: a seeded simulation of whole histories, scenarios on real nodes, and the checker of what
//! clients wrote down, which both use.

pub mod chaos;
pub mod checker;
pub mod cluster;
pub mod node;
pub mod process;
pub mod proxy;
pub mod simulation;
pub mod skipped;
pub mod town;
pub mod witness;
