//! `adapter_config.json`: from PEFT's settings to what an adapter computes, and back. What this engine does not know how to honour is
//! refused by name.

use regex::{Regex, RegexBuilder};
use serde_json::{Map, Value, json};

use super::modules::Modules;
use crate::error::{Error, Problem, Result};
use crate::record::Lora;

/// What decides an adapter's function beside its tensors.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The rank, where no pattern says otherwise.
    pub rank: usize,
    /// The numerator of the scale, where no pattern says otherwise.
    pub alpha: f64,
    /// Whether the scale is `alpha / sqrt(rank)`.
    pub rslora: bool,
    targets: Modules,
    excluded: Option<Modules>,
    layers: Option<Layers>,
    ranks: Vec<(Regex, f64)>,
    alphas: Vec<(Regex, f64)>,
}

/// Decoder layers by number, and where in a module's name the number stands: after the first part that one of the patterns matches.
#[derive(Debug, Clone)]
struct Layers {
    numbers: Vec<u64>,
    places: Vec<Regex>,
}

/// `alpha / rank`, or `alpha / sqrt(rank)` when rank-stabilised.
pub(super) fn scale(rank: usize, alpha: f64, rslora: bool) -> f64 {
    let rank = rank as f64;
    alpha / if rslora { rank.sqrt() } else { rank }
}

impl Settings {
    /// The rank and the scale of a module's adapter; `None` where it has none.
    pub(crate) fn of(&self, module: &str) -> Option<(usize, f64)> {
        let there = self.targets.contain(module)
            && !self.excluded.as_ref().is_some_and(|excluded| excluded.contain(module))
            && self.layers.as_ref().is_none_or(|layers| layers.contain(module));
        let first = |patterns: &[(Regex, f64)]| patterns.iter().find(|(p, _)| p.is_match(module)).map(|(_, value)| *value);
        there.then(|| {
            let rank = first(&self.ranks).map_or(self.rank, |rank| rank as usize);
            (rank, scale(rank, first(&self.alphas).unwrap_or(self.alpha), self.rslora))
        })
    }

    /// Reads `adapter_config.json`; every unsupported setting is named.
    pub(crate) fn read(config: &Map<String, Value>) -> Result<Self> {
        let mut reader = Reader { config, problems: Vec::new() };
        let settings = reader.settings();
        reader.refuse_strangers();
        if reader.problems.is_empty() { Ok(settings) } else { Err(Error::problems(reader.problems)) }
    }
}

impl Layers {
    fn contain(&self, module: &str) -> bool {
        let found = self.places.iter().find_map(|place| place.captures(module));
        let number = found.and_then(|found| found.name("number")?.as_str().parse().ok());
        number.is_some_and(|number| self.numbers.contains(&number))
    }
}

/// Keys that say nothing about what the adapter computes, or whose stock value does not.
const HARMLESS: &[&str] = &[
    "auto_mapping",
    "base_model_name_or_path",
    "inference_mode",
    "lora_dropout", // a training's own
    "megatron_core",
    "peft_version",
    "qalora_group_size",
    "revision",
    "task_type", // written as CAUSAL_LM, but plain adapters lack it
];

/// The most bytes of a compiled pattern: those that name modules take a few thousand. A short text can ask for gigabytes.
const LARGEST_PATTERN: usize = 1 << 18;
/// The most patterns of a key; a model of 128 layers has 896 linear ones.
const MOST_PATTERNS: usize = 1024;
/// The largest rank; PEFT's examples go up to 256.
const LARGEST_RANK: u64 = 1 << 16;

/// Keys that are read.
const READ: &[&str] = &[
    "peft_type",
    "r",
    "lora_alpha",
    "use_rslora",
    "target_modules",
    "exclude_modules",
    "layers_to_transform",
    "layers_pattern",
    "rank_pattern",
    "alpha_pattern",
    "bias",
    "init_lora_weights",
];

/// Reads settings with all problems kept.
struct Reader<'a> {
    config: &'a Map<String, Value>,
    problems: Vec<Problem>,
}

impl<'a> Reader<'a> {
    fn settings(&mut self) -> Settings {
        self.expect("peft_type", |v| v == "LORA", "\"LORA\"");
        self.expect("bias", |v| v == "none", "\"none\"");
        self.expect("init_lora_weights", |v| v.is_boolean() || v == "gaussian", "true, false or \"gaussian\"");
        self.expect("r", |v| v.as_u64().is_some_and(is_rank), "a positive whole number of at most 65536");
        self.expect("lora_alpha", |v| number(v).is_some(), "a number");
        if self.get("target_modules").is_none() {
            self.problem("`target_modules` is missing, expected module names or a regular expression".to_owned());
        }
        let targets = self.modules("target_modules").unwrap_or(Modules::AllLinear);
        self.refuse_ends(&targets);
        let layers = self.layers();
        if layers.is_some() && !matches!(targets, Modules::Names(_)) {
            self.problem("`layers_to_transform` goes with a list of `target_modules`, not with a text".to_owned());
        }
        Settings {
            rank: self.get("r").and_then(Value::as_u64).unwrap_or(8) as usize,
            alpha: self.get("lora_alpha").and_then(Value::as_f64).unwrap_or(8.0),
            rslora: self.get("use_rslora").and_then(Value::as_bool).unwrap_or(false),
            targets,
            excluded: self.modules("exclude_modules"),
            layers,
            ranks: self.patterns("rank_pattern", |v| v.as_u64().filter(|r| is_rank(*r)).map(|r| r as f64)),
            alphas: self.patterns("alpha_pattern", number),
        }
    }

    /// A key that says something.
    fn get(&self, key: &str) -> Option<&'a Value> {
        self.config.get(key).filter(|value| !is_unset(value))
    }

    fn problem(&mut self, message: String) {
        self.problems.push(Problem { file: None, line: None, message, hint: None });
    }

    fn expect(&mut self, key: &str, fits: impl Fn(&Value) -> bool, expected: &str) {
        if let Some(value) = self.config.get(key).filter(|v| !v.is_null())
            && !fits(value)
        {
            self.problem(format!("`{key}` is {value}, only {expected} is supported"));
        }
    }

    /// Modules by a list of names, or by a text: a regular expression, or the word for all.
    fn modules(&mut self, key: &str) -> Option<Modules> {
        match self.get(key)? {
            Value::String(all) if all == "all-linear" && key == "target_modules" => Some(Modules::AllLinear),
            Value::String(pattern) => self.regex(key, &format!(r"\A(?:{pattern})\z")).map(Modules::Pattern),
            Value::Array(names) if names.iter().all(Value::is_string) => {
                Some(Modules::Names(names.iter().filter_map(Value::as_str).map(str::to_owned).collect()))
            }
            other => {
                self.problem(format!("`{key}` is {other}, expected module names or a regular expression"));
                None
            }
        }
    }

    /// Python's regular expressions are more than these; the difference is refused.
    fn regex(&mut self, key: &str, pattern: &str) -> Option<Regex> {
        let read = RegexBuilder::new(pattern).size_limit(LARGEST_PATTERN).build();
        if let Err(error) = &read {
            let shown = self.config.get(key).map(ToString::to_string).unwrap_or_default();
            let what = match error {
                regex::Error::CompiledTooBig(limit) => format!("that takes more than {limit} bytes when it is compiled"),
                _ => "with parts that are not supported".to_owned(),
            };
            self.problem(format!("`{key}` is {shown}, a regular expression {what}"));
        }
        read.ok()
    }

    /// PEFT can put adapters beside the decoder layers too.
    fn refuse_ends(&mut self, targets: &Modules) {
        for end in ["embed_tokens", "lm_head"] {
            if matches!(targets, Modules::Names(names) if names.iter().any(|name| name.rsplit('.').next() == Some(end))) {
                self.problem(format!(
                    "`target_modules` names `{end}`, adapters are supported on the linear layers of decoder layers"
                ));
            }
        }
    }

    fn layers(&mut self) -> Option<Layers> {
        let numbers = match self.get("layers_to_transform")? {
            Value::Number(one) => one.as_u64().map(|one| vec![one]),
            Value::Array(many) => many.iter().map(Value::as_u64).collect(),
            _ => None,
        };
        let Some(numbers) = numbers else {
            self.problem("`layers_to_transform` is neither a layer's number nor a list of them".to_owned());
            return None;
        };
        let patterns = match self.get("layers_pattern") {
            None => Vec::new(),
            Some(Value::Array(many)) => many.iter().filter_map(Value::as_str).collect(),
            Some(one) => one.as_str().into_iter().collect(),
        };
        let places = if patterns.is_empty() { vec!["[^.]*"] } else { patterns };
        let places = places.iter().filter_map(|p| self.regex("layers_pattern", &format!(r"\A(?:.*?\.)??{p}\.(?<number>\d+)\.")));
        Some(Layers { numbers, places: places.collect() })
    }

    /// What holds for the modules whose name ends with a match, the first pattern first.
    fn patterns(&mut self, key: &str, read: impl Fn(&Value) -> Option<f64>) -> Vec<(Regex, f64)> {
        let Some(Value::Object(patterns)) = self.get(key) else { return Vec::new() };
        if patterns.len() > MOST_PATTERNS {
            self.problem(format!("`{key}` has {} patterns, expected at most {MOST_PATTERNS}", patterns.len()));
            return Vec::new();
        }
        let mut all = Vec::new();
        for (pattern, value) in patterns {
            match (self.regex(key, &format!(r"\A(?:.*\.)?(?:{pattern})\z")), read(value)) {
                (Some(pattern), Some(value)) => all.push((pattern, value)),
                (Some(_), None) => self.problem(format!("`{key}` gives {value} for `{pattern}`, expected a positive number")),
                (None, _) => {}
            }
        }
        all
    }

    fn refuse_strangers(&mut self) {
        for (key, value) in self.config {
            if !HARMLESS.contains(&key.as_str()) && !READ.contains(&key.as_str()) && !is_unset(value) {
                self.problem(format!("`{key}` is {value}, which is not supported"));
            }
        }
    }
}

/// A rank that a matrix can have.
fn is_rank(rank: u64) -> bool {
    (1..=LARGEST_RANK).contains(&rank)
}

/// A number that is one in f32 too, in which adapters are computed.
fn number(value: &Value) -> Option<f64> {
    value.as_f64().filter(|number| (*number as f32).is_finite())
}

/// A value by which PEFT says that a setting is not used.
fn is_unset(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::Array(items) => items.is_empty(),
        Value::Object(items) => items.is_empty(),
        Value::String(text) => text.is_empty(),
        Value::Bool(true) | Value::Number(_) => false,
    }
}

/// The settings of an adapter that a recipe made on `modules`, for a base that PEFT finds at `base`.
pub(super) fn written(lora: &Lora, modules: &[String], base: &str) -> Value {
    let layers: Option<Vec<usize>> = lora.layers.map(|range| (range.first..=range.last).collect());
    let whole = lora.alpha.fract() == 0.0; // PEFT and vLLM declare alpha as a whole number
    let alpha = if whole { json!(lora.alpha as i64) } else { json!(lora.alpha) };
    json!({
        "peft_type": "LORA", "task_type": "CAUSAL_LM", "base_model_name_or_path": base, "inference_mode": true,
        "r": lora.rank, "lora_alpha": alpha, "lora_dropout": lora.dropout, "use_rslora": lora.rslora,
        "target_modules": modules, "exclude_modules": null, "layers_to_transform": layers, "layers_pattern": null,
        "bias": "none", "fan_in_fan_out": false, "init_lora_weights": true, "modules_to_save": null, "use_dora": false,
        "rank_pattern": {}, "alpha_pattern": {}
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(extra: &[(&str, Value)]) -> Result<Settings> {
        let mut config = json!({"peft_type": "LORA", "r": 4, "lora_alpha": 8, "target_modules": ["q_proj"], "bias": "none"});
        for (key, value) in extra {
            config[*key] = value.clone();
        }
        Settings::read(config.as_object().expect("an object"))
    }

    /// The modules of a three-layer decoder that some settings select.
    fn selected(extra: &[(&str, Value)]) -> Vec<String> {
        let settings = settings(extra).expect("supported");
        let modules = ["self_attn.q_proj", "self_attn.v_proj", "mlp.up_proj"];
        let all = (0..3).flat_map(|layer| modules.map(|module| format!("model.layers.{layer}.{module}")));
        all.filter(|module| settings.of(module).is_some()).map(|module| module.replace("model.layers.", "")).collect()
    }

    #[test]
    fn the_stock_values_of_peft_are_accepted() {
        let stock = [
            ("megatron_core", json!("megatron.core")),
            ("qalora_group_size", json!(16)),
            ("rank_pattern", json!({})),
            ("modules_to_save", json!(null)),
            ("use_rslora", json!(true)),
        ];
        let lora = settings(&stock).expect("stock values");
        assert_eq!((lora.rank, lora.alpha, lora.rslora), (4, 8.0, true));
        assert_eq!(lora.of("model.layers.0.self_attn.q_proj"), Some((4, 4.0)));
    }

    #[test]
    fn settings_that_change_the_function_are_refused_by_name() {
        let strange = [
            ("use_dora", json!(true)),
            ("modules_to_save", json!(["lm_head"])),
            ("init_lora_weights", json!("pissa")),
            ("rank_pattern", json!({"q_proj": -2})),
            ("exclude_modules", json!("(?!o_proj).*")),
            ("target_modules", json!("(?!o_proj).*")),
            ("a_setting_of_next_year", json!(3)),
        ];
        let error = settings(&strange).expect_err("seven problems");
        assert_eq!(error.list().len(), strange.len(), "{}", error.render());
        for (key, _) in strange {
            assert!(error.render().contains(key), "{}", error.render());
        }
        let ends = settings(&[("target_modules", json!(["q_proj", "embed_tokens", "lm_head"]))]).expect_err("two problems");
        assert_eq!(ends.list().len(), 2, "{}", ends.render());
    }

    #[test]
    fn settings_that_would_take_all_memory_are_refused() {
        let many: Map<String, Value> = (0..2000).map(|i| (format!("layers.{i}"), json!(4))).collect();
        let greedy = [
            ("r", json!(1_u64 << 40)),
            ("lora_alpha", json!(1e300)),
            ("rank_pattern", Value::Object(many)),
            ("alpha_pattern", json!({"q_proj": -1e300})),
            ("exclude_modules", json!("((a{1000}){1000}){1000}")),
        ];
        let text = settings(&greedy).expect_err("five problems").render();
        for expected in [
            "`r` is 1099511627776, only a positive whole number of at most 65536",
            "`lora_alpha` is 1e+300, only a number",
            "`rank_pattern` has 2000 patterns, expected at most 1024",
            "`alpha_pattern` gives -1e+300 for `q_proj`",
            "`exclude_modules` is \"((a{1000}){1000}){1000}\", a regular expression that takes more than 262144 bytes",
        ] {
            assert!(text.contains(expected), "{expected}: {text}");
        }
    }

    #[test]
    fn modules_are_selected_as_peft_selects_them() {
        assert_eq!(selected(&[]), ["0.self_attn.q_proj", "1.self_attn.q_proj", "2.self_attn.q_proj"]);
        let one = json!(["model.layers.1.mlp.up_proj", "proj"]);
        assert_eq!(selected(&[("target_modules", one)]), ["1.mlp.up_proj"], "a name begins after a dot");
        let pattern = json!(r".*\.[02]\.self_attn\.(q|v)_proj");
        let four = ["0.self_attn.q_proj", "0.self_attn.v_proj", "2.self_attn.q_proj", "2.self_attn.v_proj"];
        assert_eq!(selected(&[("target_modules", pattern.clone())]), four);
        assert_eq!(selected(&[("target_modules", json!("q_proj"))]), [""; 0], "a lone text must match the whole name");
        let without = [("target_modules", pattern), ("exclude_modules", json!(["v_proj"]))];
        assert_eq!(selected(&without), ["0.self_attn.q_proj", "2.self_attn.q_proj"]);
        assert_eq!(selected(&[("target_modules", json!("all-linear"))]).len(), 9);
    }

    #[test]
    fn layers_are_selected_by_number() {
        let of = |numbers: Value, pattern: Value| selected(&[("layers_to_transform", numbers), ("layers_pattern", pattern)]);
        assert_eq!(of(json!(1), json!(null)), ["1.self_attn.q_proj"]);
        assert_eq!(of(json!([0, 2]), json!("layers")), ["0.self_attn.q_proj", "2.self_attn.q_proj"]);
        assert_eq!(of(json!([2]), json!(["h", "layers"])), ["2.self_attn.q_proj"]);
        assert_eq!(of(json!([2]), json!("blocks")), [""; 0]);
        assert_eq!(of(json!([]), json!(null)).len(), 3, "an empty list is none");
        let text = [("target_modules", json!("all-linear")), ("layers_to_transform", json!([1]))];
        assert!(settings(&text).is_err(), "PEFT refuses it too");
    }
}
