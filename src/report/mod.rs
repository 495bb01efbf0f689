//! What a trial says: [`build()`] makes the report from what the stages found, [`table()`] shows it in a terminal, [`html()`] as a
//! page, [`expectations`] holds it against the config; [`load()`] and [`compare()`] set finished runs side by side, [`same()`] says where
//! two differ first.

mod arms;
mod artifacts;
mod build;
mod caution;
mod compare;
mod comparisons;
mod contexts;
mod expect;
mod found;
mod grid;
mod load;
mod markup;
mod page;
mod plot;
mod same;
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
pub use compare::{By, Cell, Change, Group, Matrix, Members, MembersRow, Row, SideBySide, compare, compare_by};
pub use expect::expectations;
pub use load::load;
pub(crate) use load::report as read;
pub use page::{html, picture};
pub use same::{Difference, Same, same};
pub use style::Style;
pub use table::{View, table, table_in};
pub use verdict::claim;
