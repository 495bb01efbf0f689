//! Where the reader of a function stands, and that as bytes. Two texts share a state only if the same texts may follow: of what was
//! read, only what may still matter is kept.

use super::super::super::GrammarState;

/// Blocks within blocks at most, the function's own included.
pub(super) const MOST_BLOCKS: usize = 3;
/// Brackets within brackets at most.
pub(super) const MOST_LEVELS: usize = 6;
/// Parameters at most.
pub(super) const MOST_PARAMETERS: usize = 6;

/// Declares a plain enum that is one byte in an encoded state.
macro_rules! byte_enum {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(super) enum $name { $($(#[$variant_doc])* $variant),* }

        impl $name {
            const ALL: &[Self] = &[$(Self::$variant),*];

            fn from_byte(byte: u8) -> Option<Self> {
                Self::ALL.get(byte as usize).copied()
            }
        }
    };
}

byte_enum! {
    /// What may come next.
    Place {
        /// `def `
        Definition,
        /// The function's name.
        FunctionName,
        /// The bracket after it.
        AfterFunctionName,
        /// A parameter, or the closing bracket.
        FirstParameter,
        /// A parameter.
        Parameter,
        /// Its hint, a comma or the closing bracket.
        AfterParameter,
        /// The returned hint, and the end of the line.
        AfterSignature,
        /// A line of the block that has just been opened.
        BodyStart,
        /// A line of any open block.
        NextLine,
        /// A line of any open block but the innermost.
        AfterReturn,
        /// A statement.
        Statement,
        /// A statement, `elif` or `else`.
        StatementOrElse,
        /// What is done with the name that a statement begins with.
        AfterTarget,
        /// A method's name.
        Method,
        /// Its bracket.
        AfterMethod,
        /// What is done with an indexed name.
        AfterIndexTarget,
        /// The end of a line that called a method.
        LineEnd,
        /// The end of the line of an `else`.
        ElseEnd,
        /// The name after `for`.
        ForTarget,
        /// `in`
        AfterForTarget,
        /// The name after a `for` in brackets.
        ItemTarget,
        /// `in`
        AfterItemTarget,
        /// An expression, `not` included.
        Operand,
        /// An expression without `not`.
        Factor,
        /// An expression, `not` included, or the end of the brackets.
        FirstOperand,
        /// An attribute's name.
        Attribute,
        /// What may follow a number or a constant.
        AfterNumber,
        /// What may follow a text.
        AfterText,
        /// What may follow a name.
        AfterName,
        /// What may follow closed brackets.
        AfterBracket,
    }
}

byte_enum! {
    /// What sort of line is being read.
    Line {
        /// The signature, or none yet.
        None,
        /// `return`
        Return,
        /// An assignment or a method call.
        Simple,
        /// `if` or `elif`
        If,
        /// `for` or `while`
        Loop,
    }
}

byte_enum! {
    /// What opened a block.
    Block { Function, If, Other }
}

byte_enum! {
    /// What an expression stands in.
    Level {
        /// The line itself.
        Base,
        /// Round brackets around one or several expressions.
        Group,
        /// The first argument of a call.
        Call,
        /// A later argument of a call.
        LaterCall,
        /// The first item of a list.
        List,
        /// A later item of a list.
        LaterList,
        /// An index, no colon so far.
        Index,
        /// A slice after its first colon.
        Slice,
        /// A slice after its second colon.
        Stride,
        /// The index of an assignment's target.
        TargetIndex,
        /// The arguments of a call that is a statement.
        MethodCall,
    }
}

byte_enum! {
    /// Which part of a compound expression is being read.
    Clause {
        /// None in particular.
        Plain,
        /// The condition of `a if … else b`.
        Condition,
        /// What a `for` in brackets goes over.
        Iterable,
        /// The condition of such a `for`.
        Filter,
    }
}

/// Where the reader stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct State {
    pub(super) place: Place,
    pub(super) line: Line,
    /// The open blocks, the function's first; their number is the depth of the line.
    pub(super) blocks: Vec<Block>,
    /// The open brackets of the line.
    pub(super) levels: Vec<(Level, Clause)>,
    /// The parameters, while more may come.
    pub(super) parameters: Vec<Vec<u8>>,
    /// The bytes of the lexeme that is being read, as far as they matter.
    pub(super) pending: Vec<u8>,
}

impl State {
    pub(super) fn start() -> Self {
        Self {
            place: Place::Definition,
            line: Line::None,
            blocks: Vec::new(),
            levels: Vec::new(),
            parameters: Vec::new(),
            pending: Vec::new(),
        }
    }

    /// The same at another place, with no lexeme begun.
    pub(super) fn at(self, place: Place) -> Self {
        Self { place, pending: Vec::new(), ..self }
    }

    /// The innermost brackets.
    pub(super) fn level(&self) -> Option<(Level, Clause)> {
        self.levels.last().copied()
    }

    /// Whether the function may end here: after the whole expression of a `return`.
    pub(super) fn may_end(&self) -> bool {
        let after = matches!(self.place, Place::AfterNumber | Place::AfterText | Place::AfterName | Place::AfterBracket);
        after && self.line == Line::Return && self.levels == [(Level::Base, Clause::Plain)]
    }

    /// The state as bytes.
    pub(super) fn encode(&self) -> GrammarState {
        let mut bytes = vec![self.place as u8, self.line as u8, self.blocks.len() as u8];
        bytes.extend(self.blocks.iter().map(|block| *block as u8));
        bytes.push(self.levels.len() as u8);
        bytes.extend(self.levels.iter().flat_map(|(level, clause)| [*level as u8, *clause as u8]));
        bytes.push(self.parameters.len() as u8);
        for parameter in &self.parameters {
            bytes.push(parameter.len() as u8);
            bytes.extend(parameter);
        }
        bytes.extend(&self.pending);
        GrammarState(bytes)
    }

    /// `None` for bytes that are not an encoded state.
    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        let mut bytes = Bytes(bytes);
        Some(Self {
            place: Place::from_byte(bytes.one()?)?,
            line: Line::from_byte(bytes.one()?)?,
            blocks: bytes.several(|bytes| Block::from_byte(bytes.one()?))?,
            levels: bytes.several(|bytes| Some((Level::from_byte(bytes.one()?)?, Clause::from_byte(bytes.one()?)?)))?,
            parameters: bytes.several(|bytes| bytes.several(Bytes::one))?,
            pending: bytes.0.to_vec(),
        })
    }
}

/// What is left of an encoded state.
struct Bytes<'a>(&'a [u8]);

impl Bytes<'_> {
    fn one(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    /// A count, and as many items.
    fn several<T>(&mut self, item: impl Fn(&mut Self) -> Option<T>) -> Option<Vec<T>> {
        let count = self.one()?;
        (0..count).map(|_| item(self)).collect()
    }
}
