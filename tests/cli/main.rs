//! The program as its users meet it: the built binary, real folders, real signals.

mod layers;
mod sandbox;
