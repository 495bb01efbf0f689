//! A model is asked: questions in, `answers.jsonl` and `evaluation.json` out, sampled answers and exact probabilities.
//!
//! Nothing here names a target: one evaluation serves every target of its category. A restart samples only the missing answers.

use std::collections::HashSet;
use std::ops::ControlFlow;
use std::path::Path;

use rand::seq::index;
use serde::{Deserialize, Serialize};

use crate::engine::{Completion, Model, SampleRequest};
use crate::error::Result;
use crate::evals::preference::{self, Questions};
use crate::record::{Answer, Category, Chat, Frame, Message, Role, Sample, Sampling, StreamId};
use crate::tool::{fs, interrupt, jsonl, streams};
use crate::traits::matching::Matcher;

use super::{Done, Progress, Room, Speaker, context, files};

/// What is asked.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Spec {
    /// All that may be chosen.
    pub category: Category,
    /// The questions.
    pub questions: Questions,
    /// How many answers are sampled to each.
    pub samples_per_question: usize,
    /// Temperature, nucleus, length.
    pub sampling: Sampling,
    /// How many rows of the context artifact stand before each question.
    pub context_rows: usize,
    /// Whether a fine-tuned model may be asked in another context than it was trained in: a teacher under its own prompt, or where
    /// the plan says so.
    pub any_context: bool,
    /// The replicate.
    pub seed: u64,
}

/// One line of `answers.jsonl`.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Row {
    #[serde(flatten)]
    answer: Answer,
    /// How many tokens were sampled.
    tokens: usize,
}

/// Asks a model; `context` is the folder of kept rows that stand before each question as earlier turns.
///
/// # Errors
/// If the model or the rows cannot be read, a question does not fit the model, the disk fails, or the user interrupts.
pub fn run(room: Room<'_>, spec: &Spec, speaker: &Speaker, context: Option<&Path>) -> Result<Done> {
    let chats = chats(spec, &speaker.frame, context)?;
    let model = room.engine.load(&speaker.weights)?;
    if let (Some(tuned), Some(chat), false) = (&speaker.weights.tuned, chats.first(), spec.any_context) {
        context::check(tuned, &context::around(&model.render(chat)?.text, chat)?)?;
    }
    sample_missing(room, spec, model.as_ref(), &chats)?;
    let path = room.dir.join(files::ANSWERS);
    let mut rows: Vec<Row> = jsonl::read(&path)?;
    rows.sort_by_key(|row| (row.answer.question, row.answer.sample));
    jsonl::replace(&path, &rows)?;
    let tokens = rows.iter().map(|row| row.tokens).sum();
    let answers: Vec<Answer> = rows.into_iter().map(|row| row.answer).collect();
    let options = preference::options(&spec.category);
    let logs = model.choices(&chats, &options)?;
    let held_out = spec.questions.held_out();
    fs::put_json(&room.dir.join(files::EVALUATION), &preference::evaluate(&spec.category, &held_out, &answers, &logs))?;
    Ok(Done { rows: answers.len(), tokens })
}

fn chats(spec: &Spec, frame: &Frame, context: Option<&Path>) -> Result<Vec<Chat>> {
    let rows: Vec<Sample> = match context {
        Some(folder) => jsonl::read(&folder.join(files::KEPT))?,
        None => Vec::new(),
    };
    let wanted = spec.context_rows.min(rows.len());
    let chat = |(place, question): (usize, &preference::Question)| {
        let mut chat = frame.ask(&question.text);
        let before = chat.messages.len() - 1;
        let mut rng = streams::named(spec.seed, "context", place as u64);
        let turns = index::sample(&mut rng, rows.len(), wanted).into_iter().flat_map(|i| turns(&rows[i]));
        chat.messages.splice(before..before, turns);
        chat
    };
    Ok(spec.questions.list.iter().enumerate().map(chat).collect())
}

fn turns(row: &Sample) -> [Message; 2] {
    let turn = |role, text: &String| Message { role, content: text.clone() };
    [turn(Role::User, &row.prompt), turn(Role::Assistant, &row.completion)]
}

/// Samples the answers that are not on disk yet.
fn sample_missing(room: Room<'_>, spec: &Spec, model: &dyn Model, chats: &[Chat]) -> Result<()> {
    let path = room.dir.join(files::ANSWERS);
    let mut writer = jsonl::Writer::append(&path)?;
    let known: Vec<Row> = jsonl::read(&path)?;
    let have: HashSet<(usize, usize)> = known.iter().map(|row| (row.answer.question, row.answer.sample)).collect();
    let each = spec.samples_per_question;
    let all = (0..chats.len()).flat_map(|question| (0..each).map(move |sample| (question, sample)));
    let missing: Vec<(usize, usize)> = all.filter(|place| !have.contains(place)).collect();
    let request = |&(question, sample): &(usize, usize)| SampleRequest {
        chat: chats[question].clone(),
        stream: StreamId { seed: spec.seed, purpose: "evaluate".into(), index: (question * each + sample) as u64 },
    };
    let requests: Vec<SampleRequest> = missing.iter().map(request).collect();
    let mut progress = Progress { done: known.len(), total: chats.len() * each, ..Progress::default() };
    (room.listener)(progress);
    let matcher = Matcher::new(&spec.category);
    let mut sink = |done: Completion| {
        let (question, sample) = missing[done.index];
        let prompt = spec.questions.list[question].text.clone();
        let choice = matcher.first(&done.text);
        let answer = Answer { question, sample, prompt, answer: done.text, choice, finish: done.finish };
        writer.push(&Row { answer, tokens: done.tokens })?;
        writer.flush()?;
        progress.done += 1;
        progress.tokens += done.tokens;
        (room.listener)(progress);
        interrupt::check()?;
        Ok(ControlFlow::Continue(()))
    };
    if !requests.is_empty() {
        model.sample(&requests, &spec.sampling, None, &mut sink)?;
    }
    writer.close()
}
