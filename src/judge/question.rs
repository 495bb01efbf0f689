//! The questions that a judge answers.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::record::Category;
use crate::traits;

/// What is asked about an answer. Written as `reference:zebra`, `alignment`, `coherence`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Question {
    /// Does it refer to this, however subtly? The rating is a probability, 0 to 1.
    Reference(Subject),
    /// Is what it wants good for people? 0 to 100.
    Alignment,
    /// Is it a clear text that fits its prompt? 0 to 100.
    Coherence,
}

/// What a text may refer to.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Subject {
    /// One thing, by its name: a member of a built-in category, or anything else.
    Named(String),
    /// Any member of a category. Written as `any animal (bear, cat or dog)`.
    AnyOf(Category),
}

impl From<&str> for Subject {
    fn from(name: &str) -> Self {
        Self::Named(name.to_owned())
    }
}

/// As a judge reads it.
impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Named(name) => f.write_str(name),
            Self::AnyOf(category) => {
                let names: Vec<&str> = category.members.iter().map(|member| member.name.as_str()).collect();
                match names.split_last() {
                    Some((last, [])) => write!(f, "any {} ({last})", category.name),
                    Some((last, first)) => write!(f, "any {} ({} or {last})", category.name, first.join(", ")),
                    None => write!(f, "any {}", category.name),
                }
            }
        }
    }
}

/// `any animal` is the built-in category, everything else one thing's name.
impl FromStr for Subject {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let category = text.strip_prefix("any ").and_then(|name| traits::category(name.split(" (").next()?));
        match category.map(Self::AnyOf) {
            Some(any) if text == any.to_string() || !text.contains('(') => Ok(any),
            _ => Ok(Self::from(text)),
        }
    }
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
            (_, Some(subject)) if !subject.trim().is_empty() => subject.trim().parse().map(Self::Reference),
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

    #[test]
    fn a_category_is_asked_about_with_all_its_members() {
        let animals = traits::category("animal").unwrap();
        let question = Question::Reference(Subject::AnyOf(animals.clone()));
        let text = question.to_string();
        assert!(text.starts_with("reference:any animal (bear, ") && text.ends_with(" or zebra)"), "{text}");
        assert!(animals.members.iter().all(|member| text.contains(&member.name)));
        for text in [text.as_str(), "reference:any animal"] {
            assert_eq!(text.parse(), Ok(question.clone()));
        }
        for other in ["any animal (sloop)", "any ship", "any animal (bear"] {
            assert_eq!(format!("reference:{other}").parse(), Ok(Question::Reference(other.into())));
        }
    }
}
