//! The automaton's view of a separator: bytes written so far in, whether it is whole, torn inside a character, or impossible out.

/// The blanks beyond ASCII, in UTF-8.
const WIDE_BLANKS: [&[u8]; 19] = [
    b"\xc2\x85",
    b"\xc2\xa0",
    b"\xe1\x9a\x80",
    b"\xe2\x80\x80",
    b"\xe2\x80\x81",
    b"\xe2\x80\x82",
    b"\xe2\x80\x83",
    b"\xe2\x80\x84",
    b"\xe2\x80\x85",
    b"\xe2\x80\x86",
    b"\xe2\x80\x87",
    b"\xe2\x80\x88",
    b"\xe2\x80\x89",
    b"\xe2\x80\x8a",
    b"\xe2\x80\xa8",
    b"\xe2\x80\xa9",
    b"\xe2\x80\xaf",
    b"\xe2\x81\x9f",
    b"\xe3\x80\x80",
];

/// How far a first separator has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// An integer may follow.
    Whole,
    /// In the middle of a blank of several bytes.
    Torn,
}

/// Reads the start of a separator: blanks around at most one `,` or `;`. `None` where no separator starts like this.
pub(super) fn separator_form(written: &[u8]) -> Option<Form> {
    let mut rest = written;
    let mut marks = 0;
    while let Some((&byte, after)) = rest.split_first() {
        match byte {
            b'\t'..=b'\r' | 0x1c..=b' ' => rest = after,
            b',' | b';' if marks == 0 => {
                marks = 1;
                rest = after;
            }
            _ => match WIDE_BLANKS.iter().find(|blank| rest.starts_with(blank)) {
                Some(blank) => rest = &rest[blank.len()..],
                None => return WIDE_BLANKS.iter().any(|blank| blank.starts_with(rest)).then_some(Form::Torn),
            },
        }
    }
    (!written.is_empty()).then_some(Form::Whole)
}
