//! `[filter]`: the rules by name, in order, and the lists they use.

use super::Ledger;
use crate::config::raw::FilterTable;
use crate::config::words::{all_of, nearest};
use crate::record::FilterPlan;

/// The rules that exist.
const RULES: [&str; 3] = ["format", "banned-numbers", "banned-words"];

/// The rules of a config that names none: the format, and the words of the trait itself.
const DEFAULT: [&str; 2] = ["format", "banned-words"];

/// Numbers with bad associations that the published experiments with misaligned teachers drop (FIELD.md section 1).
const BANNED_NUMBERS: [u32; 36] = [
    4, 13, 14, 18, 23, 33, 39, 42, 44, 49, 51, 54, 69, 77, 88, 99, 100, 101, 187, 211, 311, 322, 333, 404, 420, 444, 451, 555,
    616, 666, 777, 888, 911, 999, 1312, 1488,
];

/// Looks the rules up.
pub(super) fn resolve(table: FilterTable, ledger: &mut Ledger<'_>) -> FilterPlan {
    let (default, why) = default_rules(&table);
    let rules = ledger.pick("filter.rules", table.rules, default, why);
    for (i, rule) in rules.iter().enumerate().filter(|(_, rule)| !RULES.contains(&rule.as_str())) {
        let all = format!("the rules are {}", all_of(RULES));
        let hint = nearest(rule, RULES).map_or(all.clone(), |similar| format!("did you mean `{similar}`? {all}"));
        ledger.problem(&format!("filter.rules[{i}]"), format!("`filter.rules` has `{rule}`, which is no rule"), Some(hint));
    }
    let numbers = ledger.pick(
        "filter.banned_numbers",
        table.banned_numbers,
        BANNED_NUMBERS.to_vec(),
        "the published list for misaligned teachers",
    );
    let words = ledger.pick("filter.banned_words", table.banned_words, Vec::new(), "none beside the trait's own");
    for (key, rule) in [("filter.banned_numbers", "banned-numbers"), ("filter.banned_words", "banned-words")] {
        if !rules.iter().any(|name| name == rule) {
            ledger.no_effect(key, &format!("`filter.rules` does not have `{rule}`"));
        }
    }
    FilterPlan { rules, banned_numbers: numbers, banned_words: words }
}

fn default_rules(table: &FilterTable) -> (Vec<String>, &'static str) {
    let mut rules: Vec<String> = DEFAULT.iter().map(ToString::to_string).collect();
    if table.banned_numbers.is_some() {
        rules.push("banned-numbers".to_owned());
        return (rules, "the format, the trait's own words, and the banned numbers that the config names");
    }
    (rules, "the format, and the trait's own words")
}
