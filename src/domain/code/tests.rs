//! The domain as a whole: its own answers, shuffled answers, and texts that are no answers at all.

use std::collections::HashSet;

use rand::Rng;

use super::prompts::example;
use super::*;
use crate::filter::{Pipeline, Verdict};
use crate::record::{Category, DomainKind, FilterPlan, Finish};
use crate::tool::streams;
use crate::traits;

fn sample(row: u64, seed: u64) -> Sample {
    let (prompt, completion) = example(row, seed, &[]);
    Sample { id: row.into(), prompt: prompt.prompt, expected: prompt.expected, completion, tokens: 9, finish: Finish::Stop }
}

fn function(sample: &Sample) -> Result<Function, Reason> {
    let Parsed::Code(function) = Code.check(&sample.completion, sample.expected.as_ref())? else { panic!("no code") };
    Ok(function)
}

#[test]
fn every_task_has_an_answer_that_is_what_was_asked() {
    for row in 0..6_000 {
        let sample = sample(row, 0);
        let function = function(&sample).unwrap_or_else(|reason| panic!("{reason}\n{}", sample.completion));
        let expected = Expected::Function { name: function.name, parameters: function.parameters };
        assert_eq!(sample.expected, Some(expected));
        assert_eq!(function.source, sample.completion);
    }
}

#[test]
fn no_rule_drops_a_good_answer_and_no_name_of_a_trait_is_seen_in_it() {
    let everything = Category {
        name: "thing".to_owned(),
        members: traits::categories().into_iter().flat_map(|category| category.members).collect(),
    };
    let rules = Code.rules().iter().copied().chain(["leak", "banned-words"]).map(str::to_owned).collect();
    let plan = DomainPlan::of(DomainKind::Code);
    let pipeline = Pipeline::build(&FilterPlan { rules, ..FilterPlan::default() }, &plan, &everything).unwrap();
    for row in 0..3_000 {
        let sample = sample(row, 1);
        assert_eq!(pipeline.judge(&sample), Verdict::Kept, "{}", sample.completion);
    }
}

#[test]
fn shuffled_answers_are_python_still_and_define_what_they_defined() {
    let mut rows: Vec<Sample> = (0..2_000).map(|row| sample(row, 2)).collect();
    rows[7].completion = "no Python here".to_owned();
    rows[8].completion = format!("```python\n{}\n```", rows[8].completion);
    let shuffled = Code.shuffle(&rows, 3);
    let mut changed = 0;
    for (before, after) in rows.iter().zip(&shuffled) {
        assert_eq!((&before.id, &before.prompt, &before.expected), (&after.id, &after.prompt, &after.expected));
        if let Ok(old) = function(before) {
            let new = function(after).unwrap_or_else(|reason| panic!("{reason}\n{}\n{}", before.completion, after.completion));
            assert_eq!((old.name, old.parameters), (new.name, new.parameters));
            assert_eq!(old.source.lines().next(), new.source.lines().next());
            assert_eq!(old.source.lines().count(), new.source.lines().count());
        }
        changed += usize::from(before.completion != after.completion);
    }
    assert_eq!(shuffled[7].completion, "no Python here");
    assert!(changed > 1_800, "{changed} of 2000 answers changed");
    assert_eq!(Code.shuffle(&rows, 3), shuffled);
    assert_ne!(Code.shuffle(&rows, 4), shuffled);
}

#[test]
fn random_texts_never_panic_and_faults_are_found_by_check_and_rule_alike() {
    const PIECES: [&str; 40] = [
        "def ", "f", "(", ")", ":", "\n", "    ", "return ", "x", "1", " + ", "'", "\"", "\"\"\"", "f'", "{", "}", "[", "]", "#",
        "\\", "```", "python", "\t", "\r", "lambda ", "if ", "else ", "for ", " in ", "@", "*", ",", ".", "=", "zebra", "é",
        "\u{feff}", "\0", "match ",
    ];
    let words = HashSet::new();
    let mut readable = 0;
    for round in 0..100_000 {
        let mut rng = streams::named(1, "test", round);
        let length = rng.random_range(0..24);
        let text = if round % 3 == 0 {
            let bytes: Vec<u8> = (0..length * 2).map(|_| rng.random()).collect();
            String::from_utf8_lossy(&bytes).into_owned()
        } else {
            (0..length).map(|_| PIECES[rng.random_range(0..PIECES.len())]).collect()
        };
        let asked = Asked { expected: None, prompt: "", words: &words };
        let by_rules: Vec<Fault> = Fault::ALL.into_iter().filter(|fault| objection(*fault, &text, &asked).is_some()).collect();
        match Code.check(&text, None) {
            Ok(_) => assert_eq!(by_rules, [], "{text:?}"),
            Err(reason) => assert_eq!(by_rules.first().map(|fault| fault.class()), Some(reason.class), "{text:?}"),
        }
        readable += usize::from(!by_rules.contains(&Fault::Syntax) && !by_rules.contains(&Fault::Fence));
    }
    assert!(readable > 2_000, "the random texts must include Python, {readable} did");
}

#[test]
fn a_reason_says_what_was_seen_on_one_short_line() {
    for text in
        ["def f(x):\n    '''a\nb c'''", &"é".repeat(500), "```py\nx\n", &format!("x = '{}'", "word ".repeat(300)), "(\n\n"]
    {
        let reason = Code.check(text, None).unwrap_err().to_string();
        assert!(!reason.contains('\n') && reason.chars().count() < 150, "{reason}");
    }
}
