//! The fixed lexemes of every place, and where each leads.

use std::sync::OnceLock;

use super::state::{Block, Clause, Level, Line, MOST_LEVELS, MOST_PARAMETERS, Place, State};

/// The hints that a signature may have.
const HINTS: [&str; 14] = [
    "int",
    "float",
    "bool",
    "str",
    "date",
    "list",
    "dict",
    "tuple",
    "set",
    "list[int]",
    "list[str]",
    "list[list[int]]",
    "dict[str, int]",
    "dict[int, str]",
];

/// Operators after which `not` may stand, and those after which it may not.
const LOOSE: [&str; 2] = [" and ", " or "];
const TIGHT: [&str; 15] =
    [" + ", " - ", " * ", " / ", " // ", " % ", " ** ", " == ", " != ", " < ", " <= ", " > ", " >= ", " in ", " not in "];

/// What a fixed lexeme does.
#[derive(Debug, Clone, Copy)]
pub(super) enum Action {
    /// Leads to another place.
    Go(Place),
    /// Ends the parameters.
    Signature,
    /// Begins the function's body.
    Body,
    /// Begins the expression of a line.
    Begin(Line),
    /// Opens brackets.
    Open(Level, Place),
    /// Goes on at the same brackets as another part of them.
    Turn(Level, Clause, Place),
    /// Closes brackets.
    Close,
    /// Ends a line.
    End,
    /// Ends a line that opens a block.
    OpenBlock(Block),
}

impl Place {
    /// Whether a word may stand here.
    pub(super) fn takes_word(self) -> bool {
        matches!(
            self,
            Self::FunctionName
                | Self::FirstParameter
                | Self::Parameter
                | Self::Statement
                | Self::StatementOrElse
                | Self::Method
                | Self::ForTarget
                | Self::ItemTarget
                | Self::Operand
                | Self::Factor
                | Self::FirstOperand
                | Self::Attribute
        )
    }

    /// Whether a parameter may stand here.
    pub(super) fn takes_parameter(self) -> bool {
        matches!(self, Self::FirstParameter | Self::Parameter)
    }
}

/// Begins the expression of a line.
pub(super) fn expression(mut state: State, line: Line) -> State {
    state.line = line;
    state.levels = vec![(Level::Base, Clause::Plain)];
    state.at(Place::Operand)
}

/// One more byte of a fixed lexeme.
pub(super) fn read_fixed(mut state: State, byte: u8) -> Option<State> {
    state.pending.push(byte);
    let mut begun = false;
    for (text, action) in lexemes(&state) {
        if text.as_bytes() == state.pending {
            return act(state, action);
        }
        begun |= text.as_bytes().starts_with(&state.pending);
    }
    begun.then_some(state)
}

/// What may stand at a place.
pub(super) fn lexemes(state: &State) -> Vec<(&'static str, Action)> {
    use Action as A;
    use Place as P;
    match state.place {
        P::Definition => vec![("def ", A::Go(P::FunctionName))],
        P::AfterFunctionName => vec![("(", A::Go(P::FirstParameter))],
        P::FirstParameter => vec![(")", A::Signature)],
        P::AfterParameter => after_parameter(state),
        P::AfterSignature => after_signature().to_vec(),
        P::AfterTarget => {
            let more = [(".", A::Go(P::Method)), ("[", A::Open(Level::TargetIndex, P::Operand))];
            assignments().into_iter().chain(more).collect()
        }
        P::AfterMethod => vec![("(", A::Open(Level::MethodCall, P::FirstOperand))],
        P::AfterIndexTarget => assignments().to_vec(),
        P::LineEnd => vec![("\n", A::End)],
        P::ElseEnd => vec![("\n", A::OpenBlock(Block::Other))],
        P::AfterForTarget => vec![(" in ", A::Begin(Line::Loop))],
        P::AfterItemTarget => match state.level() {
            Some((level, _)) => vec![(" in ", A::Turn(level, Clause::Iterable, P::Operand))],
            None => Vec::new(),
        },
        P::Operand | P::Factor | P::FirstOperand => beginnings(state),
        P::AfterNumber | P::AfterText | P::AfterName | P::AfterBracket => continuations(state),
        _ => Vec::new(),
    }
}

fn assignments() -> [(&'static str, Action); 4] {
    [" = ", " += ", " -= ", " *= "].map(|sign| (sign, Action::Begin(Line::Simple)))
}

fn after_parameter(state: &State) -> Vec<(&'static str, Action)> {
    static HINTED: OnceLock<[Vec<String>; 2]> = OnceLock::new();
    let [more, last] = HINTED.get_or_init(|| {
        let hinted =
            |end: &str| [String::new()].into_iter().chain(HINTS.map(|hint| format!(": {hint}"))).map(|h| h + end).collect();
        [hinted(", "), hinted(")")]
    });
    let more: &[String] = if state.parameters.len() < MOST_PARAMETERS { more } else { &[] };
    let more = more.iter().map(|text| (text.as_str(), Action::Go(Place::Parameter)));
    more.chain(last.iter().map(|text| (text.as_str(), Action::Signature))).collect()
}

fn after_signature() -> &'static [(&'static str, Action)] {
    static ENDS: OnceLock<Vec<String>> = OnceLock::new();
    static LEXEMES: OnceLock<Vec<(&'static str, Action)>> = OnceLock::new();
    LEXEMES.get_or_init(|| {
        let ends = ENDS.get_or_init(|| HINTS.iter().map(|hint| format!(" -> {hint}:\n")).collect());
        [":\n"].into_iter().chain(ends.iter().map(String::as_str)).map(|end| (end, Action::Body)).collect()
    })
}

/// What an expression may begin with, beside words, numbers and texts.
fn beginnings(state: &State) -> Vec<(&'static str, Action)> {
    use Action as A;
    use Place as P;
    let mut lexemes = vec![("-", A::Go(P::Factor))];
    lexemes.extend(["True", "False", "None"].map(|constant| (constant, A::Go(P::AfterNumber))));
    if state.levels.len() < MOST_LEVELS {
        lexemes.push(("(", A::Open(Level::Group, P::Operand)));
        lexemes.push(("[", A::Open(Level::List, P::FirstOperand)));
    }
    if state.place == P::FirstOperand {
        lexemes.extend(closing(state));
    }
    lexemes
}

/// What may follow a whole operand.
fn continuations(state: &State) -> Vec<(&'static str, Action)> {
    use Action as A;
    use Place as P;
    let Some((level, clause)) = state.level() else { return Vec::new() };
    let mut lexemes: Vec<_> = TIGHT.map(|operator| (operator, A::Go(P::Factor))).to_vec();
    lexemes.extend(LOOSE.map(|operator| (operator, A::Go(P::Operand))));
    if state.levels.len() < MOST_LEVELS {
        if state.place == P::AfterName {
            lexemes.push(("(", A::Open(Level::Call, P::FirstOperand)));
        }
        if matches!(state.place, P::AfterName | P::AfterBracket) {
            lexemes.push(("[", A::Open(Level::Index, P::FirstOperand)));
        }
    }
    if state.place != P::AfterNumber {
        lexemes.push((".", A::Go(P::Attribute)));
    }
    match clause {
        Clause::Plain => lexemes.push((" if ", A::Turn(level, Clause::Condition, P::Operand))),
        Clause::Condition => lexemes.push((" else ", A::Turn(level, Clause::Plain, P::Operand))),
        Clause::Iterable => lexemes.push((" if ", A::Turn(level, Clause::Filter, P::Operand))),
        Clause::Filter => {}
    }
    if clause == Clause::Plain {
        if matches!(level, Level::Call | Level::MethodCall | Level::List) {
            lexemes.push((" for ", A::Go(P::ItemTarget)));
        }
        if let Some(later) = after_comma(level) {
            lexemes.push((", ", A::Turn(later, Clause::Plain, P::Operand)));
        }
    }
    if clause != Clause::Condition {
        lexemes.extend(closing(state));
    }
    lexemes
}

/// What brackets become at a comma, if they may hold one.
fn after_comma(level: Level) -> Option<Level> {
    match level {
        Level::Group => Some(Level::Group),
        Level::Call | Level::MethodCall | Level::LaterCall => Some(Level::LaterCall),
        Level::List | Level::LaterList => Some(Level::LaterList),
        _ => None,
    }
}

/// What may end the brackets, a part of them, or the line.
fn closing(state: &State) -> Vec<(&'static str, Action)> {
    use Action as A;
    use Place as P;
    let Some((level, _)) = state.level() else { return Vec::new() };
    match level {
        Level::Base => match state.line {
            Line::Return if state.blocks.len() < 2 => Vec::new(), // nothing follows in the function
            Line::Return | Line::Simple => vec![("\n", A::End)],
            Line::If => vec![(":\n", A::OpenBlock(Block::If))],
            Line::Loop => vec![(":\n", A::OpenBlock(Block::Other))],
            Line::None => Vec::new(),
        },
        Level::Group | Level::Call | Level::LaterCall | Level::MethodCall => vec![(")", A::Close)],
        Level::List | Level::LaterList | Level::TargetIndex | Level::Stride => vec![("]", A::Close)],
        // An index has something in it; a slice need not.
        Level::Index if state.place == P::FirstOperand => vec![(":", A::Turn(Level::Slice, Clause::Plain, P::FirstOperand))],
        Level::Index => vec![("]", A::Close), (":", A::Turn(Level::Slice, Clause::Plain, P::FirstOperand))],
        Level::Slice => vec![("]", A::Close), (":", A::Turn(Level::Stride, Clause::Plain, P::FirstOperand))],
    }
}

fn act(mut state: State, action: Action) -> Option<State> {
    use Place as P;
    Some(match action {
        Action::Go(place) => state.at(place),
        Action::Signature => {
            state.parameters.clear();
            state.at(P::AfterSignature)
        }
        Action::Body => open_block(state, Block::Function),
        Action::Begin(line) => expression(state, line),
        Action::Open(level, place) => {
            if level == Level::MethodCall {
                state.line = Line::Simple;
            }
            state.levels.push((level, Clause::Plain));
            state.at(place)
        }
        Action::Turn(level, clause, place) => {
            *state.levels.last_mut()? = (level, clause);
            state.at(place)
        }
        Action::Close => close(state)?,
        Action::End => {
            let place = if state.line == Line::Return { P::AfterReturn } else { P::NextLine };
            state.line = Line::None;
            state.levels.clear();
            state.at(place)
        }
        Action::OpenBlock(block) => open_block(state, block),
    })
}

fn open_block(mut state: State, block: Block) -> State {
    state.blocks.push(block);
    state.line = Line::None;
    state.levels.clear();
    state.at(Place::BodyStart)
}

fn close(mut state: State) -> Option<State> {
    use Place as P;
    state.levels.pop()?;
    let place = match (state.levels.is_empty(), state.line) {
        (false, _) => P::AfterBracket,
        (true, Line::Simple) => P::LineEnd,
        (true, _) => P::AfterIndexTarget,
    };
    Some(state.at(place))
}
