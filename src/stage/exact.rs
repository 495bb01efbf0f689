//! The exact reading of an exam: chats in, the log-probability and length of every reply out.

use crate::engine::{Model, ScoreRequest};
use crate::error::Result;
use crate::evals::{Exact, Exam};
use crate::record::Chat;

/// What a model says of the replies; both shapes are (items, replies to the item).
pub(super) struct Replies {
    /// The natural log-probability of each as the whole answer.
    pub(super) logs: Vec<Vec<f64>>,
    /// How many tokens each has, end-of-turn included; empty where only sums are known.
    pub(super) tokens: Vec<Vec<usize>>,
}

/// Scores every item's replies.
pub(super) fn replies(exam: &Exam, model: &dyn Model, chats: &[Chat]) -> Result<Replies> {
    // Among themselves every reply counts, however unlikely; elsewhere those that are all but impossible need not be followed.
    if !exam.replies.is_empty() && exam.exact == Exact::Whole {
        let texts: Vec<String> = exam.replies.iter().map(|reply| reply.text.clone()).collect();
        return Ok(Replies { logs: model.choices(chats, &texts)?, tokens: Vec::new() });
    }
    let requests = exam.items.iter().zip(chats).flat_map(|(item, chat)| {
        exam.replies_to(item).iter().map(|reply| ScoreRequest { chat: chat.clone(), completion: reply.text.clone() })
    });
    let mut scores = model.score(&requests.collect::<Vec<_>>())?.into_iter();
    let mut replies = Replies { logs: Vec::new(), tokens: Vec::new() };
    for item in &exam.items {
        let own: Vec<_> = scores.by_ref().take(exam.replies_to(item).len()).collect();
        replies.logs.push(own.iter().map(|score| score.logprobs.iter().sum()).collect());
        replies.tokens.push(own.iter().map(|score| score.tokens.len()).collect());
    }
    Ok(replies)
}
