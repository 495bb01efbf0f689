//! The exact reading of an exam: chats in, the log-probability and length of every reply out, on disk as they come.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::{Room, files};
use crate::engine::{Model, ScoreRequest, Scorer};
use crate::error::{Error, Result};
use crate::evals::{Exact, Exam, Item};
use crate::record::Chat;

/// Questions per call of the engine: bounds what an interruption costs.
const AT_ONCE: usize = 16;

/// What a model says of the replies; both shapes are (items, replies to the item).
#[derive(Default)]
pub(super) struct Replies {
    /// The natural log-probability of each as the whole answer.
    pub(super) logs: Vec<Vec<f64>>,
    /// How many tokens each has, end-of-turn included; empty where only sums are known.
    pub(super) tokens: Vec<Vec<usize>>,
}

/// One line of `replies.jsonl`.
#[derive(Debug, Serialize, Deserialize)]
struct Row {
    /// The question's place in the exam.
    question: usize,
    /// Natural logarithms; `null` where the reply is as good as impossible.
    logprobs: Vec<Option<f64>>,
    /// Tokens of each reply; absent where only sums are known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    tokens: Option<Vec<usize>>,
}

/// Scores every item's replies that an interrupted attempt has not scored yet.
pub(super) fn replies(room: Room<'_>, exam: &Exam, model: &dyn Model, chats: &[Chat]) -> Result<Replies> {
    let path = room.dir.join(files::REPLIES);
    let (known, mut writer) = room.resume::<Row>(&path)?;
    let mut next = known.len().min(chats.len());
    while next < chats.len() {
        let end = (next + AT_ONCE).min(chats.len());
        let found = score(exam, model, &exam.items[next..end], &chats[next..end])?;
        for (i, logs) in found.logs.into_iter().enumerate() {
            let question = next + i;
            if logs.iter().any(|log| log.is_nan()) {
                return Err(Error::environment(format!("a reply to question {question} has a probability that is no number"))
                    .hint("are the weights damaged, or was the training unstable?"));
            }
            let logprobs = logs.into_iter().map(|log| (log > f64::NEG_INFINITY).then_some(log)).collect();
            writer.push(&Row { question, logprobs, tokens: found.tokens.get(i).cloned() })?;
        }
        writer.flush()?;
        next = end;
    }
    writer.close()?;
    read(&path)
}

/// What is on disk: the same whether it was written now or before.
fn read(path: &Path) -> Result<Replies> {
    let mut replies = Replies::default();
    for row in crate::tool::jsonl::read::<Row>(path)? {
        replies.logs.push(row.logprobs.into_iter().map(|log| log.unwrap_or(f64::NEG_INFINITY)).collect());
        replies.tokens.extend(row.tokens);
    }
    Ok(replies)
}

/// What a model says of some of the items' replies.
pub(super) fn score(exam: &Exam, model: &dyn Scorer, items: &[Item], chats: &[Chat]) -> Result<Replies> {
    // Among themselves every reply counts, however unlikely; elsewhere those that are all but impossible need not be followed.
    if !exam.replies.is_empty() && exam.exact == Exact::Whole {
        let texts: Vec<String> = exam.replies.iter().map(|reply| reply.text.clone()).collect();
        return Ok(Replies { logs: model.choices(chats, &texts)?, tokens: Vec::new() });
    }
    let requests = items.iter().zip(chats).flat_map(|(item, chat)| {
        exam.replies_to(item).iter().map(|reply| ScoreRequest { chat: chat.clone(), completion: reply.text.clone() })
    });
    let mut scores = model.score(&requests.collect::<Vec<_>>())?.into_iter();
    let mut replies = Replies::default();
    for item in items {
        let own: Vec<_> = scores.by_ref().take(exam.replies_to(item).len()).collect();
        replies.logs.push(own.iter().map(|score| score.logprobs.iter().sum()).collect());
        replies.tokens.push(own.iter().map(|score| score.tokens.len()).collect());
    }
    Ok(replies)
}
