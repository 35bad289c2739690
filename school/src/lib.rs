//! The rules of a school: who may do what. One file per capability; knows no socket.
//!
//! [`School::handle`] is the only way in for requests: every one of them names its caller and is checked here, against
//! the space's [`directory::Directory`] and the thread's members. What is done is first stored, then in the journal, then
//! handed to the router's publisher.

pub mod activation;
pub mod demo;
pub mod directory;
mod directory_memory;
pub mod drafts;
pub mod errors;
pub mod explain;
mod facts;
pub mod follow;
mod followed;
pub mod heads;
mod heads_loading;
pub mod history;
pub mod import;
pub mod inbox;
pub mod journal;
mod member_changes;
mod member_rows;
pub mod members;
pub mod messages;
pub mod people;
pub mod profiles;
pub mod read_markers;
pub mod recipients;
pub mod rights;
pub mod roster;
pub mod school;
pub mod sending;
pub mod settings;
mod settling;
pub mod talk_table;
pub mod thread_state;
pub mod threads;
mod together;
pub mod typing;
mod user_names;
pub mod visibility;
pub mod write_clock;

pub use errors::refuse_storage;
pub use school::{Sabotage, School, SchoolParts};
