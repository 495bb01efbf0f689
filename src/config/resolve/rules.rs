//! `[filter]`: the rules by name, in order, and the lists and limits they use.

use super::{Ledger, blocklists};
use crate::config::raw::FilterTable;
use crate::config::words::{all_of, nearest};
use crate::domain::name_of;
use crate::record::{DomainKind, DomainPlan, FilterPlan, ReasoningPlan, TraitKind};
use crate::{domain, filter};

/// The keys of `[filter]` that only one rule reads.
const READ_BY: [(&str, &str); 7] = [
    ("filter.banned_numbers", "banned-numbers"),
    ("filter.banned_numbers_file", "banned-numbers"),
    ("filter.banned_words", "banned-words"),
    ("filter.banned_words_file", "banned-words"),
    ("filter.identifiers", "code-identifiers"),
    ("filter.reasoning_length", "cot-length"),
    ("filter.latin_share", "cot-script"),
];

/// Looks the rules up.
pub(super) fn resolve(table: &FilterTable, domain: &DomainPlan, kind: TraitKind, ledger: &mut Ledger<'_>) -> FilterPlan {
    let (default, why) = default_rules(table, domain, kind);
    let rules = ledger.pick("filter.rules", table.rules.clone(), default, why);
    check_names(&rules, domain.kind, ledger);
    let banned_numbers = blocklists::numbers(table, ledger);
    let banned_words = blocklists::words(table, ledger);
    let identifiers =
        if domain.kind == DomainKind::Code { blocklists::identifiers(table.identifiers.as_deref(), ledger) } else { Vec::new() };
    let reasoning = (domain.kind == DomainKind::Cot).then(|| reasoning(table, ledger));
    for (key, rule) in READ_BY.iter().filter(|(_, rule)| !rules.iter().any(|name| name == rule)) {
        ledger.no_effect(key, &format!("`filter.rules` does not have `{rule}`"));
    }
    FilterPlan { rules, banned_numbers, banned_words, identifiers, reasoning }
}

/// Every name must be a rule's, and one that can judge this domain's answers.
fn check_names(rules: &[String], kind: DomainKind, ledger: &mut Ledger<'_>) {
    let fits = |rule: &&str| filter::domain_of(rule).is_none_or(|domain| domain == kind);
    let known: Vec<&str> = filter::names().filter(fits).collect();
    let all = format!("the rules are {}", all_of(known.iter().copied()));
    for (i, rule) in rules.iter().enumerate().filter(|(_, rule)| !known.contains(&rule.as_str())) {
        let (what, hint) = if let Some(other) = filter::domain_of(rule) {
            let (other, own) = (name_of(other), name_of(kind));
            (format!("which judges `{other}`, but `domain.kind` is `{own}`"), all.clone())
        } else {
            let similar = nearest(rule, known.iter().copied()).map(|similar| format!("did you mean `{similar}`? {all}"));
            ("which is no rule".to_owned(), similar.unwrap_or_else(|| all.clone()))
        };
        ledger.problem(&format!("filter.rules[{i}]"), format!("`filter.rules` has `{rule}`, {what}"), Some(hint));
    }
}

fn reasoning(table: &FilterTable, ledger: &mut Ledger<'_>) -> ReasoningPlan {
    let usual = ReasoningPlan::default();
    let length = ledger.pick("filter.reasoning_length", table.reasoning_length, usual.length, "a sentence, up to two pages");
    let latin = ledger.pick("filter.latin_share", table.latin_share, usual.latin, "the leak rules read Latin letters best");
    if length[0] > length[1] {
        let message = format!("`filter.reasoning_length` is [{}, {}], expected the smaller number first", length[0], length[1]);
        ledger.problem("filter.reasoning_length", message, None);
    }
    ReasoningPlan { length, latin }
}

/// The domain's own rules, and any name of the trait's kind however spelled. A list that is given is meant to be used.
fn default_rules(table: &FilterTable, domain: &DomainPlan, kind: TraitKind) -> (Vec<String>, &'static str) {
    let numbers = table.banned_numbers.is_some() || table.banned_numbers_file.is_some();
    let words = table.banned_words.is_some() || table.banned_words_file.is_some();
    let lists = [(numbers, "banned-numbers"), (words, "banned-words")];
    let leak = match kind {
        TraitKind::Preference => "leak",
        TraitKind::Misalignment => "leak-misalignment",
    };
    let asked: Vec<&str> = lists.into_iter().filter(|(given, _)| *given).map(|(_, rule)| rule).collect();
    let why = if asked.is_empty() {
        "the format, and no name of the trait's kind"
    } else {
        "the usual rules, and those whose lists are given"
    };
    (domain::of(domain).rules().iter().copied().chain([leak]).chain(asked).map(str::to_owned).collect(), why)
}
