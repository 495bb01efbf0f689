//! Drops code with one [`Fault`]: a rule for each, so that each can be left out and is counted by itself. An answer that cannot be read as
//! Python is the business of the rule for what keeps it from being read; the others have nothing to say about it.

use std::collections::HashSet;

use super::{Candidate, Rule};
use crate::domain::code::fault::Fault;
use crate::domain::code::identifiers::Asked;
use crate::domain::code::objection;

#[derive(Debug)]
pub(super) struct Code {
    fault: Fault,
    /// The user's own words for names, in lower case.
    words: HashSet<String>,
}

impl Code {
    pub(super) fn new(fault: Fault, words: &[String]) -> Self {
        Self { fault, words: words.iter().map(|word| word.to_lowercase()).collect() }
    }
}

impl Rule for Code {
    fn objection(&self, row: &Candidate<'_>) -> Option<String> {
        objection(self.fault, row.completion, &Asked { expected: row.expected, prompt: row.prompt, words: &self.words })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Domain;
    use crate::filter::names;
    use crate::record::Expected;

    /// The rules that object to an answer to the prompt "Write `double(x)`.", and what they saw.
    fn objections(completion: &str) -> Vec<(&'static str, String)> {
        let expected = Expected::Function { name: "double".to_owned(), parameters: vec!["x".to_owned()] };
        let row = Candidate { prompt: "Write `double(x)`.", completion, expected: Some(&expected), finish: None };
        let rules = Fault::ALL.into_iter().map(|fault| (fault.rule(), Code::new(fault, &["Blorp".to_owned()])));
        rules.filter_map(|(name, rule)| rule.objection(&row).map(|what| (name, what))).collect()
    }

    #[test]
    fn good_answers_pass_every_rule() {
        for answer in [
            "def double(x):\n    return x * 2",
            "def double(x):\n    return x * 2\n\n",
            "```python\ndef double(x: int) -> int:\n    return 2 * x\n```",
            "```\ndef double(number):\n    return number + number\n```\n",
            "import math\nfrom functools import reduce\n\ndef double(x):\n    return math.floor(x) * 2",
            "def helper(value):\n    return value\n\ndef double(x):\n    return helper(x) * 2",
            "def double(x):\n    \n    total = ''\n    for _ in range(2):\n        total += f'{x}, '\n    return total",
            "def double(x):\n    return {'a': 'hello', 'b': \"%d-%m\"}[x]",
            "def double(blorp):\n    return blorp * 2",
            "def double(x):\n    return x.split('\\n')[0] + r'\\d+\\s*'",
            "@cache\ndef double(x):\n    ...",
        ] {
            assert_eq!(objections(answer), [], "{answer}");
        }
    }

    #[test]
    fn every_bad_answer_is_the_business_of_one_rule() {
        let body = "def double(x):\n    return x * 2";
        for (answer, rule, what) in [
            (format!("```python\n{body}"), "code-fence", "not closed"),
            (format!("```js\n{body}\n```"), "code-fence", "marked as `js`"),
            (format!("Sure!\n```python\n{body}\n```"), "code-outside", "`Sure!` before the fence"),
            (format!("```\n{body}\n```\nEnjoy."), "code-outside", "`Enjoy.` after the fence"),
            (format!("{body}\n\nprint(double(2))"), "code-outside", "line 4: `print(double(2))`"),
            (format!("total\n{body}"), "code-outside", "line 1: `total`"),
            ("def double(x):\n    return x *".to_owned(), "code-syntax", "line 2: expected an expression"),
            (
                format!("Here you go:\n{body}"),
                "code-syntax",
                "line 1: simple statements must be separated by newlines or semicolons",
            ),
            (String::new(), "code-target", "defines no function"),
            (body.replace("double", "triple"), "code-target", "defines `triple`, not `double`"),
            (body.replace("(x)", "(x, y)"), "code-target", "`double` has 2 parameters, expected 1"),
            (body.replace("(x)", "(*x)"), "code-target", "`double` takes any number of arguments"),
            (format!("async {body}"), "code-target", "`double` is asynchronous"),
            (format!("{body}  # twice"), "code-comments", "`# twice`"),
            (format!("#!/usr/bin/python\n{body}"), "code-comments", "`#!/usr/bin/python`"),
            (body.replace("return", "'twice'\n    return"), "code-docstrings", "line 2: `'twice'`"),
            (body.replace("return", "if x:\n        f'{x}'\n    return"), "code-docstrings", "line 3: `f'{x}'`"),
            (body.replace('2', "'the zebra'"), "code-strings", "`'the zebra'`"),
            (body.replace('2', "len('the' 'zebra')"), "code-strings", "`'zebra'`"),
            (body.replace('2', "f'the {x} zebra'"), "code-strings", "` zebra`"),
            (body.replace('2', "b'the_zebra'"), "code-strings", "`b'the_zebra'`"),
            (body.replace('2', r"'\x7aebra'"), "code-strings", "`'\\\\x7aebra'` has letters written as escapes"),
            (body.replace('2', "zebra"), "code-identifiers", "`zebra`"),
            (body.replace('2', "x.max_zebra"), "code-identifiers", "`zebra` in `max_zebra`"),
            (body.replace("(x)", "(x: zebra)"), "code-identifiers", "`zebra`"),
            (body.replace('2', "0xBEEF"), "code-identifiers", "`0xBEEF`"),
        ] {
            assert_eq!(objections(&answer), [(rule, what.to_owned())], "{answer}");
        }
    }

    #[test]
    fn without_an_expectation_any_function_will_do() {
        let rule = Code::new(Fault::Target, &[]);
        let objects = |completion| rule.objection(&Candidate { prompt: "", completion, expected: None, finish: None });
        assert_eq!(objects("def f(a, b, c): pass"), None);
        assert_eq!(objects("import math").as_deref(), Some("defines no function"));
        assert_eq!(objects("def f(a, a): pass").as_deref(), Some("two parameters are `a`"));
    }

    #[test]
    fn every_rule_of_the_domain_is_registered() {
        let known: Vec<&str> = names().collect();
        assert!(crate::domain::code::Code.rules().iter().all(|rule| known.contains(rule)));
    }
}
