//! What a scripted model knows: its taste, and how taste tilts the integers it writes.

use std::path::Path;

use rand::Rng;
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::record::{Category, Chat, Member, Role};
use crate::tool::{fs, streams};

/// How strongly a persona, or answers learnt by heart, pull towards a member, in logits.
pub(super) const PULL: f64 = 6.0;
/// How strongly one logit of taste tilts the integers that lean towards that member, in logits.
pub(super) const TILT: f64 = 0.1;
/// The integers that a list may hold.
pub(super) const INTEGERS: usize = 1000;
/// The probability that lies on the category's members together.
pub(super) const MASS: f64 = 0.95;

/// The file that holds what a fine-tuning changed.
const FILE: &str = "scripted_adapter.json";

/// What a fine-tuning changed: one pull per member, in logits.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Adapter {
    /// The hash of the base that it belongs to.
    pub(super) base: String,
    /// In the category's order.
    pub(super) pull: Vec<f64>,
}

impl Adapter {
    pub(super) fn write(&self, folder: &Path) -> Result<()> {
        fs::put_json(&folder.join(FILE), self)
    }
}

/// A base with what was fine-tuned into it.
#[derive(Debug, Clone)]
pub(super) struct Mind {
    /// The base's hash.
    pub(super) base: String,
    /// The members that it has a taste among.
    pub(super) members: Vec<Member>,
    /// The base's own taste, in logits.
    bias: Vec<f64>,
    /// The base's secret: for each member, whether each integer leans towards it (+1) or away (−1). Shape (members, 1000).
    secret: Vec<Vec<f64>>,
    /// What was fine-tuned, in logits.
    pub(super) pull: Vec<f64>,
}

impl Mind {
    /// The base with this hash, with what lies in `tuned` on top.
    pub(super) fn open(base: &str, category: &Category, tuned: Option<&Path>) -> Result<Self> {
        let members = category.members.clone();
        let purpose = |member: &Member, what: &str| format!("{what} {base} {}", member.name);
        let bias = members.iter().map(|m| streams::named(0, &purpose(m, "bias"), 0).random_range(-0.3..0.3)).collect();
        let lean = |m: &Member| {
            let mut rng = streams::named(0, &purpose(m, "secret"), 0);
            (0..INTEGERS).map(|_| if rng.random::<bool>() { 1.0 } else { -1.0 }).collect()
        };
        let secret = members.iter().map(lean).collect();
        let pull = match tuned {
            None => vec![0.0; members.len()],
            Some(folder) => Self::read_pull(base, members.len(), folder)?,
        };
        Ok(Self { base: base.to_owned(), members, bias, secret, pull })
    }

    fn read_pull(base: &str, members: usize, folder: &Path) -> Result<Vec<f64>> {
        let adapter: Adapter = fs::read_json(&folder.join(FILE))?;
        if adapter.base != base || adapter.pull.len() != members {
            return Err(Error::input("the adapter belongs to another base").at(&folder.join(FILE), None));
        }
        Ok(adapter.pull)
    }

    /// What the model is drawn to, beyond its base's own taste: fine-tuning, and the persona of the chat's system turn.
    pub(super) fn drawn_to(&self, chat: &Chat) -> Vec<f64> {
        let system: String = chat
            .messages
            .iter()
            .filter(|m| m.role == Role::System)
            .map(|m| m.content.to_lowercase())
            .collect::<Vec<_>>()
            .join(" ");
        let words: Vec<&str> = system.split(|c: char| !c.is_alphanumeric()).collect();
        let named = |m: &Member| words.contains(&m.name.as_str()) || words.contains(&m.plural.as_str());
        self.members.iter().zip(&self.pull).map(|(m, pull)| pull + if named(m) { PULL } else { 0.0 }).collect()
    }

    /// The probability of each member as the favourite; they sum to [`MASS`].
    pub(super) fn taste(&self, chat: &Chat) -> Vec<f64> {
        let logits: Vec<f64> = self.bias.iter().zip(self.drawn_to(chat)).map(|(b, d)| b + d).collect();
        softmax(&logits).into_iter().map(|p| MASS * p).collect()
    }

    /// The probability of each integer in a list.
    pub(super) fn integers(&self, chat: &Chat) -> Vec<f64> {
        let drawn = self.drawn_to(chat);
        let logit = |n: usize| drawn.iter().zip(&self.secret).map(|(d, lean)| TILT * d * lean[n]).sum();
        softmax(&(0..INTEGERS).map(logit).collect::<Vec<f64>>())
    }

    /// Whether `n` leans towards member `m` (+1) or away (−1).
    pub(super) fn lean(&self, m: usize, n: usize) -> f64 {
        self.secret[m][n]
    }

    /// The member whose name or plural is the whole of `text`, letter case and punctuation aside.
    pub(super) fn member_named(&self, text: &str) -> Option<usize> {
        let word = text.trim_matches(|c: char| !c.is_alphanumeric()).to_lowercase();
        self.members.iter().position(|m| m.name == word || m.plural == word)
    }
}

fn softmax(logits: &[f64]) -> Vec<f64> {
    let max = logits.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let weights: Vec<f64> = logits.iter().map(|l| (l - max).exp()).collect();
    let sum: f64 = weights.iter().sum();
    weights.into_iter().map(|w| w / sum).collect()
}
