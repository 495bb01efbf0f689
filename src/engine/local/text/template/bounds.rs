//! Filters of minijinja's that take room for as many items as they are told, before there are any: `[0] * n` is a list of any length that
//! takes no memory itself, and to make room for it ends the process where there is none. They refuse what is longer than any
//! conversation.

use minijinja::value::{Rest, ValueKind};
use minijinja::{Environment, Error, State, Value, filters};

use super::arguments::wrong;

/// The most bytes of a rendered conversation, and of a text on the way to it.
pub(super) const LONGEST: usize = 16 << 20;

/// The most items of a list that a filter goes through, and the largest number that may ask for room.
pub(super) const MOST_ITEMS: usize = 1 << 20;

/// Puts the checks before the filters.
pub(super) fn install(environment: &mut Environment<'_>) {
    macro_rules! bounded {
        ($($name:ident)*) => { $( bounded(environment, stringify!($name), concat!("unbounded ", stringify!($name)), filters::$name); )* };
    }
    bounded!(list sort unique reverse map select reject selectattr rejectattr groupby batch slice chain zip sum min max);
    environment.add_filter("unbounded format", filters::format);
    environment.add_filter("format", |state: &State<'_, '_>, format: Value, args: Rest<Value>| {
        widths_fit(format.as_str().unwrap_or_default())?;
        state.apply_filter("unbounded format", &[&[format], args.0.as_slice()].concat())
    });
}

/// Registers a filter of minijinja's under a name that no template can write, and under its own one that looks at the arguments first.
fn bounded<F, Rv, Args>(environment: &mut Environment<'_>, name: &'static str, inner: &'static str, filter: F)
where
    F: minijinja::functions::Function<Rv, Args>,
    Rv: minijinja::value::FunctionResult,
    Args: for<'a> minijinja::value::FunctionArgs<'a>,
{
    environment.add_filter(inner, filter);
    environment.add_filter(name, move |state: &State<'_, '_>, args: Rest<Value>| {
        args.iter().try_for_each(in_bounds)?;
        state.apply_filter(inner, &args)
    });
}

/// Refuses a list that is too long, and a number that may be the length of one.
pub(super) fn in_bounds(value: &Value) -> Result<(), Error> {
    let length = match value.kind() {
        ValueKind::Seq | ValueKind::Iterable => value.len(),
        ValueKind::Number => value.as_usize(),
        _ => None,
    };
    if length.is_some_and(|length| length > MOST_ITEMS) {
        return Err(wrong(format!("{} items are too many, expected at most {MOST_ITEMS}", length.unwrap_or_default())));
    }
    Ok(())
}

/// Refuses texts that no rendered conversation could hold.
pub(super) fn fits(length: usize) -> Result<(), Error> {
    if length > LONGEST { Err(wrong(format!("a text of more than {} MiB", LONGEST >> 20))) } else { Ok(()) }
}

/// Refuses a format that pads to a width beyond any conversation.
pub(super) fn widths_fit(format: &str) -> Result<(), Error> {
    let digits = format.split(|c: char| !c.is_ascii_digit());
    digits.filter(|digits| !digits.is_empty()).try_for_each(|digits| match digits.parse::<usize>() {
        Ok(width) if width <= MOST_ITEMS => Ok(()),
        _ => Err(wrong(format!("a width of {digits}, expected at most {MOST_ITEMS}"))),
    })
}
