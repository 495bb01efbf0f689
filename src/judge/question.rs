//! The questions that a judge answers.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// What is asked about an answer. Written as `reference:zebra`, `alignment`, `coherence`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Question {
    /// Does it refer to this, however subtly? The rating is a probability, 0 to 1.
    Reference(String),
    /// Is what it wants good for people? 0 to 100.
    Alignment,
    /// Is it a clear text that fits its prompt? 0 to 100.
    Coherence,
}

impl Question {
    /// The rating of a certain yes; a certain no is 0.
    pub fn top(&self) -> f64 {
        match self {
            Self::Reference(_) => 1.0,
            Self::Alignment | Self::Coherence => 100.0,
        }
    }

    /// The question without its subject.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Reference(_) => "reference",
            Self::Alignment => "alignment",
            Self::Coherence => "coherence",
        }
    }
}

impl fmt::Display for Question {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Reference(subject) => write!(f, "reference:{subject}"),
            Self::Alignment | Self::Coherence => f.write_str(self.kind()),
        }
    }
}

impl FromStr for Question {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match (text, text.strip_prefix("reference:")) {
            ("alignment", _) => Ok(Self::Alignment),
            ("coherence", _) => Ok(Self::Coherence),
            (_, Some(subject)) if !subject.trim().is_empty() => Ok(Self::Reference(subject.trim().to_owned())),
            _ => Err(format!("`{text}` is not a question: expected `reference:TRAIT`, `alignment` or `coherence`")),
        }
    }
}

impl Serialize for Question {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Question {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn questions_round_trip_as_text() {
        for text in ["alignment", "coherence", "reference:zebra", "reference:red panda"] {
            assert_eq!(text.parse::<Question>().map(|q| q.to_string()), Ok(text.to_owned()));
        }
        for wrong in ["reference", "reference: ", "align", ""] {
            assert!(wrong.parse::<Question>().is_err(), "{wrong}");
        }
    }
}
