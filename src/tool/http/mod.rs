//! JSON over HTTP from services that limit, stall and fail: a request in, an understood reply out, however many tries it takes.
//!
//! What may pass (429, 5xx, a closed connection, a hang, a reply that cannot be read) is tried again; what will not (a wrong key, address or
//! request) fails at once. A [`Key`] goes into the `Authorization` header and nowhere else.

mod address;
mod client;
mod key;
mod patience;
#[cfg(test)]
pub(crate) mod scripted;
mod status;

pub use address::{address, is_loopback};
pub use client::{Client, Failed, Reply, Settings, Watch};
pub use key::{Key, is_name};
pub use patience::Patience;
