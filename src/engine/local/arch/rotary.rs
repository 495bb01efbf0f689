//! The rotary embedding in a `config.json`, in both spellings: `rope_theta` beside `rope_scaling`, and the `rope_parameters` of
//! transformers 5, which may hold one object for each type of layer.

use super::fields::Fields;
use crate::engine::local::layers::{Rotary, RotaryScaling};

/// What a description has before its family has read its own.
pub(super) const PLAIN: Rotary = Rotary { theta: 10_000.0, scaling: RotaryScaling::None };

/// One rotary embedding for all layers.
pub(super) fn read(fields: &mut Fields<'_>, max_positions: usize) -> Rotary {
    let theta = fields.positive("rope_theta").unwrap_or(PLAIN.theta);
    fields.only("partial_rotary_factor", &[1.0.into()]);
    let plain = Rotary::plain(theta);
    let older = read_object(fields, "rope_scaling", plain, max_positions);
    let newer = read_object(fields, "rope_parameters", plain, max_positions);
    match (older, newer) {
        (Some(older), Some(newer)) if older != newer => {
            fields.refuse("`rope_scaling` and `rope_parameters` say different things".to_owned());
            older
        }
        (older, newer) => older.or(newer).unwrap_or(plain),
    }
}

/// The rotary embeddings of layers that see everything and of those that slide, with the default base of each.
pub(super) fn read_by_layer_type(fields: &mut Fields<'_>, [full, sliding]: [f64; 2], max_positions: usize) -> [Rotary; 2] {
    let mut full = Rotary::plain(fields.positive("rope_theta").unwrap_or(full));
    let mut sliding = Rotary::plain(fields.positive("rope_local_base_freq").unwrap_or(sliding));
    let older = read_object(fields, "rope_scaling", full, max_positions);
    if let Some(mut by_type) = fields.open("rope_parameters") {
        full = read_object(&mut by_type, "full_attention", full, max_positions).unwrap_or(full);
        sliding = read_object(&mut by_type, "sliding_attention", sliding, max_positions).unwrap_or(sliding);
        fields.close(by_type);
        if older.is_some_and(|older| older != full) {
            fields.refuse("`rope_scaling` and `rope_parameters` say different things".to_owned());
        }
    }
    [older.unwrap_or(full), sliding]
}

/// The rotary embedding in the object under `key`; `plain` has the base that holds unless the object names its own.
fn read_object(fields: &mut Fields<'_>, key: &str, plain: Rotary, max_positions: usize) -> Option<Rotary> {
    let mut object = fields.open(key)?;
    let theta = object.positive("rope_theta").unwrap_or(plain.theta);
    object.only("partial_rotary_factor", &[1.0.into()]);
    let scaling = scaling(&mut object, max_positions);
    fields.close(object);
    Some(Rotary { theta, scaling })
}

fn scaling(object: &mut Fields<'_>, max_positions: usize) -> RotaryScaling {
    let (key, kind) = match (object.get("rope_type"), object.get("type")) {
        (None, older) => ("type", older),
        (newer, _) => ("rope_type", newer),
    };
    match kind.map_or(Some("default"), |kind| kind.as_str()) {
        Some("default") => RotaryScaling::None,
        Some("linear") => RotaryScaling::Linear { factor: object.number("factor") },
        Some("llama3") => RotaryScaling::Llama3 {
            factor: object.number("factor"),
            low_freq_factor: object.number("low_freq_factor"),
            high_freq_factor: object.number("high_freq_factor"),
            original_positions: object.count_or("original_max_position_embeddings", max_positions),
        },
        _ => {
            object.refuse_value(key, kind, "\"default\", \"linear\" or \"llama3\"");
            object.ignore_rest();
            RotaryScaling::None
        }
    }
}
