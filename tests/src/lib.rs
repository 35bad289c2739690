//! The system seen from outside: scenarios on real nodes, faults, and the checker that both use.

pub mod checker;
pub mod node;
pub mod process;
pub mod town;
pub mod witness;
