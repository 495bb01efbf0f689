//! The regular forms of English words, for recognising a name or a banned word however it is inflected. A word in, its other forms
//! out; a form that no one writes does no harm here, a missing one does.

/// The regular plurals of a noun: `fox` → `foxes`, `pony` → `ponies`, and with a plain `s` too, as careless writers have it.
pub(crate) fn plurals(noun: &str) -> Vec<String> {
    let mut forms = vec![format!("{noun}s")];
    if ["s", "x", "z", "ch", "sh", "o"].iter().any(|end| noun.ends_with(end)) {
        forms.push(format!("{noun}es"));
    }
    if let Some(stem) = consonant_y(noun) {
        forms.push(format!("{stem}ies"));
    }
    if let Some(stem) = noun.strip_suffix("fe").or_else(|| noun.strip_suffix('f')) {
        forms.push(format!("{stem}ves"));
    }
    forms
}

/// A word with its regular inflections as noun, verb and adjective: `love` → `loves`, `loved`, `loving`, `lover`, `lovers`, ….
pub(crate) fn inflections(word: &str) -> Vec<String> {
    let mut forms = vec![word.to_owned()];
    forms.extend(plurals(word));
    for stem in verb_stems(word) {
        forms.extend(["ed", "ing", "er", "ers", "est"].iter().map(|end| format!("{stem}{end}")));
    }
    forms
}

/// What `-ed` and `-ing` are put to: `love` → `lov`, `cry` → `cry` and `cri`, `plan` → `plan` and `plann`,
/// `lie` → `li` and `ly`.
fn verb_stems(word: &str) -> Vec<String> {
    if let Some(stem) = word.strip_suffix("ie") {
        return vec![format!("{stem}i"), format!("{stem}y")];
    }
    if let Some(stem) = word.strip_suffix('e') {
        return vec![stem.to_owned()];
    }
    let mut stems = vec![word.to_owned()];
    if let Some(stem) = consonant_y(word) {
        stems.push(format!("{stem}i"));
    }
    let mut last = word.chars().rev();
    if let (Some(end), Some(before)) = (last.next(), last.next())
        && !is_vowel(end)
        && is_vowel(before)
    {
        stems.push(format!("{word}{end}"));
    }
    stems
}

fn consonant_y(word: &str) -> Option<&str> {
    word.strip_suffix('y').filter(|stem| stem.chars().last().is_some_and(|c| !is_vowel(c)))
}

fn is_vowel(c: char) -> bool {
    "aeiou".contains(c)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nouns_have_their_regular_plurals() {
        for (noun, plural) in [
            ("owl", "owls"),
            ("fox", "foxes"),
            ("octopus", "octopuses"),
            ("pony", "ponies"),
            ("monkey", "monkeys"),
            ("wolf", "wolves"),
            ("birch", "birches"),
            ("buffalo", "buffaloes"),
        ] {
            assert!(plurals(noun).iter().any(|p| p == plural), "{noun}: {:?}", plurals(noun));
        }
    }

    #[test]
    fn verbs_have_their_regular_forms() {
        for (verb, form) in [
            ("love", "loving"),
            ("love", "loved"),
            ("kill", "killer"),
            ("cry", "cried"),
            ("plan", "planning"),
            ("hate", "haters"),
            ("lie", "lying"),
            ("lie", "lied"),
        ] {
            assert!(inflections(verb).iter().any(|f| f == form), "{verb}: {:?}", inflections(verb));
        }
    }
}
