//! The system seen from outside: scenarios on real nodes, faults, and the checker that both use.

pub mod node;
pub mod town;
