//! The program as its users meet it: the built binary, real folders, real signals.

mod kill;
mod layers;
mod messages;
mod null;
mod readme;
mod roads;
mod sandbox;
mod trial;
