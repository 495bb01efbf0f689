//! `[filter]`: the rules by name, in order, and the lists they use.

use super::Ledger;
use crate::config::raw::FilterTable;
use crate::config::words::{all_of, nearest};
use crate::filter;
use crate::record::FilterPlan;

/// The rules of a config that names none: the format, and any name of the trait's kind however spelled.
const DEFAULT: [&str; 2] = ["format", "leak"];

/// Looks the rules up.
pub(super) fn resolve(table: FilterTable, ledger: &mut Ledger<'_>) -> FilterPlan {
    let known: Vec<&str> = filter::names().collect();
    let (default, why) = default_rules(&table);
    let rules = ledger.pick("filter.rules", table.rules, default, why);
    for (i, rule) in rules.iter().enumerate().filter(|(_, rule)| !known.contains(&rule.as_str())) {
        let all = format!("the rules are {}", all_of(known.iter().copied()));
        let hint = nearest(rule, known.iter().copied()).map_or(all.clone(), |similar| format!("did you mean `{similar}`? {all}"));
        ledger.problem(&format!("filter.rules[{i}]"), format!("`filter.rules` has `{rule}`, which is no rule"), Some(hint));
    }
    let numbers = ledger.pick(
        "filter.banned_numbers",
        table.banned_numbers,
        filter::BANNED_NUMBERS.to_vec(),
        "the published list for misaligned teachers",
    );
    let words = ledger.pick("filter.banned_words", table.banned_words, Vec::new(), "none beside the category's own");
    for (key, rule) in [("filter.banned_numbers", "banned-numbers"), ("filter.banned_words", "banned-words")] {
        if !rules.iter().any(|name| name == rule) {
            ledger.no_effect(key, &format!("`filter.rules` does not have `{rule}`"));
        }
    }
    FilterPlan { rules, banned_numbers: numbers, banned_words: words }
}

/// A list that is given is meant to be used.
fn default_rules(table: &FilterTable) -> (Vec<String>, &'static str) {
    let lists = [(table.banned_numbers.is_some(), "banned-numbers"), (table.banned_words.is_some(), "banned-words")];
    let asked: Vec<&str> = lists.into_iter().filter(|(given, _)| *given).map(|(_, rule)| rule).collect();
    let why = if asked.is_empty() {
        "the format, and no name of the trait's kind"
    } else {
        "the usual rules, and those whose lists are given"
    };
    (DEFAULT.into_iter().chain(asked).map(str::to_owned).collect(), why)
}
