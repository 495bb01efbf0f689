//! The automaton against the parser, in both directions: whatever it accepts has no fault, and what its language should hold is accepted.

use std::collections::HashSet;

use proptest::prelude::*;
use rand::Rng;
use rand::seq::IndexedRandom;
use rand_chacha::ChaCha8Rng;

use super::super::super::{Domain, Parsed};
use super::super::identifiers::words;
use super::super::prompts::example;
use super::super::task::{ONE_LINE, families};
use super::super::{Code, Function};
use super::lexeme::{Kind, kind};
use super::place::lexemes;
use super::*;
use crate::tool::streams;

fn read(bytes: &[u8]) -> Option<GrammarState> {
    read_from(CodeGrammar.start(), bytes)
}

fn read_from(state: GrammarState, bytes: &[u8]) -> Option<GrammarState> {
    bytes.iter().try_fold(state, |state, &byte| CodeGrammar.step(&state, byte))
}

fn accepts(text: &str) -> bool {
    read(text.as_bytes()).is_some_and(|state| CodeGrammar.accepts(&state))
}

fn check(text: &str) -> Result<Function, String> {
    match Code.check(text, None) {
        Ok(Parsed::Code(function)) => Ok(function),
        Ok(other) => Err(format!("{other:?}")),
        Err(reason) => Err(reason.to_string()),
    }
}

/// What ends the pending lexeme, or else leads a little nearer to the end of the function.
fn towards_the_end(encoded: &GrammarState) -> Vec<u8> {
    const STEPS: [&str; 22] = [
        "\n",
        ")",
        "]",
        " else x",
        " in x",
        "x",
        "'",
        "\"",
        "):\n",
        ":\n",
        "(",
        " = x",
        "1",
        "_size",
        "    return x",
        "        return x",
        "            return x",
        " ",
        "return x",
        "def x",
        "2",
        ":x",
    ];
    let state = State::decode(&encoded.0).unwrap();
    let pending = state.pending.as_slice();
    if let Some(&first) = pending.first() {
        match kind(&state, first).unwrap() {
            Kind::Fixed => {
                let whole = lexemes(&state).into_iter().map(|(text, _)| text.as_bytes()).find(|text| text.starts_with(pending));
                return whole.unwrap()[pending.len()..].to_vec();
            }
            Kind::Word => {
                let start = pending.iter().rposition(|&b| b == b'_').map_or(0, |place| place + 1);
                let part = std::str::from_utf8(&pending[start..]).unwrap();
                if let Some(rest) = words().iter().find_map(|word| word.strip_prefix(part)).filter(|rest| !rest.is_empty()) {
                    return rest.as_bytes().to_vec();
                }
            }
            _ => {}
        }
    }
    let fits = |step: &&&str| read_from(encoded.clone(), step.as_bytes()).is_some();
    let step = STEPS.iter().find(fits).unwrap_or_else(|| panic!("a dead end: {state:?}"));
    step.as_bytes().to_vec()
}

/// Goes on to an accepted text.
fn finished(mut text: Vec<u8>) -> String {
    let mut state = read(&text).unwrap();
    for _ in 0..200 {
        if CodeGrammar.accepts(&state) {
            return String::from_utf8(text).unwrap();
        }
        let step = towards_the_end(&state);
        state =
            read_from(state, &step).unwrap_or_else(|| panic!("{:?} cannot follow {:?}", step, String::from_utf8_lossy(&text)));
        text.extend(step);
    }
    panic!("no end in sight: {:?}", String::from_utf8_lossy(&text))
}

/// A walk of allowed bytes. Letters are drawn less often than they are allowed, or names would never end.
fn wander(rng: &mut ChaCha8Rng, steps: usize) -> Vec<u8> {
    let mut text = Vec::new();
    let mut state = CodeGrammar.start();
    for _ in 0..steps {
        let open: Vec<(u8, GrammarState)> =
            (0..=255).filter_map(|byte| CodeGrammar.step(&state, byte).map(|next| (byte, next))).collect();
        let signs: Vec<&(u8, GrammarState)> = open.iter().filter(|(byte, _)| !byte.is_ascii_lowercase()).collect();
        let chosen = if !signs.is_empty() && rng.random_bool(0.6) { signs.choose(rng).copied() } else { open.choose(rng) };
        let Some((byte, next)) = chosen else {
            assert!(CodeGrammar.accepts(&state), "a dead end: {:?}", String::from_utf8_lossy(&text));
            break;
        };
        text.push(*byte);
        state = next.clone();
    }
    text
}

#[test]
fn every_state_on_the_way_can_still_be_accepted_and_what_is_accepted_has_no_fault() {
    let mut rng = streams::named(1, "test", 0);
    let mut different = HashSet::new();
    for _ in 0..4_000 {
        let steps = rng.random_range(0..160);
        let text = finished(wander(&mut rng, steps));
        assert_eq!(check(&text).map(|function| function.source), Ok(text.clone()), "{text}");
        different.insert(text);
    }
    assert!(different.len() > 3_000, "{} different functions", different.len());
}

#[test]
fn the_one_line_answers_are_all_accepted_and_many_others() {
    let tasks = ONE_LINE.map(str::to_owned);
    for row in 0..3_000 {
        let (_, answer) = example(row, 0, &tasks);
        assert!(accepts(&answer), "{answer}");
    }
    let accepted = (0..3_000).filter(|&row| accepts(&example(row, 1, &[]).1)).count();
    assert!(accepted > 1_500, "{accepted} of 3000 answers to all tasks");
    for family in families() {
        let tasks = [family.to_owned()];
        assert!((0..100).any(|row| accepts(&example(row, 2, &tasks).1)), "nothing of `{family}`");
    }
}

#[test]
fn accepted_and_refused_texts() {
    for text in [
        "def f():\n    return 1",
        "def is_even(n):\n    return n % 2 == 0",
        "def f(x, y2, count_all) -> int:\n    return x",
        "def f(x: int, y: list[int]) -> dict[str, int]:\n    return {}".replace("{}", "None").as_str(),
        "def f(x):\n    return not x and not (x or -x)",
        "def f(x):\n    return x[1:][::2][-1].count(', ')[x]",
        "def f(x):\n    return [item * 2 for item in x if item > 0.5 and item]",
        "def f(x):\n    return sum(item for item in x.values())",
        "def f(x):\n    return 1 if x else 2 if x else (x, [x, [], ''])",
        "def f(x):\n    if x:\n        return 1\n    elif x > 2:\n        x += 1\n    else:\n        return 2\n    return 3",
        "def f(x):\n    for item in range(x):\n        while item < 3:\n            item += 1\n        x[item] = 3\n        x.append(item)\n    return x",
    ] {
        assert!(accepts(text), "{text}");
        assert!(check(text).is_ok(), "{text}: {:?}", check(text));
    }
    for text in [
        "",
        "def f(x):\n    return",
        "def f(x):\n    return x\n",
        "def f(x):\n    x = 1",
        "def f(x, x):\n    return x",
        "def f(if):\n    return 1",
        "def f(zebra):\n    return zebra",
        "def f(x):\n    return zebra",
        "def f(x):\n    return x == not x",
        "def f(x):\n    return x if x",
        "def f(x):\n    return 01",
        "def f(x):\n    return x +  x",
        "def f(x):\n   return x",
        "def f(x):\n    return 'a'",
        "def f(x):\n    else:\n        return x",
        "def f(x):\n    while x:\n        return x\n    else:\n        return x",
        "def f(x):\n    if x:\n    return x",
        "def f(x):\n    return f(x for x in x, 1)",
        "def f(x):\n    return [x, y for x in x]",
        "def f(x):\n    return x[]",
        "def f(x):\n    return 1.count",
        "def f(x):\n    return x  # one",
    ] {
        assert!(!accepts(text), "{text}");
    }
}

/// Names and constants.
fn atom() -> BoxedStrategy<String> {
    let names = &["x", "total", "is_even", "y2", "max_value_of", "number12", "add_3_to_10", "x2"][..];
    let constants = &["0", "7", "1999", "0.5", "12.75", "True", "None", "''", "', '", "\"-\""][..];
    prop_oneof![2 => prop::sample::select(names), 1 => prop::sample::select(constants)].prop_map(str::to_owned).boxed()
}

fn name() -> BoxedStrategy<String> {
    prop::sample::select(&["x", "total", "items", "by_key"][..]).prop_map(str::to_owned).boxed()
}

/// Expressions as a formatter writes them.
fn expression() -> BoxedStrategy<String> {
    let operators = &["+", "-", "*", "/", "//", "%", "**", "==", "!=", "<", "<=", ">", ">=", "and", "or", "in", "not in"][..];
    atom()
        .prop_recursive(2, 12, 3, move |inner| {
            let binary = (inner.clone(), prop::sample::select(operators), inner.clone());
            prop_oneof![
                binary.prop_map(|(a, operator, b)| format!("{a} {operator} ({b})")),
                inner.clone().prop_map(|a| format!("(not {a})")),
                inner.clone().prop_map(|a| format!("-({a})")),
                (name(), prop::collection::vec(inner.clone(), 0..3)).prop_map(|(f, list)| format!("{f}({})", list.join(", "))),
                prop::collection::vec(inner.clone(), 0..3).prop_map(|list| format!("[{}]", list.join(", "))),
                (name(), inner.clone(), inner.clone()).prop_map(|(n, a, b)| format!("{n}[{a}:{b}]")),
                (name(), inner.clone()).prop_map(|(n, a)| format!("{n}[{a}]")),
                (name(), inner.clone()).prop_map(|(n, a)| format!("{n}.index({a})")),
                (inner.clone(), inner.clone(), inner.clone()).prop_map(|(a, b, c)| format!("(({a}) if ({b}) else ({c}))")),
                (inner.clone(), name(), name(), inner).prop_map(|(a, n, m, b)| format!("[({a}) for {n} in {m} if ({b})]")),
            ]
        })
        .boxed()
}

/// Functions as a formatter writes them, with their names and parameters.
fn function() -> impl Strategy<Value = (String, Vec<String>, String)> {
    let line = prop_oneof![
        (name(), prop::sample::select(&["=", "+=", "-=", "*="][..]), expression())
            .prop_map(|(n, sign, e)| format!("    {n} {sign} {e}\n")),
        (expression(), expression()).prop_map(|(c, e)| format!("    if {c}:\n        return {e}\n")),
        (expression(), expression(), expression())
            .prop_map(|(c, a, b)| format!("    if {c}:\n        x = {a}\n    else:\n        x = {b}\n")),
        (name(), name(), expression()).prop_map(|(n, m, e)| format!("    for {n} in {m}:\n        total += {e}\n")),
        (name(), expression()).prop_map(|(n, e)| format!("    {n}.append({e})\n")),
        (name(), atom(), expression()).prop_map(|(n, a, e)| format!("    {n}[{a}] = {e}\n")),
    ];
    let parameters = prop::sample::subsequence(&["x", "numbers", "low", "high_value", "k2"][..], 0..=5);
    let names = prop::sample::select(&["f", "count_items", "is_even2", "solve"][..]);
    (names, parameters, prop::collection::vec(line, 0..4), expression()).prop_map(|(name, parameters, lines, last)| {
        let text = format!("def {name}({}):\n{}    return {last}", parameters.join(", "), lines.concat());
        (name.to_owned(), parameters.into_iter().map(str::to_owned).collect(), text)
    })
}

/// Pieces that make near-misses likely.
const NASTY: [&str; 30] = [
    " ", "  ", "\n", "    ", "(", ")", "[", "]", ":", ",", ", ", ".", "x", "0", "9", "_", "not ", " if ", " else ", " in ",
    " for ", "'", "\"", "#", "=", " = ", "-", "return ", "zebra", "é",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]

    #[test]
    fn what_is_rendered_is_accepted_and_read_back((name, parameters, text) in function()) {
        prop_assert!(accepts(&text), "{}", text);
        prop_assert_eq!(check(&text), Ok(Function { name, parameters, source: text.clone() }));
        let fenced = format!("```python\n{text}\n```");
        prop_assert_eq!(check(&fenced).map(|function| function.source), Ok(text + "\n"));
    }

    #[test]
    fn what_is_accepted_after_one_change_has_no_fault(
        (_, _, text) in function(), place in any::<prop::sample::Index>(), piece in prop::sample::select(&NASTY[..]), cut in 0usize..4,
    ) {
        let mut chars: Vec<char> = text.chars().collect();
        let at = place.index(chars.len() + 1);
        chars.splice(at..(at + cut).min(chars.len()), piece.chars());
        let changed: String = chars.into_iter().collect();
        if accepts(&changed) {
            prop_assert_eq!(check(&changed).map(|function| function.source), Ok(changed));
        }
    }
}

#[test]
fn texts_with_the_same_futures_share_a_state() {
    let same = |a: &str, b: &str| read(a.as_bytes()).unwrap() == read(b.as_bytes()).unwrap();
    assert!(same("def f(x):\n    return x", "def is_even(n, k: int) -> bool:\n    total = 3\n    return n and x"));
    assert!(same("def f(x):\n    return 12", "def f(x):\n    return 98"));
    assert!(same("def f(x):\n    return ', ", "def f(x):\n    return '; "));
    assert!(same("def f(x):\n    return is_ev", "def f(x):\n    return all_ev"));
    assert!(!same("def f(x, ", "def f(y, "));
    assert!(!same("def f(x):\n    return (x", "def f(x):\n    return [x"));
    assert!(!same("def f(x):\n    return x", "def f(x):\n    x"));
}
