//! The ways in which an answer may not be what was asked. Each has a filter rule of its own, so that each can be left out and is
//! counted by itself.

/// One way in which an answer is not what was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// A code fence that is not one fence around the whole answer, marked as Python or not at all.
    Fence,
    /// Text beside the fence, or a statement beside the functions and their imports.
    Outside,
    /// Python's parser refuses it, or it is longer than any function should be.
    Syntax,
    /// It does not define the function of this name with this many parameters.
    Target,
    /// A comment.
    Comment,
    /// A text that stands as a statement of its own.
    Docstring,
    /// A text of two words or more, or one with letters written as escapes.
    Prose,
    /// A name that is not made of plain words.
    Identifier,
}

impl Fault {
    /// Every fault, in the order in which an answer is judged.
    pub const ALL: [Self; 8] =
        [Self::Fence, Self::Outside, Self::Syntax, Self::Target, Self::Comment, Self::Docstring, Self::Prose, Self::Identifier];

    /// The filter rule that drops it.
    pub const fn rule(self) -> &'static str {
        match self {
            Self::Fence => "code-fence",
            Self::Outside => "code-outside",
            Self::Syntax => "code-syntax",
            Self::Target => "code-target",
            Self::Comment => "code-comments",
            Self::Docstring => "code-docstrings",
            Self::Prose => "code-strings",
            Self::Identifier => "code-identifiers",
        }
    }

    /// What it is called where the reasons of a whole domain are counted.
    pub const fn class(self) -> &'static str {
        match self {
            Self::Fence => "fence",
            Self::Outside => "outside the code",
            Self::Syntax => "syntax",
            Self::Target => "not the asked function",
            Self::Comment => "comment",
            Self::Docstring => "docstring",
            Self::Prose => "prose literal",
            Self::Identifier => "identifier",
        }
    }
}

/// A fault that was found, and what exactly was seen, on one line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) fault: Fault,
    pub(super) what: String,
}

impl Found {
    pub(super) fn new(fault: Fault, what: impl Into<String>) -> Self {
        Self { fault, what: what.into() }
    }
}
