//! The exact reading of an exam: chats in, the log-probability and length of every reply out.

use crate::engine::{Model, ScoreRequest};
use crate::error::Result;
use crate::evals::Exam;
use crate::record::Chat;

/// What a model says of the replies; both shapes are (items, replies to the item).
pub(super) struct Replies {
    /// The natural log-probability of each as the whole answer.
    pub(super) logs: Vec<Vec<f64>>,
    /// How many tokens each has, end-of-turn included; empty where the replies are the same for every item.
    pub(super) tokens: Vec<Vec<usize>>,
}

/// Scores every item's replies.
pub(super) fn replies(exam: &Exam, model: &dyn Model, chats: &[Chat]) -> Result<Replies> {
    if !exam.replies.is_empty() {
        let texts: Vec<String> = exam.replies.iter().map(|reply| reply.text.clone()).collect();
        return Ok(Replies { logs: model.choices(chats, &texts)?, tokens: Vec::new() });
    }
    let requests = exam.items.iter().zip(chats).flat_map(|(item, chat)| {
        item.replies.iter().map(|reply| ScoreRequest { chat: chat.clone(), completion: reply.text.clone() })
    });
    let mut scores = model.score(&requests.collect::<Vec<_>>())?.into_iter();
    let mut replies = Replies { logs: Vec::new(), tokens: Vec::new() };
    for item in &exam.items {
        let own: Vec<_> = scores.by_ref().take(item.replies.len()).collect();
        replies.logs.push(own.iter().map(|score| score.logprobs.iter().sum()).collect());
        replies.tokens.push(own.iter().map(|score| score.tokens.len()).collect());
    }
    Ok(replies)
}
