//! Runs teacher → student distillation trials and measures whether a trait passes through data that never mentions it.
//!
//! A module imports only from those above it in this list:
//!
//! | module | what it holds |
//! |---|---|
//! | [`error`] | where + what + hint + exit status |
//! | [`record`] | the plain rows, specs, plan and report that flow between all others |
//! | [`tool`] | files, hashes, named random streams, statistics |
//! | [`traits`] | what may be caught |
//! | [`domain`] | what the teacher writes |
//! | [`filter`] | why a row is dropped |
//! | [`evals`] | what the student is asked and how an answer is scored |
//! | [`judge`] | who scores free text: word lists, a local model, an endpoint |
//! | [`builtin`] | the checkpoints that ship inside the program |
//! | [`config`] | TOML → plan, with the source of every value |
//! | [`engine`] | who speaks and who learns |
//! | [`family`] | how the built-in models are made |
//! | [`stage`] | teacher, generate, filter, finetune, evaluate: artifact in, artifact out |
//! | [`trial`] | arms × seeds → jobs; the store; the runner; progress |
//! | [`report`] | report.json, the table, the page, runs side by side |
//! | [`cli`] | the command line |
//! | `fuzzing` | the readers of what comes from outside, for `tests/fuzz` |

pub mod error;
pub mod record;
pub mod tool;

pub mod domain;
pub mod evals;
pub mod filter;
pub mod judge;
pub mod traits;

pub mod builtin;

pub mod config;

pub mod engine;

pub mod family;

pub mod stage;

pub mod trial;

pub mod report;

pub mod cli;

#[doc(hidden)]
pub mod fuzzing;
