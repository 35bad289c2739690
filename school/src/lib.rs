//! The rules of a school: who may do what.

pub mod demo;
pub mod roster;
