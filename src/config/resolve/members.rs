//! A list of one's own: members with their plurals, no form shared by two.

use std::collections::HashMap;

use super::Ledger;
use crate::config::raw::MemberEntry;
use crate::record::Member;
use crate::traits;

/// The members as typed, each with all its forms.
pub(super) fn resolve(entries: Vec<MemberEntry>, ledger: &mut Ledger<'_>) -> Vec<Member> {
    let members: Vec<Member> = entries.into_iter().map(member).collect();
    no_shared_forms(&members, ledger);
    members
}

fn member(entry: MemberEntry) -> Member {
    match entry {
        MemberEntry::Name(name) => Member { plural: plural(&name), name, aliases: Vec::new() },
        MemberEntry::Forms(forms) => {
            let name = forms.name.unwrap_or_default(); // a missing name is reported by the check before
            Member { plural: forms.plural.unwrap_or_else(|| plural(&name)), name, aliases: forms.aliases.unwrap_or_default() }
        }
    }
}

/// Answers are matched in lower case, and each form must tell which member is meant.
fn no_shared_forms(members: &[Member], ledger: &mut Ledger<'_>) {
    let mut owner: HashMap<&str, usize> = HashMap::new();
    for (i, member) in members.iter().enumerate() {
        let key = format!("trait.members[{i}]");
        let lower = member.name.to_lowercase() == member.name;
        for form in [&member.name, &member.plural].into_iter().chain(&member.aliases) {
            if form.to_lowercase() != *form && (lower || *form == member.name) {
                let hint = Some("answers are compared in lower case".to_owned());
                ledger.problem(&key, format!("`{key}` has the form `{form}`, expected lower case"), hint);
            }
            if form.trim().is_empty() && !member.name.is_empty() {
                ledger.problem(&key, format!("`{key}` has an empty form"), None);
            }
            let first = *owner.entry(form).or_insert(i);
            if first != i {
                let other = &members[first].name;
                let hint = Some("a form must tell which member is meant".to_owned());
                ledger.problem(&key, format!("`{key}` shares the form `{form}` with the member `{other}`"), hint);
            }
        }
    }
}

/// The plural: of a word in a built-in list as it stands there, else by the usual rules.
fn plural(name: &str) -> String {
    let known = traits::categories().into_iter().find_map(|category| Some(category.member(name)?.plural.clone()));
    known.unwrap_or_else(|| by_rule(name))
}

fn by_rule(name: &str) -> String {
    let before_y = name.strip_suffix('y').and_then(|stem| stem.chars().last());
    match before_y {
        Some(letter) if !"aeiou".contains(letter) => format!("{}ies", &name[..name.len() - 1]),
        _ if ["s", "x", "z", "ch", "sh"].iter().any(|end| name.ends_with(end)) => format!("{name}es"),
        _ => format!("{name}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plurals_follow_the_lists_then_the_rules() {
        for (one, many) in
            [("wolf", "wolves"), ("cherry", "cherries"), ("peach", "peaches"), ("toy", "toys"), ("fig", "figs"), ("fox", "foxes")]
        {
            assert_eq!(plural(one), many);
        }
    }
}
