//! `[model]` and `arms`: which bases there are, and which arms can run on them.

use std::path::Path;

use serde_json::{Map, Value};

use super::Ledger;
use crate::builtin;
use crate::config::raw::ModelTable;
use crate::config::words::{all_of, nearest};
use crate::record::{Arm, Date, ModelPlan, ModelRef};

/// The base of a config that names none.
const DEFAULT: &str = "tiny-a";

/// Whether teacher and student start from a built-in model.
pub(super) fn is_builtin(model: &ModelPlan) -> bool {
    matches!(model.base, ModelRef::Builtin(_))
}

/// Bases and arms together: without another base, the default arms leave out the cross-model arm.
pub(super) fn resolve(table: ModelTable, typed_arms: Option<&[Arm]>, ledger: &mut Ledger<'_>) -> (ModelPlan, Vec<Arm>) {
    let typed_base = table.base.map(|text| model("model.base", &text, ledger));
    let base = typed_base.clone().unwrap_or_else(|| ModelRef::Builtin(DEFAULT.to_owned()));
    let cross = match table.cross {
        Some(texts) => texts.iter().enumerate().map(|(i, text)| model(&format!("model.cross[{i}]"), text, ledger)).collect(),
        None => other_builtins(&base),
    };
    let wanted = typed_arms.unwrap_or(&Arm::DEFAULT);
    let mut arms: Vec<Arm> = Arm::ALL.into_iter().filter(|arm| wanted.contains(arm)).collect();
    let mut why_arms = "the arms that every claim needs";
    if cross.is_empty() && typed_arms.is_none() {
        arms.retain(|arm| *arm != Arm::CrossModel);
        why_arms = "the arms that every claim needs; no cross-model arm, because `model.cross` names no other base";
    }
    ledger.note("arms", &arms, why_arms);
    ledger.note("model.base", &base, "");
    let why_cross = if is_builtin_ref(&base) {
        "the other built-in models that learnt the same"
    } else {
        "no other base is known to fit; name some"
    };
    ledger.note("model.cross", &cross, why_cross);
    let date = date(table.date.as_deref(), ledger);
    let template_options = options(table.template_options, ledger);
    contradictions(typed_base.as_ref(), &cross, &arms, ledger);
    (ModelPlan { base, cross, date, template_options }, arms)
}

/// The day that templates see as today.
fn date(typed: Option<&str>, ledger: &mut Ledger<'_>) -> Date {
    const KEY: &str = "model.date";
    let read = typed.map(str::parse::<Date>);
    if let (Some(Err(_)), Some(text)) = (&read, typed) {
        let message = format!("`{KEY}` is `{text}`, which is no day of the calendar");
        ledger.problem(KEY, message, Some(format!("write year, month and day: {KEY} = \"{}\"", Date::USUAL)));
    }
    ledger.pick(KEY, read.and_then(Result::ok), Date::USUAL, "the day that Llama 3's template falls back to")
}

/// What the template already has a value for.
const RESERVED: [&str; 7] =
    ["messages", "tools", "documents", "add_generation_prompt", "continue_final_message", "strftime_now", "raise_exception"];

fn options(typed: Option<Map<String, Value>>, ledger: &mut Ledger<'_>) -> Map<String, Value> {
    const KEY: &str = "model.template_options";
    let options = ledger.pick(KEY, typed, Map::new(), "the templates' own defaults");
    for name in options.keys().filter(|name| RESERVED.contains(&name.as_str())) {
        let key = format!("{KEY}.{name}");
        ledger.problem(&key, format!("`{key}` is not an option: every chat template gets its own `{name}`"), None);
    }
    options
}

fn is_builtin_ref(model: &ModelRef) -> bool {
    matches!(model, ModelRef::Builtin(_))
}

fn other_builtins(base: &ModelRef) -> Vec<ModelRef> {
    match base {
        ModelRef::Builtin(name) => {
            builtin::relatives(name).into_iter().map(|other| ModelRef::Builtin(other.to_owned())).collect()
        }
        _ => Vec::new(),
    }
}

/// A model by its name; a wrong one is noted and returned as typed.
pub(super) fn model(key: &str, text: &str, ledger: &mut Ledger<'_>) -> ModelRef {
    if let Some(name) = text.strip_prefix("builtin:") {
        if builtin::find(name).is_none() {
            let known = format!("the built-in models are {}", all_of(builtin::names()));
            let hint = nearest(name, builtin::names())
                .map_or(known.clone(), |similar| format!("did you mean `builtin:{similar}`? {known}"));
            ledger.problem(key, format!("`{key}` is `{text}`, which is not built in"), Some(hint));
        }
        return ModelRef::Builtin(name.to_owned());
    }
    let beside = ledger.path(key, text);
    if beside.join("config.json").is_file() {
        return ModelRef::Folder(beside);
    }
    match text.parse() {
        Ok(ModelRef::Folder(_)) => {
            no_folder(key, text, &beside, ledger);
            ModelRef::Folder(beside)
        }
        Ok(model) => model,
        Err(message) => {
            ledger.problem(key, format!("`{key}`: {message}"), None);
            ModelRef::Folder(beside)
        }
    }
}

fn no_folder(key: &str, text: &str, looked: &Path, ledger: &mut Ledger<'_>) {
    let bare = text.rsplit([':', '/']).next().unwrap_or(text);
    let hint = match nearest(bare, builtin::names()) {
        Some(similar) => format!("did you mean `builtin:{similar}`?"),
        None if looked.is_dir() => "the folder is there, but holds no `config.json`".to_owned(),
        None => "expected `builtin:NAME`, a folder with `config.json`, or a Hub id such as `Qwen/Qwen2.5-7B-Instruct`".to_owned(),
    };
    ledger.problem(key, format!("`{key}` is `{text}`, which is no model folder"), Some(hint));
}

fn contradictions(base: Option<&ModelRef>, cross: &[ModelRef], arms: &[Arm], ledger: &mut Ledger<'_>) {
    let wants_cross = arms.contains(&Arm::CrossModel);
    if wants_cross && cross.is_empty() && ledger.sound(&["model.cross", "model.base"]) {
        let hint = Some("name bases of other families in `model.cross`, or leave the arm out".to_owned());
        ledger.problem("arms", "`arms` has `cross-model`, but `model.cross` names no base", hint);
    }
    if let Some(i) = cross.iter().position(|model| Some(model) == base) {
        let hint = Some("the cross-model arm needs another family than the teacher's".to_owned());
        ledger.problem(&format!("model.cross[{i}]"), format!("`model.cross` holds `model.base` itself, `{}`", cross[i]), hint);
    }
    if !wants_cross {
        ledger.no_effect("model.cross", "`cross-model` is not among the arms");
    }
}
