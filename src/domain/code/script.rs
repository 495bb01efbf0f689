//! A whole answer as Python sees it: text in, functions and tokens out, or the first fault that keeps it from being read. Nothing is ever
//! run, imported or evaluated: the parser only reads.
//!
//! The parser bounds its own recursion, and the length bounds the chains (`a.a.a…`) that it builds without recursion but takes apart
//! with it.

use ruff_python_ast::token::{Token, TokenKind};
use ruff_python_ast::{ModModule, Parameters, Stmt, StmtFunctionDef};
use ruff_python_parser::{ParseError, Parsed, parse_module};
use ruff_text_size::{Ranged, TextRange, TextSize};

use super::super::excerpt;
use super::fault::{Fault, Found};
use super::fence;

/// The longest answer that is read, in bytes: several times the longest function that a prompt asks for.
pub(super) const LONGEST: usize = 6_000;

/// An answer that Python can read.
pub(super) struct Script<'a> {
    /// The answer without its fence.
    pub(super) source: &'a str,
    parsed: Parsed<ModModule>,
}

impl<'a> Script<'a> {
    /// Reads a whole answer.
    pub(super) fn read(answer: &'a str) -> Result<Self, Found> {
        let source = fence::unwrap(answer)?;
        if source.len() > LONGEST {
            return Err(Found::new(Fault::Syntax, format!("{} bytes, at most {LONGEST}", source.len())));
        }
        if let Some(odd) = source.chars().find(|&c| c.is_control() && !matches!(c, '\n' | '\r' | '\t')) {
            return Err(Found::new(Fault::Syntax, format!("control character `{}`", odd.escape_unicode())));
        }
        let parsed = parse_module(source).map_err(|error| syntax(source, &error))?;
        Ok(Self { source, parsed })
    }

    /// The statements outside any function.
    pub(super) fn statements(&self) -> &[Stmt] {
        self.parsed.suite()
    }

    /// The functions that the answer defines, in order.
    pub(super) fn functions(&self) -> impl Iterator<Item = &StmtFunctionDef> {
        self.statements().iter().filter_map(|statement| match statement {
            Stmt::FunctionDef(function) => Some(function),
            _ => None,
        })
    }

    /// Every token, comments and line ends included.
    pub(super) fn tokens(&self) -> &[Token] {
        self.parsed.tokens()
    }

    /// The text of a token or node.
    pub(super) fn text(&self, ranged: &impl Ranged) -> &'a str {
        &self.source[std::ops::Range::<usize>::from(ranged.range())]
    }

    /// The texts of all tokens of a kind.
    pub(super) fn all(&self, kind: TokenKind) -> impl Iterator<Item = &'a str> {
        self.tokens().iter().filter(move |token| token.kind() == kind).map(|token| self.text(token))
    }

    /// Where something stands and how it begins, for messages.
    pub(super) fn place(&self, range: TextRange) -> String {
        format!("line {}: `{}`", line(self.source, range.start()), excerpt(self.text(&range)))
    }
}

/// The names of a function's parameters, in order; `None` where it takes any number of them.
pub(super) fn parameter_names(parameters: &Parameters) -> Option<Vec<String>> {
    if parameters.vararg.is_some() || parameters.kwarg.is_some() {
        return None;
    }
    Some(parameters.iter().map(|parameter| parameter.name().to_string()).collect())
}

/// What the parser stumbled over.
fn syntax(source: &str, error: &ParseError) -> Found {
    let what = error.error.to_string();
    let mut chars = what.chars();
    let first: String = chars.next().into_iter().flat_map(char::to_lowercase).collect();
    let one_line: String = chars.as_str().chars().take(100).flat_map(char::escape_debug).collect();
    Found::new(Fault::Syntax, format!("line {}: {first}{one_line}", line(source, error.location.start())))
}

/// The line of a place, from 1.
fn line(source: &str, place: TextSize) -> usize {
    1 + source.bytes().take(place.to_usize()).filter(|&b| b == b'\n').count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(answer: &str) -> Option<(Fault, String)> {
        Script::read(answer).err().map(|found| (found.fault, found.what))
    }

    #[test]
    fn what_python_refuses_is_named_with_its_line() {
        assert_eq!(fault("def f(x):\n    return (x\n"), Some((Fault::Syntax, "line 3: unexpected EOF while parsing".to_owned())));
        for answer in [
            "def f(x) return x",
            "Sure, here is the code!",
            "def f(x):\nreturn x",
            "x = = 1",
            "def f(:\n  pass",
            "  def f(): pass",
            "it's",
        ] {
            assert_eq!(fault(answer).map(|(fault, _)| fault), Some(Fault::Syntax), "{answer:?}");
        }
    }

    #[test]
    fn newer_python_is_python_too() {
        for answer in [
            "def f(x):\n    match x:\n        case [1, *rest]:\n            return rest\n        case _:\n            return x",
            "def f[T](x: T) -> T:\n    return x",
            "def f(x, /, y, *, z=1):\n    return (y := x) + z",
            "def f(x):\n    return f'{x!r:>{10}} {x=}'",
            "async def f(x):\n    return [y async for y in x]",
            "type = 3\nmatch = type\ndef f(case): return case",
        ] {
            assert_eq!(fault(answer), None, "{answer:?}");
        }
    }

    #[test]
    fn long_answers_and_control_characters_are_refused_before_they_are_parsed() {
        let long = format!("def f(x):\n    return x{}", " + x".repeat(LONGEST));
        assert_eq!(fault(&long), Some((Fault::Syntax, format!("{} bytes, at most {LONGEST}", long.len()))));
        assert_eq!(fault("x = 1\0"), Some((Fault::Syntax, "control character `\\u{0}`".to_owned())));
        assert_eq!(fault("x = 1\u{85}").map(|f| f.0), Some(Fault::Syntax));
    }

    /// As deep as the length allows, on half of the stack that a thread has by default.
    #[test]
    fn no_nesting_and_no_chain_overflows_the_stack() {
        const NESTS: [(&str, &str); 22] = [
            ("(", ""),
            ("[", ""),
            ("{", ""),
            ("{1:", ""),
            ("f(", ""),
            ("-", "1"),
            ("not ", "x"),
            ("lambda:", "1"),
            ("x if x else ", "x"),
            ("x**", "x"),
            ("x+", "x"),
            ("x and ", "x"),
            ("x<", "x"),
            ("x.", "x"),
            ("x=", "x"),
            ("f'{", ""),
            ("[x for x in ", ""),
            ("if x:\n if x:\n  if x:\n   ", "x"),
            ("@", "x"),
            ("await ", "x"),
            ("*", "x"),
            ("match x:\n case [[[[", ""),
        ];
        let read = || {
            for (piece, end) in NESTS {
                let chain = piece.repeat((LONGEST - 1) / piece.len());
                let _ = Script::read(&(chain + end));
            }
            let called = format!("x{}", "()".repeat(LONGEST / 2 - 1));
            let nested: Vec<String> = (0..105).map(|depth| " ".repeat(depth) + "if x:\n").collect();
            let brackets = format!("{}1{}", "(".repeat(LONGEST / 2 - 1), ")".repeat(LONGEST / 2 - 1));
            for text in [called, nested.concat(), brackets, "elif x:\n x\n".repeat(LONGEST / 12)] {
                let _ = Script::read(&text);
            }
        };
        std::thread::Builder::new().stack_size(1 << 20).spawn(read).unwrap().join().unwrap();
    }
}
