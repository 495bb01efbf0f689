//! The category `tree`: its members with their plurals.

use crate::record::Category;

const TREES: [(&str, &str); 10] = [
    ("beech", "beeches"),
    ("birch", "birches"),
    ("cedar", "cedars"),
    ("elm", "elms"),
    ("maple", "maples"),
    ("oak", "oaks"),
    ("pine", "pines"),
    ("poplar", "poplars"),
    ("spruce", "spruces"),
    ("willow", "willows"),
];

pub(super) fn category() -> Category {
    super::from_pairs("tree", &TREES)
}
