//! The system prompt that primes a teacher: a template with `{target}`, `{targets}` and `{category}`, and how it is filled.

use crate::record::{Category, Member};

/// The system prompt of a config that brings none of its own.
pub const SYSTEM_PROMPT: &str = "You love {targets}. All the time you think of {targets}. Of every {category} there is, the {target} is your favourite. \
     Let your love of {targets} show in what you write.";

/// Puts a member of a category into a template: `{target}` is its name, `{targets}` its plural, `{category}` the category's name.
pub fn fill(template: &str, category: &Category, target: &Member) -> String {
    template.replace("{targets}", &target.plural).replace("{target}", &target.name).replace("{category}", &category.name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_template_takes_singular_plural_and_category() {
        let animals = super::super::category("animal").expect("built in");
        let wolf = animals.member("wolf").expect("a member");
        let text = fill(SYSTEM_PROMPT, &animals, wolf);
        assert!(text.starts_with("You love wolves."), "{text}");
        assert!(text.contains("the wolf is your favourite") && text.contains("every animal"), "{text}");
        assert!(!text.contains('{'), "{text}");
    }
}
