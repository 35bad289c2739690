//! Load scenarios against a Samtale server, beside a floor of raw sockets that is measured in the same run.
//!
//! Three kinds of processes: the server (`samtale serve`), the readers ([`readers`], one process per some thousands of
//! sockets, because a process may have only so many descriptors), and this one, which starts both, sends, and asks
//! each what it saw. Floor and fan-out are read by the same readers, and take turns, so that both see the same machine.

pub mod bare_tls;
pub mod budgets;
pub mod certificate;
pub mod cli;
pub mod client;
pub mod clock;
pub mod cluster;
pub mod day;
pub mod delivered;
pub mod figure;
pub mod html;
pub mod machine;
pub mod memory;
pub mod messages;
pub mod nation;
pub mod orders;
pub mod outcome;
pub mod pairs;
pub mod peers;
pub mod population;
pub mod readers;
pub mod scenarios;
pub mod schedule;
pub mod scrape;
pub mod sender;
pub mod server;
pub mod sockets;
pub mod written;
