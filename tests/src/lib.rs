//! The system from outside: a seeded simulation of whole histories, and the checker of what clients wrote down.

pub mod checker;
pub mod simulation;
