//! `strftime` as Python gives it in the C locale, always at midnight of one day.

use crate::record::Date;

const MONTHS: [&str; 12] =
    ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"];
const DAYS: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];

/// The day in a format. Directives that are not known stay as they are.
pub(super) fn format(day: Date, format: &str) -> String {
    let mut out = String::new();
    let mut chars = format.chars().peekable();
    while let Some(c) = chars.next() {
        if c != '%' {
            out.push(c);
            continue;
        }
        let flag = chars.next_if(|c| "-_0^#".contains(*c));
        match chars.next() {
            Some(directive) => out.push_str(&field(day, flag, directive)),
            None => out.extend(std::iter::once('%').chain(flag)),
        }
    }
    out
}

fn field(day: Date, flag: Option<char>, directive: char) -> String {
    let month = MONTHS[usize::from(day.month()) - 1];
    let weekday = DAYS[usize::from(day.weekday())];
    let number =
        |n: u16, width: usize, pad: char| padded(n, width, flag.map_or(pad, |flag| if flag == '^' { pad } else { flag }));
    let text = |text: &str| if flag == Some('^') { text.to_uppercase() } else { text.to_owned() };
    let inner = |format_: &str| format(day, format_);
    let since = |first: u8| (day.day_of_year() + 6 - u16::from((day.weekday() + 7 - first) % 7)) / 7;
    match directive {
        'Y' => day.year().to_string(),
        'C' => number(day.year() / 100, 2, '0'),
        'y' => number(day.year() % 100, 2, '0'),
        'G' => day.iso_week().0.to_string(),
        'g' => number(day.iso_week().0 % 100, 2, '0'),
        'V' => number(u16::from(day.iso_week().1), 2, '0'),
        'U' => number(since(6), 2, '0'),
        'W' => number(since(0), 2, '0'),
        'm' => number(u16::from(day.month()), 2, '0'),
        'B' => text(month),
        'b' | 'h' => text(&month[..3]),
        'd' => number(u16::from(day.day()), 2, '0'),
        'e' => number(u16::from(day.day()), 2, ' '),
        'j' => number(day.day_of_year(), 3, '0'),
        'A' => text(weekday),
        'a' => text(&weekday[..3]),
        'u' => (day.weekday() + 1).to_string(),
        'w' => ((day.weekday() + 1) % 7).to_string(),
        'H' | 'M' | 'S' => number(0, 2, '0'),
        'I' => number(12, 2, '0'),
        'k' => number(0, 2, ' '),
        'l' => number(12, 2, ' '),
        'p' => "AM".to_owned(),
        'P' => "am".to_owned(),
        'f' => "000000".to_owned(),
        'z' | 'Z' => String::new(),
        'D' | 'x' => inner("%m/%d/%y"),
        'F' => inner("%Y-%m-%d"),
        'R' => inner("%H:%M"),
        'T' | 'X' => inner("%H:%M:%S"),
        'r' => inner("%I:%M:%S %p"),
        'c' => inner("%a %b %e %H:%M:%S %Y"),
        'n' => "\n".to_owned(),
        't' => "\t".to_owned(),
        '%' => "%".to_owned(),
        other => std::iter::once('%').chain(flag).chain([other]).collect(),
    }
}

/// A number with at least so many digits; `-` pads with nothing, `_` with blanks.
fn padded(n: u16, width: usize, pad: char) -> String {
    match pad {
        '-' => n.to_string(),
        '_' | ' ' => format!("{n:>width$}"),
        _ => format!("{n:0>width$}"),
    }
}
