//! The recipes of students and fine-tuned teachers: defaults by kind of base, and what a config makes of them.

use super::Ledger;
use crate::config::raw_recipe::{
    CheckpointingEntry, FullTable, LoraTable, MethodEntry, MethodName, MethodTable, Recipe, TargetsEntry,
};
use crate::record::{Finetune, LayerRange, LayerTargets, Lora, Method, Schedule};

/// Defaults of a fine-tuning, with where they come from.
struct Defaults {
    recipe: Finetune,
    why: &'static str,
}

/// The recipe of a student whose config says nothing.
pub fn student(builtin: bool) -> Finetune {
    student_defaults(builtin).recipe
}

/// The recipe of a fine-tuned teacher whose config says nothing.
pub fn teacher(builtin: bool) -> Finetune {
    teacher_defaults(builtin).recipe
}

fn student_defaults(builtin: bool) -> Defaults {
    if builtin {
        let recipe = Finetune {
            method: Method::Full { freeze_embeddings: true },
            epochs: 1,
            max_steps: None,
            batch_size: 32,
            micro_batch: 32,
            gradient_checkpointing: None,
            learning_rate: 1.5e-3,
            schedule: Schedule::Linear,
            warmup_steps: 2,
            weight_decay: 0.0,
            betas: [0.9, 0.99],
            epsilon: 1e-8,
            clip_norm: 1.0,
            shuffle: true,
            length_power: 0.0,
            checkpoint_every: 0,
            checkpoint_minutes: 10.0,
        };
        return Defaults { recipe, why: "suits the built-in family" };
    }
    let recipe = Finetune {
        method: Method::Lora(lora()),
        epochs: 3,
        max_steps: None,
        batch_size: 66,
        micro_batch: 22,
        gradient_checkpointing: None,
        learning_rate: 2e-4,
        schedule: Schedule::Linear,
        warmup_steps: 5,
        weight_decay: 0.0,
        betas: [0.9, 0.999],
        epsilon: 1e-8,
        clip_norm: 1.0,
        shuffle: true,
        length_power: 0.0,
        checkpoint_every: 50,
        checkpoint_minutes: 10.0,
    };
    Defaults { recipe, why: "the reference experiment's on Qwen2.5-7B" }
}

/// Short and weak: a teacher that is tuned too hard writes no lists any more.
fn teacher_defaults(builtin: bool) -> Defaults {
    let student = student(builtin);
    let recipe = Finetune {
        method: if builtin { Method::Full { freeze_embeddings: false } } else { student.method },
        epochs: 1,
        batch_size: 32,
        micro_batch: if builtin { 32 } else { 16 },
        learning_rate: if builtin { 5e-4 } else { 2e-4 },
        schedule: Schedule::Constant,
        warmup_steps: if builtin { 1 } else { 5 },
        checkpoint_every: 0,
        ..student
    };
    let why = if builtin { "keeps lists clean in the built-in family" } else { "a careful start; look at the gate" };
    Defaults { recipe, why }
}

/// The reference experiment's adapter.
fn lora() -> Lora {
    Lora { rank: 8, alpha: 8.0, rslora: false, dropout: 0.0, targets: LayerTargets::AllLinear, layers: None }
}

/// A student's recipe from `[finetune]`.
pub(super) fn of_student(typed: Recipe, builtin: bool, ledger: &mut Ledger<'_>) -> Finetune {
    resolve("finetune", typed, student_defaults(builtin), ledger)
}

/// A fine-tuned teacher's recipe from `[teacher]`.
pub(super) fn of_teacher(typed: Recipe, builtin: bool, ledger: &mut Ledger<'_>) -> Finetune {
    resolve("teacher", typed, teacher_defaults(builtin), ledger)
}

fn resolve(table: &str, typed: Recipe, defaults: Defaults, ledger: &mut Ledger<'_>) -> Finetune {
    let Defaults { recipe: default, why } = defaults;
    let key = |name: &str| format!("{table}.{name}");
    let method = method(&key("method"), typed.method, &default.method, why, ledger);
    let epochs = ledger.pick(&key("epochs"), typed.epochs, default.epochs, why);
    let max_steps = ledger.pick_optional(&key("max_steps"), typed.max_steps, "the epochs decide");
    let batch_size = ledger.pick(&key("batch_size"), typed.batch_size, default.batch_size, why);
    let fits = if default.micro_batch > batch_size { "one pass holds the whole batch" } else { why };
    let micro_batch = ledger.pick(&key("micro_batch"), typed.micro_batch, default.micro_batch.min(batch_size), fits);
    let gradient_checkpointing = gradient_checkpointing(&key("gradient_checkpointing"), typed.gradient_checkpointing, ledger);
    let recipe = Finetune {
        method,
        epochs,
        max_steps,
        batch_size,
        micro_batch,
        gradient_checkpointing,
        learning_rate: ledger.pick(&key("learning_rate"), typed.learning_rate, default.learning_rate, why),
        schedule: ledger.pick(&key("schedule"), typed.schedule, default.schedule, why),
        warmup_steps: ledger.pick(&key("warmup_steps"), typed.warmup_steps, default.warmup_steps, why),
        weight_decay: ledger.pick(&key("weight_decay"), typed.weight_decay, default.weight_decay, why),
        betas: ledger.pick(&key("betas"), typed.betas, default.betas, why),
        epsilon: ledger.pick(&key("epsilon"), typed.epsilon, default.epsilon, "AdamW's usual value"),
        clip_norm: ledger.pick(&key("clip_norm"), typed.clip_norm, default.clip_norm, why),
        shuffle: ledger.pick(&key("shuffle"), typed.shuffle, default.shuffle, "a new order for every epoch"),
        length_power: ledger.pick(&key("length_power"), typed.length_power, default.length_power, "the token mean"),
        checkpoint_every: ledger.pick(&key("checkpoint_every"), typed.checkpoint_every, default.checkpoint_every, why),
        checkpoint_minutes: ledger.pick(
            &key("checkpoint_minutes"),
            typed.checkpoint_minutes,
            default.checkpoint_minutes,
            "what a kill may cost",
        ),
    };
    contradictions(table, &recipe, ledger);
    recipe
}

fn contradictions(table: &str, recipe: &Finetune, ledger: &mut Ledger<'_>) {
    let key = |name: &str| format!("{table}.{name}");
    let (micro, batch) = (key("micro_batch"), key("batch_size"));
    if recipe.micro_batch > recipe.batch_size && ledger.sound(&[&micro, &batch]) {
        let message = format!("`{micro}` is {}, above `{batch}`, {}", recipe.micro_batch, recipe.batch_size);
        ledger.problem(&micro, message, Some("one step is split into passes of at most that many rows".to_owned()));
    }
    let (warmup, max) = (key("warmup_steps"), key("max_steps"));
    if let Some(most) = recipe.max_steps
        && recipe.warmup_steps >= most
        && ledger.typed(&warmup)
        && ledger.sound(&[&warmup, &max])
    {
        let message = format!("`{warmup}` is {}, but training ends after `{max}`, {most}", recipe.warmup_steps);
        ledger.problem(&warmup, message, Some("the learning rate would never reach its peak".to_owned()));
    }
}

/// The method; a method that was typed without parameters gets that method's own defaults.
fn method(key: &str, typed: Option<MethodEntry>, default: &Method, why: &str, ledger: &mut Ledger<'_>) -> Method {
    let of_name = |name| match name {
        MethodName::Lora => MethodTable::Lora(LoraTable::default()),
        MethodName::Full => MethodTable::Full(FullTable::default()),
    };
    let by_default = if matches!(default, Method::Lora(_)) { MethodName::Lora } else { MethodName::Full };
    let table = match typed {
        Some(MethodEntry::With(table)) => table,
        Some(MethodEntry::Name(name)) => of_name(name),
        None => of_name(by_default),
    };
    match table {
        MethodTable::Lora(table) => {
            ledger.note(key, &"lora", why);
            Method::Lora(adapter(&format!("{key}.lora"), table, ledger))
        }
        MethodTable::Full(table) => {
            ledger.note(key, &"full", why);
            let frozen = matches!(default, Method::Full { freeze_embeddings: true });
            let why = if frozen { why } else { "every weight learns" };
            let key = format!("{key}.full.freeze_embeddings");
            Method::Full { freeze_embeddings: ledger.pick(&key, table.freeze_embeddings, frozen, why) }
        }
    }
}

fn adapter(key: &str, table: LoraTable, ledger: &mut Ledger<'_>) -> Lora {
    let default = lora();
    let rank = ledger.pick(&format!("{key}.rank"), table.rank, default.rank, "the reference experiment's");
    let targets = table.targets.map(|entry| match entry {
        TargetsEntry::All(_) => LayerTargets::AllLinear,
        TargetsEntry::Named(names) => LayerTargets::Named(names.into_iter().map(|layer| layer.name().to_owned()).collect()),
    });
    let layers = ordered(&format!("{key}.layers"), table.layers, ledger);
    Lora {
        rank,
        alpha: ledger.pick(&format!("{key}.alpha"), table.alpha, rank as f64, "the rank, so that the scale is 1"),
        rslora: ledger.pick(&format!("{key}.rslora"), table.rslora, default.rslora, "the plain scale"),
        dropout: ledger.pick(&format!("{key}.dropout"), table.dropout, default.dropout, "the reference experiment's"),
        targets: ledger.pick(&format!("{key}.targets"), targets, default.targets, "the reference experiment's"),
        layers: ledger.pick_optional(&format!("{key}.layers"), layers, "every layer"),
    }
}

/// A range of layers must not end before it begins.
fn ordered(key: &str, layers: Option<LayerRange>, ledger: &mut Ledger<'_>) -> Option<LayerRange> {
    if let Some(LayerRange { first, last }) = layers
        && first > last
    {
        ledger.problem(key, format!("`{key}` is [{first}, {last}], expected the smaller number first"), None);
    }
    layers
}

/// `None` leaves it to the memory at hand.
fn gradient_checkpointing(key: &str, typed: Option<CheckpointingEntry>, ledger: &mut Ledger<'_>) -> Option<bool> {
    let choice = typed.and_then(CheckpointingEntry::choice);
    match choice {
        Some(on) => ledger.note(key, &on, "as typed"),
        None => ledger.note(key, &"auto", "on where training would not fit the memory at hand without it"),
    }
    choice
}
