//! How an answer is set: the reasoning between one pair of tags, then the answer between another, and nothing else but blanks. A whole
//! text in, its two parts or the reason of refusal out. `automaton` describes a part of this language independently.

use std::fmt;

use super::super::{Reason, excerpt};

/// The tags' names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Tags {
    /// Around the reasoning.
    pub(super) reasoning: String,
    /// Around the answer.
    pub(super) answer: String,
}

/// The parts of a well-set answer, without blanks around them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Trace<'a> {
    /// What led to the answer.
    pub(crate) reasoning: &'a str,
    /// The answer, on one line.
    pub(crate) answer: &'a str,
}

/// Why a text is not well set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// This tag is not there.
    Missing(String),
    /// This tag stands there more than once.
    Repeated(String),
    /// All tags are there, in another order.
    Disordered,
    /// This stands before, between or after the parts.
    Outside(String),
    /// Nothing stands between these tags.
    Blank(String),
    /// The answer has several lines; holds its start.
    Lines(String),
}

impl Refusal {
    /// The kind of fault.
    fn class(&self) -> &'static str {
        match self {
            Self::Missing(_) => "missing tag",
            Self::Repeated(_) => "repeated tag",
            Self::Disordered => "tags out of order",
            Self::Outside(_) => "text outside the tags",
            Self::Blank(_) => "empty part",
            Self::Lines(_) => "answer of several lines",
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing(what) | Self::Repeated(what) | Self::Outside(what) | Self::Blank(what) | Self::Lines(what) => {
                write!(f, "`{what}`")
            }
            Self::Disordered => f.write_str("the reasoning stands first, then the answer"),
        }
    }
}

impl From<Refusal> for Reason {
    fn from(refusal: Refusal) -> Self {
        Self { class: refusal.class(), what: refusal.to_string() }
    }
}

impl Tags {
    /// The tags of these names: around the reasoning, around the answer.
    pub(crate) fn new([reasoning, answer]: &[String; 2]) -> Self {
        Self { reasoning: reasoning.clone(), answer: answer.clone() }
    }

    /// All four, in the order in which they stand.
    pub(super) fn all(&self) -> [String; 4] {
        let Self { reasoning, answer } = self;
        [format!("<{reasoning}>"), format!("</{reasoning}>"), format!("<{answer}>"), format!("</{answer}>")]
    }

    /// Sets an answer.
    pub(super) fn render(&self, trace: Trace<'_>) -> String {
        let [open, close, open_answer, close_answer] = self.all();
        format!("{open}\n{}\n{close}\n{open_answer}{}{close_answer}", trace.reasoning, trace.answer)
    }

    /// Reads a whole answer.
    ///
    /// # Errors
    /// The first refusal of: missing or repeated tag, order, text outside, empty part, several lines.
    pub(crate) fn parse<'a>(&self, text: &'a str) -> Result<Trace<'a>, Refusal> {
        let [begin, end, begin_answer, end_answer] = self.places(text)?;
        if !(begin.1 <= end.0 && end.1 <= begin_answer.0 && begin_answer.1 <= end_answer.0) {
            return Err(Refusal::Disordered);
        }
        for outside in [&text[..begin.0], &text[end.1..begin_answer.0], &text[end_answer.1..]] {
            if !outside.trim().is_empty() {
                return Err(Refusal::Outside(excerpt(outside.trim())));
            }
        }
        let trace = Trace { reasoning: text[begin.1..end.0].trim(), answer: text[begin_answer.1..end_answer.0].trim() };
        for (part, tag) in [(trace.reasoning, &self.reasoning), (trace.answer, &self.answer)] {
            if part.is_empty() {
                return Err(Refusal::Blank(format!("<{tag}>")));
            }
        }
        if trace.answer.contains(['\n', '\r']) {
            return Err(Refusal::Lines(excerpt(trace.answer)));
        }
        Ok(trace)
    }

    /// Where each of the four tags begins and ends. In other letter case they count as repeats, not as the tags.
    fn places(&self, text: &str) -> Result<[(usize, usize); 4], Refusal> {
        let lower = text.to_ascii_lowercase();
        let mut places = [(0, 0); 4];
        for (place, tag) in places.iter_mut().zip(self.all()) {
            let at = text.find(&tag).ok_or_else(|| Refusal::Missing(tag.clone()))?;
            if lower.matches(&tag.to_ascii_lowercase()).nth(1).is_some() {
                return Err(Refusal::Repeated(tag));
            }
            *place = (at, at + tag.len());
        }
        Ok(places)
    }

    /// The reasoning as far as it can be made out, also in an answer that is not well set; all of it where there are no tags.
    pub(crate) fn reasoning_in<'a>(&self, text: &'a str) -> &'a str {
        let [open, close, open_answer, _] = self.all();
        let start = text.find(&open).map_or(0, |at| at + open.len());
        let rest = &text[start..];
        let end = rest.find(&close).or_else(|| rest.find(&open_answer)).unwrap_or(rest.len());
        rest[..end].trim()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    pub(in super::super) fn tags() -> Tags {
        Tags { reasoning: "think".to_owned(), answer: "answer".to_owned() }
    }

    #[test]
    fn two_pairs_of_tags_with_blanks_around_are_accepted() {
        for text in [
            "<think>6 * 7 = 42</think><answer>42</answer>",
            "<think>\n6 * 7 = 42\n</think>\n\n<answer> 42 </answer>\n",
            " \n<think>6 * 7 = 42</think>\u{a0}<answer>\n42\n</answer>",
        ] {
            assert_eq!(tags().parse(text), Ok(Trace { reasoning: "6 * 7 = 42", answer: "42" }), "{text:?}");
        }
        let loose = "<think>if a<b, then </ b> and <b>, </thinking></think><answer>a<b</answer>";
        assert_eq!(tags().parse(loose).unwrap().answer, "a<b");
    }

    #[test]
    fn every_other_form_has_its_class() {
        for (text, class) in [
            ("", "missing tag"),
            ("42", "missing tag"),
            ("<think>a</think>42", "missing tag"),
            ("<think>a<answer>42</answer>", "missing tag"),
            ("a</think><answer>42</answer>", "missing tag"),
            ("<think>a</think><answer>42", "missing tag"),
            ("<Think>a</Think><answer>42</answer>", "missing tag"),
            ("<reasoning>a</reasoning><answer>42</answer>", "missing tag"),
            ("< think>a</think><answer>42</answer>", "missing tag"),
            ("<think>a</think><think>b</think><answer>42</answer>", "repeated tag"),
            ("<think>a</think><answer>42</answer><answer>43</answer>", "repeated tag"),
            ("<think>a <ANSWER> b</think><answer>42</answer>", "repeated tag"),
            ("<answer>42</answer><think>a</think>", "tags out of order"),
            ("<think>a<answer>42</answer></think>", "tags out of order"),
            ("<think>a</answer></think><answer>42", "tags out of order"),
            ("Sure! <think>a</think><answer>42</answer>", "text outside the tags"),
            ("<think>a</think> so <answer>42</answer>", "text outside the tags"),
            ("<think>a</think><answer>42</answer>.", "text outside the tags"),
            ("<think>a</think><answer>42</answer></answers>", "text outside the tags"),
            ("<think> \n</think><answer>42</answer>", "empty part"),
            ("<think>a</think><answer></answer>", "empty part"),
            ("<think>a</think><answer>42\n43</answer>", "answer of several lines"),
        ] {
            assert_eq!(tags().parse(text).map_err(|refusal| refusal.class()), Err(class), "{text:?}");
        }
    }

    #[test]
    fn a_reason_says_what_was_seen_on_one_short_line() {
        let reason = |text: &str| Reason::from(tags().parse(text).unwrap_err()).to_string();
        assert_eq!(reason("x"), "missing tag: `<think>`");
        assert_eq!(reason("<think>a</think>\nso\nit is<answer>1</answer>"), "text outside the tags: `so\\nit is`");
        assert_eq!(
            reason("<answer>1</answer><think>a</think>"),
            "tags out of order: the reasoning stands first, then the answer"
        );
    }

    #[test]
    fn reasoning_is_made_out_of_any_text() {
        for (text, reasoning) in [
            ("<think>a</think><answer>42</answer>", "a"),
            ("Well, <think> a ", "a"),
            ("a</think><answer>42</answer>", "a"),
            ("<think>a <answer>42</answer>", "a"),
            ("all of it", "all of it"),
            ("", ""),
        ] {
            assert_eq!(tags().reasoning_in(text), reasoning, "{text:?}");
        }
    }
}
