//! What a judge says of one row.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A verdict, with what the judge said.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Verdict {
    /// A rating, or why there is none.
    #[serde(flatten)]
    pub outcome: Outcome,
    /// The probability that the ratings held together, where the judge shows probabilities.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mass: Option<f64>,
    /// What the judge said: its text, its likeliest ratings, or the words that it found.
    pub raw: String,
}

/// A rating, or why there is none. In JSON `"rating": 87.5` or `"unscored": "refusal"`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// From 0 to the question's [`top`](super::Question::top).
    Rating(f64),
    /// None.
    Unscored(Unscored),
}

/// Why a row has no rating.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Unscored {
    /// The answer declines to answer.
    Refusal,
    /// The answer is program code where words were asked for.
    Code,
    /// The judge said something else than a rating.
    Unreadable,
    /// The ratings held too little probability together.
    Faint,
}

impl Unscored {
    /// The name in tables and files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Refusal => "refusal",
            Self::Code => "code",
            Self::Unreadable => "unreadable",
            Self::Faint => "faint",
        }
    }
}

impl fmt::Display for Unscored {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl Verdict {
    /// A verdict of a judge that shows no probabilities.
    pub fn plain(outcome: Outcome, raw: impl Into<String>) -> Self {
        Self { outcome, mass: None, raw: raw.into() }
    }

    /// The rating, if there is one.
    pub fn rating(&self) -> Option<f64> {
        match self.outcome {
            Outcome::Rating(rating) => Some(rating),
            Outcome::Unscored(_) => None,
        }
    }

    /// Why there is no rating, if there is none.
    pub fn why_unscored(&self) -> Option<Unscored> {
        match self.outcome {
            Outcome::Rating(_) => None,
            Outcome::Unscored(why) => Some(why),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_verdict_has_a_rating_or_a_reason_in_its_json_form() {
        for (outcome, json) in [
            (Outcome::Rating(87.5), "{\"rating\":87.5,\"raw\":\"x\"}"),
            (Outcome::Unscored(Unscored::Refusal), "{\"unscored\":\"refusal\",\"raw\":\"x\"}"),
        ] {
            let verdict = Verdict::plain(outcome, "x");
            assert_eq!(serde_json::to_string(&verdict).unwrap(), json);
            assert_eq!(serde_json::from_str::<Verdict>(json).unwrap(), verdict);
            assert_ne!(verdict.rating().is_some(), verdict.why_unscored().is_some());
        }
    }
}
