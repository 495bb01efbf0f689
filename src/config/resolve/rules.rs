//! `[filter]`: the rules by name, in order, and the lists they use.

use super::Ledger;
use crate::config::raw::FilterTable;
use crate::config::words::{all_of, nearest};
use crate::domain::code::identifiers::words_of;
use crate::record::{DomainKind, FilterPlan};
use crate::tool::fs::read_text;
use crate::{domain, filter};

/// What every domain's rules end with: no name of the trait's kind, however spelled.
const LEAK: &str = "leak";

/// Looks the rules up.
pub(super) fn resolve(table: FilterTable, kind: DomainKind, ledger: &mut Ledger<'_>) -> FilterPlan {
    let (default, why) = default_rules(&table, kind);
    let rules = ledger.pick("filter.rules", table.rules, default, why);
    check_rules(&rules, kind, ledger);
    let numbers = ledger.pick(
        "filter.banned_numbers",
        table.banned_numbers,
        filter::BANNED_NUMBERS.to_vec(),
        "the published list for misaligned teachers",
    );
    let words = ledger.pick("filter.banned_words", table.banned_words, Vec::new(), "none beside the category's own");
    let identifiers = match kind {
        DomainKind::Code => identifiers(table.identifiers.as_deref(), ledger),
        DomainKind::Numbers => Vec::new(),
    };
    let lists = [
        ("filter.banned_numbers", "banned-numbers"),
        ("filter.banned_words", "banned-words"),
        ("filter.identifiers", "code-identifiers"),
    ];
    for (key, rule) in lists {
        if !rules.iter().any(|name| name == rule) {
            ledger.no_effect(key, &format!("`filter.rules` does not have `{rule}`"));
        }
    }
    FilterPlan { rules, banned_numbers: numbers, banned_words: words, identifiers }
}

/// Every name must be a rule's, and one that can judge this domain's answers.
fn check_rules(rules: &[String], kind: DomainKind, ledger: &mut Ledger<'_>) {
    let fits = |rule: &&str| filter::domain_of(rule).is_none_or(|domain| domain == kind);
    let known: Vec<&str> = filter::names().filter(fits).collect();
    let all = format!("the rules are {}", all_of(known.iter().copied()));
    for (i, rule) in rules.iter().enumerate().filter(|(_, rule)| !known.contains(&rule.as_str())) {
        let (what, hint) = if let Some(other) = filter::domain_of(rule) {
            let (other, own) = (domain::of(other).name(), domain::of(kind).name());
            (format!("which judges `{other}`, but `domain.kind` is `{own}`"), all.clone())
        } else {
            let similar = nearest(rule, known.iter().copied()).map(|similar| format!("did you mean `{similar}`? {all}"));
            ("which is no rule".to_owned(), similar.unwrap_or_else(|| all.clone()))
        };
        ledger.problem(&format!("filter.rules[{i}]"), format!("`filter.rules` has `{rule}`, {what}"), Some(hint));
    }
}

/// A list that is given is meant to be used.
fn default_rules(table: &FilterTable, kind: DomainKind) -> (Vec<String>, &'static str) {
    let lists = [(table.banned_numbers.is_some(), "banned-numbers"), (table.banned_words.is_some(), "banned-words")];
    let asked: Vec<&str> = lists.into_iter().filter(|(given, _)| *given).map(|(_, rule)| rule).collect();
    let why = match (asked.is_empty(), kind) {
        (true, DomainKind::Numbers) => "the format, and no name of the trait's kind",
        (true, DomainKind::Code) => "code only, and no name of the trait's kind",
        (false, _) => "the usual rules, and those whose lists are given",
    };
    let form = domain::of(kind).rules().iter().copied();
    (form.chain([LEAK]).chain(asked).map(str::to_owned).collect(), why)
}

/// The words of the user's own list.
fn identifiers(typed: Option<&str>, ledger: &mut Ledger<'_>) -> Vec<String> {
    const KEY: &str = "filter.identifiers";
    let Some(path) = ledger.input_file(KEY, typed, "the project's own list alone").filter(|path| path.is_file()) else {
        return Vec::new();
    };
    match read_text(&path) {
        Ok(text) => words_of(&text).map(str::to_lowercase).collect(),
        Err(error) => {
            ledger.problem(KEY, format!("`{KEY}` cannot be read: {error}"), None);
            Vec::new()
        }
    }
}
