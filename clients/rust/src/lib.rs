//! The Rust SDK of Samtale.
//!
//! ```no_run
//! use samtale_client::{Client, ClientOptions, Credentials, Secret, Update};
//!
//! # async fn example(thread: samtale_protocol::ThreadId) -> Result<(), Box<dyn std::error::Error>> {
//! let credentials = Credentials::Password { username: "mette".into(), password: Secret::new("…") };
//! let (client, mut updates) = Client::connect(ClientOptions::new("http://127.0.0.1:8080", credentials)?);
//! client.send(thread, vec![samtale_protocol::messages::Part::text("Hej 👋")]).await?;
//! while let Some(update) = updates.next().await {
//!     if let Update::Sent(sent) = update {
//!         println!("stored as {}", sent.message);
//!     }
//! }
//! # Ok(())
//! # }
//! ```
//!
//! [`client`] is what an application holds. Behind it, one task ([`driver`](self)) waits for the socket, the application
//! and the time, and asks [`connection`], a state machine that decides and never waits. [`transport`] knows WebSockets,
//! [`login`] knows HTTP, [`outbox`] keeps what is not acknowledged yet.

pub mod address;
pub mod backoff;
pub mod client;
pub mod clock;
pub mod connection;
pub mod cursor;
mod driver;
pub mod errors;
pub mod light;
pub mod login;
pub mod outbox;
pub mod secret;
pub mod stream;
pub mod transport;
pub mod updates;

pub use address::{AddressError, ServerAddress};
pub use client::{Client, ClientOptions, Credentials, Updates};
pub use cursor::{CursorStore, FileCursor};
pub use errors::{RequestError, SendError};
pub use login::{LoginError, LoginService};
pub use outbox::{Outbox, OutboxError, Outgoing};
pub use secret::Secret;
pub use stream::Roots;
pub use updates::{DisconnectReason, StopReason, Update};
