//! What is wrong with an answer that Python can read: one question for each [`Fault`].

use ruff_python_ast::statement_visitor::{StatementVisitor, walk_stmt};
use ruff_python_ast::token::{Token, TokenKind};
use ruff_python_ast::{Expr, Stmt, StmtFunctionDef};
use ruff_text_size::{Ranged, TextRange};

use super::super::excerpt;
use super::Function;
use super::fault::{Fault, Found};
use super::identifiers::{Asked, odd_part};
use super::script::{Script, parameter_names};
use crate::record::Expected;

/// Words of this many letters or more are counted in texts: `%d` and `\n` are no words.
const SHORTEST_WORD: usize = 2;
/// A text of this many words is prose.
const PROSE: usize = 2;

/// What is seen of one fault in an answer, if it is there. What keeps the answer from being read is seen of that fault alone.
pub fn objection(fault: Fault, answer: &str, asked: &Asked<'_>) -> Option<String> {
    if !possible(fault, answer) {
        return None;
    }
    match Script::read(answer) {
        Err(found) => (found.fault == fault).then_some(found.what),
        Ok(script) => seen(fault, &script, asked),
    }
}

/// The function that an answer defines, if nothing is wrong with it; else the first fault.
pub(super) fn whole(answer: &str, asked: &Asked<'_>) -> Result<Function, Found> {
    let script = Script::read(answer)?;
    let mut faults = Fault::ALL.into_iter().filter(|fault| possible(*fault, answer));
    let found = faults.find_map(|fault| seen(fault, &script, asked).map(|what| Found::new(fault, what)));
    found.map_or_else(|| definition(&script, asked.expected), Err)
}

/// Spares the parser a walk for what cannot be there.
fn possible(fault: Fault, answer: &str) -> bool {
    match fault {
        Fault::Comment => answer.contains('#'),
        Fault::Docstring | Fault::Prose => answer.contains(['\'', '"']),
        _ => true,
    }
}

fn seen(fault: Fault, script: &Script<'_>, asked: &Asked<'_>) -> Option<String> {
    match fault {
        Fault::Fence | Fault::Syntax => None, // it was read
        Fault::Outside => stray(script),
        Fault::Target => definition(script, asked.expected).err().map(|found| found.what),
        Fault::Comment => script.all(TokenKind::Comment).next().map(|comment| format!("`{}`", excerpt(comment))),
        Fault::Docstring => docstring(script),
        Fault::Prose => prose(script),
        Fault::Identifier => identifier(script, asked),
    }
}

/// A statement that is neither a function nor an import.
fn stray(script: &Script<'_>) -> Option<String> {
    let belongs = |statement: &&Stmt| matches!(statement, Stmt::FunctionDef(_) | Stmt::Import(_) | Stmt::ImportFrom(_));
    script.statements().iter().find(|statement| !belongs(statement)).map(|statement| script.place(statement.range()))
}

/// The function that was asked for, or without any expectation the last one: what was defined before it are its helpers.
fn definition(script: &Script<'_>, expected: Option<&Expected>) -> Result<Function, Found> {
    let wrong = |what: String| Found::new(Fault::Target, what);
    let (asked, count) = match expected {
        Some(Expected::Function { name, parameters }) => (Some(name.as_str()), Some(parameters.len())),
        _ => (None, None),
    };
    let named = |function: &&StmtFunctionDef| asked.is_none_or(|name| function.name.as_str() == name);
    let Some(function) = script.functions().filter(named).last() else {
        let missing = || wrong("defines no function".to_owned());
        let other = script.functions().last().ok_or_else(missing)?.name.as_str();
        return Err(wrong(format!("defines `{}`, not `{}`", excerpt(other), asked.unwrap_or_default())));
    };
    let name = function.name.to_string();
    if function.is_async {
        return Err(wrong(format!("`{}` is asynchronous", excerpt(&name))));
    }
    let Some(parameters) = parameter_names(&function.parameters) else {
        return Err(wrong(format!("`{}` takes any number of arguments", excerpt(&name))));
    };
    if let Some(twice) = parameters.iter().enumerate().find_map(|(i, name)| parameters[..i].contains(name).then_some(name)) {
        return Err(wrong(format!("two parameters are `{}`", excerpt(twice))));
    }
    match count {
        Some(count) if count != parameters.len() => {
            Err(wrong(format!("`{}` has {} parameters, expected {count}", excerpt(&name), parameters.len())))
        }
        _ => Ok(Function { name, parameters, source: script.source.to_owned() }),
    }
}

/// A text that stands as a statement, wherever it is: at the top of a function it is its docstring.
fn docstring(script: &Script<'_>) -> Option<String> {
    struct Texts(Option<TextRange>);
    impl<'a> StatementVisitor<'a> for Texts {
        fn visit_stmt(&mut self, statement: &'a Stmt) {
            if let Stmt::Expr(bare) = statement
                && matches!(*bare.value, Expr::StringLiteral(_) | Expr::BytesLiteral(_) | Expr::FString(_) | Expr::TString(_))
            {
                self.0.get_or_insert(bare.range());
            }
            walk_stmt(self, statement);
        }
    }
    let mut texts = Texts(None);
    texts.visit_body(script.statements());
    texts.0.map(|range| script.place(range))
}

/// A text of several words. What stands side by side without an operator is one text to Python, and so it is here; an f-string's
/// expressions count with it.
fn prose(script: &Script<'_>) -> Option<String> {
    let mut words = 0;
    let mut open = 0_u32;
    for token in script.tokens() {
        match token.kind() {
            TokenKind::FStringStart | TokenKind::TStringStart => open += 1,
            TokenKind::FStringEnd | TokenKind::TStringEnd => open = open.saturating_sub(1),
            TokenKind::String | TokenKind::FStringMiddle | TokenKind::TStringMiddle => {
                let text = literal(script.text(token), token);
                if has_escaped_letters(text) {
                    return Some(format!("`{}` has letters written as escapes", excerpt(text)));
                }
                words += count_words(text);
            }
            TokenKind::NonLogicalNewline | TokenKind::Comment => {}
            _ if open == 0 => words = 0,
            _ => {}
        }
        if words >= PROSE {
            return Some(format!("`{}`", excerpt(script.text(token))));
        }
    }
    None
}

/// A text token without its prefix; quotes count as no letters.
fn literal<'a>(text: &'a str, token: &Token) -> &'a str {
    match token.kind() {
        TokenKind::String => text.trim_start_matches(|c: char| c.is_ascii_alphabetic()),
        _ => text,
    }
}

/// Whether letters may hide behind numbers or names: `\x7a`, `\u007a`, `\N{…}`, `\172`.
fn has_escaped_letters(text: &str) -> bool {
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        if c == '\\' && chars.next().is_some_and(|next| matches!(next, 'x' | 'u' | 'U' | 'N' | '0'..='7')) {
            return true;
        }
    }
    false
}

fn count_words(text: &str) -> usize {
    let mut plain = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        if c == '\\' {
            chars.next(); // `\n` is a line end and no letter
            plain.push(' ');
        } else {
            plain.push(c);
        }
    }
    plain.split(|c: char| !c.is_alphabetic()).filter(|word| word.chars().count() >= SHORTEST_WORD).count()
}

/// A name that is not plain, or a number that is written with letters.
fn identifier(script: &Script<'_>, asked: &Asked<'_>) -> Option<String> {
    script.tokens().iter().find_map(|token| {
        let text = script.text(token);
        match token.kind() {
            TokenKind::Name => odd_part(text, asked).map(|part| {
                if part == text { format!("`{}`", excerpt(text)) } else { format!("`{}` in `{}`", excerpt(&part), excerpt(text)) }
            }),
            TokenKind::Int => spelled(text).then(|| format!("`{}`", excerpt(text))),
            _ => None,
        }
    })
}

/// `0xBEEF` is a number and a word.
fn spelled(number: &str) -> bool {
    let hexadecimal = number.strip_prefix("0x").or_else(|| number.strip_prefix("0X"));
    hexadecimal.is_some_and(|digits| digits.chars().filter(char::is_ascii_alphabetic).count() > 1)
}
