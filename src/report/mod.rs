//! What a trial says: [`build()`] makes the report from what the stages found, [`table()`] shows it in a terminal, [`html()`] as a
//! page, [`expectations`] holds it against the config; [`load()`] and [`compare()`] set finished runs side by side.

mod arms;
mod build;
mod caution;
mod compare;
mod compare_show;
mod comparisons;
mod contexts;
mod expect;
mod found;
mod grid;
mod html;
mod html_answers;
mod load;
mod plot;
mod style;
mod subject;
mod suites;
mod table;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
mod verdict;
mod wording;

pub use build::build;
pub use compare::{Cell, Matrix, Row, SideBySide, compare};
pub use expect::expectations;
pub use html::html;
pub use load::load;
pub(crate) use load::report as read;
pub use style::Style;
pub use table::{View, table, table_in};
pub use verdict::claim;
