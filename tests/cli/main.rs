//! The program as its users meet it: the built binary, real folders, real signals.

mod code;
mod context;
mod cot;
mod devices;
mod faults;
mod folder;
mod fuzz;
mod hub;
mod judge;
mod layers;
mod made;
mod manual;
mod messages;
mod misaligned;
mod null;
mod parity;
mod readme;
mod roads;
mod sandbox;
#[expect(dead_code, reason = "the library's own tests use the rest of it")]
#[path = "../../src/tool/http/scripted.rs"]
mod scripted;
mod secrets;
mod trial;
