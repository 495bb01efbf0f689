//! The arguments of a method or filter, given by place or by name, as Python takes them.

use minijinja::value::{Kwargs, Rest, from_args};
use minijinja::{Error, ErrorKind, Value};

/// Arguments in the order of their places, and by name.
pub(super) struct Arguments {
    places: Vec<Value>,
    names: Kwargs,
}

impl Arguments {
    /// At most `most` arguments.
    ///
    /// # Errors
    /// If there are more.
    pub(super) fn new(args: &[Value], most: usize) -> Result<Self, Error> {
        let (places, names): (Rest<Value>, Kwargs) = from_args(args)?;
        let places = places.0;
        if places.len() > most {
            return Err(Error::from(ErrorKind::TooManyArguments));
        }
        Ok(Self { places, names })
    }

    /// The argument with this place and name, if it was given.
    pub(super) fn given(&self, place: usize, name: &str) -> Result<Option<Value>, Error> {
        let named = if self.names.has(name) { Some(self.names.get::<Value>(name)?) } else { None };
        Ok(self.places.get(place).cloned().or(named))
    }

    /// The argument with this place and name; `None` where it is absent or Python's `None`.
    pub(super) fn get(&self, place: usize, name: &str) -> Result<Option<Value>, Error> {
        Ok(self.given(place, name)?.filter(|value| !value.is_none()))
    }

    /// A text.
    pub(super) fn text(&self, place: usize, name: &str) -> Result<Option<String>, Error> {
        let text = |value: Value| match value.as_str() {
            Some(text) => Ok(text.to_owned()),
            None => Err(wrong(format!("`{name}` is of type {}, expected a text", value.kind()))),
        };
        self.get(place, name)?.map(text).transpose()
    }

    /// A text that must be there.
    pub(super) fn needed_text(&self, place: usize, name: &str) -> Result<String, Error> {
        self.text(place, name)?.ok_or_else(|| Error::new(ErrorKind::MissingArgument, format!("`{name}` is missing")))
    }

    /// An integer.
    pub(super) fn integer(&self, place: usize, name: &str) -> Result<Option<i64>, Error> {
        self.get(place, name)?.map(i64::try_from).transpose()
    }

    /// Whether something true was given.
    pub(super) fn flag(&self, place: usize, name: &str) -> Result<bool, Error> {
        Ok(self.get(place, name)?.is_some_and(|value| value.is_true()))
    }
}

/// A wrong operation.
pub(super) fn wrong(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::InvalidOperation, message.into())
}
