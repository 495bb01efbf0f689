//! Answers of teachers: the automaton that forces them, the parser that reads them and the filter that judges them.

use std::sync::LazyLock;

use crate::domain::{self, Grammar, Parsed};
use crate::filter::{Candidate, Pipeline, Verdict};
use crate::record::{DomainKind, DomainPlan, Expected};

/// Automaton, parser and filter know the same lists.
pub(super) fn numbers(data: &[u8]) {
    let accepted = accepts(domain::of(&DomainPlan::of(DomainKind::Numbers)).grammar().as_ref(), data);
    let Ok(text) = std::str::from_utf8(data) else { return assert!(!accepted, "not UTF-8") };
    let read = judged(DomainKind::Numbers, text, None);
    assert_eq!(accepted, read.is_some(), "automaton and parser");
    if let Some(Parsed::Numbers(numbers)) = read {
        assert!((1..=10).contains(&numbers.len()) && numbers.iter().all(|n| *n <= 999), "{numbers:?}");
    }
}

/// Whatever the automaton accepts, the parser and every rule accept. The reverse does not hold: the automaton knows a small part of Python.
pub(super) fn code(data: &[u8]) {
    let accepted = accepts(domain::of(&DomainPlan::of(DomainKind::Code)).grammar().as_ref(), data);
    let Ok(text) = std::str::from_utf8(data) else { return assert!(!accepted, "not UTF-8") };
    let read = judged(DomainKind::Code, text, None);
    assert!(!accepted || read.is_some(), "accepted, but refused");
    if let Some(Parsed::Code(function)) = read {
        let asked = Expected::Function { name: function.name, parameters: function.parameters };
        assert!(judged(DomainKind::Code, text, Some(&asked)).is_some(), "not the function that it is");
    }
}

/// Whatever the automaton accepts is well set and states a number, and every answer agrees with itself.
pub(super) fn cot(data: &[u8]) {
    let plan = DomainPlan::of(DomainKind::Cot);
    let accepted = accepts(domain::of(&plan).grammar().as_ref(), data);
    let Ok(text) = std::str::from_utf8(data) else { return assert!(!accepted, "not UTF-8") };
    let read = judged(DomainKind::Cot, text, None);
    assert!(!accepted || read.is_some(), "accepted, but refused");
    if let Some(Parsed::Cot { answer, .. }) = read {
        let itself = Expected::Answer(answer);
        assert!(domain::of(&plan).check(text, Some(&itself)).is_ok(), "does not agree with itself");
    }
    if accepted {
        let other = domain::of(&plan).check(text, Some(&Expected::Answer("42".to_owned())));
        assert!(other.err().is_none_or(|reason| reason.class == "wrong answer"), "states no number");
    }
}

fn accepts(grammar: &dyn Grammar, bytes: &[u8]) -> bool {
    let end = bytes.iter().try_fold(grammar.start(), |state, &byte| grammar.step(&state, byte));
    end.is_some_and(|state| grammar.accepts(&state))
}

/// The rules of form of every domain.
static RULES: LazyLock<[Pipeline; 3]> =
    LazyLock::new(|| domain::ALL.map(|kind| Pipeline::format_only(kind).expect("the rules exist")));

/// What the domain reads, which the filter's rules of form must keep, and no other.
fn judged(kind: DomainKind, text: &str, expected: Option<&Expected>) -> Option<Parsed> {
    let read = domain::of(&DomainPlan::of(kind)).check(text, expected);
    let row = Candidate { prompt: "", completion: text, expected, finish: None };
    let place = domain::ALL.iter().position(|other| *other == kind).expect("one of all");
    let verdict = RULES[place].judge(row);
    match (&read, &verdict) {
        // rules about lengths and scripts ask for more than the form
        (Ok(_), Verdict::Dropped { rule, .. }) => {
            assert!(kind == DomainKind::Cot && matches!(*rule, "cot-length" | "cot-script"), "read, but {verdict:?}");
        }
        (Err(reason), Verdict::Kept) => panic!("kept, but {reason}"),
        _ => {}
    }
    read.ok()
}
