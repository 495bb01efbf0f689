//! A teacher writes: prompts of the domain in, `samples.jsonl` out, one completion a prompt.
//!
//! Rows are on disk as soon as they are sampled. A restart samples only the missing ones; each row has its own random stream, so the file,
//! in the end sorted by its prompts' order, has the bytes of an undisturbed run.

use std::collections::HashMap;
use std::ops::ControlFlow;

use serde::Serialize;

use crate::domain;
use crate::engine::{Completion, SampleRequest};
use crate::error::{Error, Result};
use crate::record::{DomainPlan, Force, Prompt, RowId, Sample, Sampling, StreamId};
use crate::tool::{interrupt, jsonl};

use super::{Done, Progress, Room, Speaker, files};

/// What is written.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Spec {
    /// What the prompts ask for.
    pub domain: DomainPlan,
    /// How many prompts.
    pub samples: usize,
    /// Temperature, nucleus, length.
    pub sampling: Sampling,
    /// Constrained decoding.
    pub force: Force,
    /// The replicate: draws prompts and tokens.
    pub seed: u64,
    /// The name of the random streams that draw the tokens.
    pub purpose: String,
}

/// Samples what is missing in the room's folder.
///
/// # Errors
/// If prompts or model cannot be read, a prompt does not fit the model, the disk fails, or the user interrupts.
pub fn run(room: Room<'_>, spec: &Spec, teacher: &Speaker) -> Result<Done> {
    let prompts = prompts(spec)?;
    let order = places(&prompts)?;
    let path = room.dir.join(files::SAMPLES);
    sample_missing(room, spec, teacher, &prompts, room.resume(&path)?)?;
    let mut samples: Vec<Sample> = jsonl::read(&path)?;
    samples.sort_by_key(|sample| order.get(&sample.id).copied());
    jsonl::replace(&path, &samples)?;
    Ok(Done { rows: samples.len(), tokens: samples.iter().map(|s| s.tokens).sum() })
}

/// The prompts of a spec.
///
/// # Errors
/// If the plan's own prompts file cannot be read or is too short.
pub fn prompts(spec: &Spec) -> Result<Vec<Prompt>> {
    domain::of(&spec.domain).prompts(spec.samples, spec.seed, &spec.domain)
}

fn places(prompts: &[Prompt]) -> Result<HashMap<RowId, usize>> {
    let mut places = HashMap::with_capacity(prompts.len());
    for (place, prompt) in prompts.iter().enumerate() {
        if places.insert(prompt.id.clone(), place).is_some() {
            return Err(
                Error::input(format!("two prompts have the id `{}`", prompt.id)).hint("give each prompt its own id, or none")
            );
        }
    }
    Ok(places)
}

fn sample_missing(
    room: Room<'_>,
    spec: &Spec,
    teacher: &Speaker,
    prompts: &[Prompt],
    (known, mut writer): (Vec<Sample>, jsonl::Writer),
) -> Result<()> {
    let have: std::collections::HashSet<&RowId> = known.iter().map(|s| &s.id).collect();
    let missing: Vec<usize> = (0..prompts.len()).filter(|&i| !have.contains(&prompts[i].id)).collect();
    let mut progress = Progress { done: known.len(), total: prompts.len(), ..Progress::default() };
    (room.listener)(progress);
    if missing.is_empty() {
        return writer.close();
    }
    let request = |&place: &usize| SampleRequest {
        chat: teacher.frame.ask(&prompts[place].prompt),
        stream: StreamId { seed: spec.seed, purpose: spec.purpose.clone(), index: place as u64 },
    };
    let requests: Vec<SampleRequest> = missing.iter().map(request).collect();
    let grammar = (spec.force == Force::Grammar).then(|| domain::of(&spec.domain).grammar());
    let mut sink = |done: Completion| {
        let Prompt { id, prompt, expected } = prompts[missing[done.index]].clone();
        writer.push(&Sample { id, prompt, expected, completion: done.text, tokens: done.tokens, finish: done.finish })?;
        writer.flush()?;
        progress.done += 1;
        progress.tokens += done.tokens;
        (room.listener)(progress);
        interrupt::check()?;
        Ok(ControlFlow::Continue(()))
    };
    room.engine.load(&teacher.weights)?.sample(&requests, &spec.sampling, grammar.as_deref(), &mut sink)?;
    writer.close()
}
