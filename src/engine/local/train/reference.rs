//! Numbers by PyTorch and transformers, which `tests/fixtures/training.py` makes.

use serde_json::Value;

/// All of them.
pub(super) fn numbers() -> Value {
    serde_json::from_str(include_str!("../../../../tests/fixtures/training.json")).expect("JSON")
}

/// A list of numbers.
pub(super) fn list(value: &Value) -> Vec<f64> {
    value.as_array().expect("a list").iter().map(|v| v.as_f64().expect("a number")).collect()
}
