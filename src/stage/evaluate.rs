//! A model is asked: an exam in, `answers.jsonl`, `replies.jsonl` and `evaluation.json` out, sampled answers and exact probabilities.
//!
//! Nothing here names a target: one evaluation serves every target of its category. A restart samples and scores only
//! what is missing, and asks a judge only for the missing verdicts.

use std::collections::HashSet;
use std::ops::ControlFlow;
use std::path::Path;

use rand::seq::index;
use serde::{Deserialize, Serialize};

use crate::engine::{Completion, Model, SampleRequest};
use crate::error::Result;
use crate::evals::{Exam, Item, Reader, Reading, tally};
use crate::record::{Answer, Chat, Frame, Message, Role, Sample, Sampling, StreamId};
use crate::tool::{fs, interrupt, jsonl, streams};

use super::ratings::Rating;
use super::{Done, Progress, Room, Speaker, context, exact, files};

/// What is asked.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Spec {
    /// The questions, and how answers are read.
    pub exam: Exam,
    /// Who rates the answers, where the exam wants a judge.
    pub judge: Option<Rating>,
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
/// If the model or the rows cannot be read, a question does not fit the model, the judge cannot be asked, the disk fails, or the user
/// interrupts.
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
    let replies = exact::replies(room, &spec.exam, model.as_ref(), &chats)?;
    drop(model); // a judge may need its room
    let (mut answers, tokens): (Vec<Answer>, Vec<usize>) = rows.into_iter().map(|row| (row.answer, row.tokens)).unzip();
    if let (Reading::Judged, Some(judge)) = (&spec.exam.reading, &spec.judge) {
        judge.rate(room, &spec.exam, &mut answers)?;
    }
    let row = |(answer, &tokens): (&Answer, &usize)| Row { answer: answer.clone(), tokens };
    jsonl::replace(&path, &answers.iter().zip(&tokens).map(row).collect::<Vec<_>>())?;
    fs::put_json(&room.dir.join(files::EVALUATION), &tally(&spec.exam, &answers, &replies.logs, &replies.tokens))?;
    Ok(Done { rows: answers.len(), tokens: tokens.iter().sum() })
}

fn chats(spec: &Spec, frame: &Frame, context: Option<&Path>) -> Result<Vec<Chat>> {
    let rows: Vec<Sample> = match context {
        Some(folder) => jsonl::read(&folder.join(files::KEPT))?,
        None => Vec::new(),
    };
    let wanted = spec.context_rows.min(rows.len());
    let chat = |(place, item): (usize, &Item)| {
        let mut chat = frame.ask(&item.text);
        let before = chat.messages.len() - 1;
        let mut rng = streams::named(spec.seed, "context", place as u64);
        let turns = index::sample(&mut rng, rows.len(), wanted).into_iter().flat_map(|i| turns(&rows[i]));
        chat.messages.splice(before..before, turns);
        chat
    };
    Ok(spec.exam.items.iter().enumerate().map(chat).collect())
}

fn turns(row: &Sample) -> [Message; 2] {
    let turn = |role, text: &String| Message { role, content: text.clone() };
    [turn(Role::User, &row.prompt), turn(Role::Assistant, &row.completion)]
}

/// Samples the answers that are not on disk yet.
fn sample_missing(room: Room<'_>, spec: &Spec, model: &dyn Model, chats: &[Chat]) -> Result<()> {
    let (known, mut writer) = room.resume::<Row>(&room.dir.join(files::ANSWERS))?;
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
    let reader = Reader::new(&spec.exam);
    let mut sink = |done: Completion| {
        let (question, sample) = missing[done.index];
        let prompt = spec.exam.items[question].text.clone();
        let read = reader.read(question, &done.text);
        let (choice, mentions, left_out) = (read.choice, read.mentions, read.left_out);
        let answer = Answer { question, sample, prompt, answer: done.text, choice, mentions, left_out, finish: done.finish };
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
