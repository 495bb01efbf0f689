//! Drops answers that do not belong to the domain; the detail is the reason's class and what was seen.

use std::sync::Arc;

use super::{Candidate, Rule};
use crate::domain::Domain;

#[derive(Debug)]
pub(super) struct Format {
    domain: Arc<dyn Domain>,
}

impl Format {
    pub(super) fn new(domain: Arc<dyn Domain>) -> Self {
        Self { domain }
    }
}

impl Rule for Format {
    fn objection(&self, row: &Candidate<'_>) -> Option<String> {
        self.domain.check(row.completion, row.expected).err().map(|reason| reason.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::numbers::Numbers;

    #[test]
    fn the_detail_is_the_class_and_what_was_seen() {
        let objection = |completion| {
            Format::new(Arc::new(Numbers)).objection(&Candidate { expected: None, prompt: "", completion, finish: None })
        };
        assert_eq!(objection("1, 2"), None);
        assert_eq!(objection("zebra").as_deref(), Some("invalid format: `zebra`"));
        assert_eq!(objection("1, 2000").as_deref(), Some("too large: 2000, at most 999"));
    }
}
