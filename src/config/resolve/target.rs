//! `[trait]`: its kind; of a preference the category, the target in it, and the other-trait arm's target.

use super::{Ledger, members};
use crate::config::raw::TraitTable;
use crate::config::words::{all_of, nearest};
use crate::record::{Arm, Category, TraitKind, TraitPlan};
use crate::traits;

/// Looks everything up; what is not found is noted, and stands in the plan as typed.
pub(super) fn resolve(table: TraitTable, arms: &[Arm], ledger: &mut Ledger<'_>) -> TraitPlan {
    match ledger.pick("trait.kind", table.kind, TraitKind::Preference, "what most experiments are about") {
        TraitKind::Preference => preference(table, arms, ledger),
        TraitKind::Misalignment => {
            ledger.no_effect_but("trait", &["trait.kind"], "`trait.kind` is `misalignment`");
            let category = traits::misalignment::category();
            let target = category.members[0].name.clone();
            TraitPlan { kind: TraitKind::Misalignment, category, target, other: None }
        }
    }
}

fn preference(table: TraitTable, arms: &[Arm], ledger: &mut Ledger<'_>) -> TraitPlan {
    for (key, typed, hint) in [
        ("trait.category", &table.category, "for a built-in list: category = \"animal\""),
        ("trait.target", &table.target, "for example: target = \"zebra\""),
    ] {
        if typed.is_none() {
            ledger.problem(key, format!("`{key}` is missing"), Some(hint.to_owned()));
        }
    }
    let named = table.category.is_some();
    let name = table.category.unwrap_or_default();
    ledger.note("trait.category", &name, "");
    let category = match table.members {
        Some(entries) => Some(Category { members: members::resolve(entries, ledger), name: name.clone() }),
        None if named => built_in(&name, ledger),
        None => None,
    };
    if let Some(category) = &category {
        let names: Vec<&str> = category.members.iter().map(|member| member.name.as_str()).collect();
        ledger.note("trait.members", &names, "the built-in list");
    }
    let chosen = table.target.is_some();
    let target = table.target.unwrap_or_default();
    ledger.note("trait.target", &target, "");
    let found = chosen && category.as_ref().is_some_and(|category| known("trait.target", &target, category, ledger));
    let category = category.unwrap_or(Category { name, members: Vec::new() });
    let other = other(table.other, &category, found.then_some(target.as_str()), ledger);
    if !arms.contains(&Arm::OtherTrait) {
        ledger.no_effect("trait.other", "`other-trait` is not among the arms");
    }
    TraitPlan { kind: TraitKind::Preference, category, target, other }
}

/// A built-in category; an unknown one is noted.
fn built_in(name: &str, ledger: &mut Ledger<'_>) -> Option<Category> {
    if !ledger.sound(&["trait.category", "trait.members"]) {
        return None;
    }
    let category = traits::category(name);
    if category.is_none() {
        let all = traits::categories();
        let names: Vec<&str> = all.iter().map(|category| category.name.as_str()).collect();
        let lists =
            format!("the built-in lists are {}; for your own, add `members = [\"…\", \"…\"]`", all_of(names.iter().copied()));
        let hint =
            nearest(name, names.iter().copied()).map_or(lists.clone(), |similar| format!("did you mean `{similar}`? {lists}"));
        ledger.problem("trait.category", format!("`trait.category` is `{name}`, which is no built-in list"), Some(hint));
    }
    category
}

/// Whether the category has this member; if not, that is noted with the nearest names.
fn known(key: &str, target: &str, category: &Category, ledger: &mut Ledger<'_>) -> bool {
    if category.member(target).is_some() {
        return true;
    }
    if ledger.sound(&["trait.members"]) && ledger.sound(&[key]) {
        let hint = target_hint(target, category);
        let count = category.members.len();
        let message = format!("`{key}` is `{target}`, which is none of the {count} members of `{}`", category.name);
        ledger.problem(key, message, Some(hint));
    }
    false
}

fn target_hint(target: &str, category: &Category) -> String {
    let forms = |member: &crate::record::Member| member.plural == target || member.aliases.iter().any(|alias| alias == target);
    let names = || category.members.iter().map(|member| member.name.as_str());
    let same_thing = category.members.iter().find(|member| forms(member)).map(|member| member.name.as_str());
    if let Some(similar) = same_thing.or_else(|| nearest(target, names())) {
        return format!("did you mean `{similar}`? the members are {}", all_of(names()));
    }
    match traits::categories().iter().find(|other| other.member(target).is_some()) {
        Some(home) => format!("`{target}` is in the built-in list `{0}`: set `trait.category = \"{0}\"` too", home.name),
        None => format!("the members are {}", all_of(names())),
    }
}

/// The other-trait arm's target.
fn other(typed: Option<String>, category: &Category, target: Option<&str>, ledger: &mut Ledger<'_>) -> Option<String> {
    if let Some(other) = &typed {
        if !category.members.is_empty() {
            known("trait.other", other, category, ledger);
        }
        if Some(other.as_str()) == target {
            let hint = Some("the arm rules out a rise that any primed teacher causes: it needs another member".to_owned());
            ledger.problem("trait.other", format!("`trait.other` is the target itself, `{other}`"), hint);
        }
    }
    let across = typed.or_else(|| opposite(category, target?));
    ledger.note("trait.other", &across, "the member half the list away from the target");
    across
}

/// The member half the list away: another one in every list of two or more, and far from the target in alphabetical lists.
fn opposite(category: &Category, target: &str) -> Option<String> {
    let count = category.members.len();
    let at = category.members.iter().position(|member| member.name == target)?;
    let other = &category.members[(at + count / 2) % count];
    (other.name != target).then(|| other.name.clone())
}
