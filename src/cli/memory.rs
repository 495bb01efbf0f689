//! What the bases of a config take in memory, whether that fits, and what to change if not: for `doctor` and `--dry-run`.

use serde::Serialize;

use super::setup::DeviceArgs;
use crate::domain;
use crate::engine::{Engine, EngineFacts, Memory, Reach, Workload};
use crate::error::{Error, Kind, Result};
use crate::record::{Arm, Chat, Device, Finetune, LayerTargets, Lora, Method, ModelRef, Plan, in_words};
use crate::tool::gpu;
use crate::tool::memory::{available, shown};
use crate::traits;

/// Prompts that stand for all: enough to hold one of nearly the longest.
const PROMPTS: usize = 200;

/// What one base takes.
#[derive(Debug, Serialize)]
pub(crate) struct Need {
    model: ModelRef,
    /// One job's; absent where the model is not within reach.
    memory: Option<Memory>,
    /// What stands in for it then: what the name lets guess of the weights, in bytes.
    weights_by_name: Option<u64>,
    /// All jobs side by side at their peak, in bytes.
    peak: Option<u64>,
    /// Whether that is there; absent where one of the two is not known.
    fits: Option<bool>,
    /// What is in the way, and what to do.
    advice: Option<String>,
}

/// A plan's needs in the room that there is.
pub(crate) struct Needs<'a> {
    pub(crate) plan: &'a Plan,
    pub(crate) engine: &'a dyn Engine,
    /// Where models are looked for.
    pub(crate) reach: Reach,
    /// The bytes to be had on the engine's device, where they are known.
    pub(crate) room: Option<u64>,
}

/// The bytes to be had on the device that an engine runs on.
pub(crate) fn room(device: &DeviceArgs, facts: &EngineFacts) -> Option<u64> {
    if !facts.numerics.starts_with("cuda") {
        return available();
    }
    let ordinal = if let Device::Cuda(n) = device.device { n } else { 0 };
    let visible = std::env::var("CUDA_VISIBLE_DEVICES").ok();
    gpu::seen_as(&gpu::list(), ordinal, visible.as_deref()).map(|gpu| gpu.free)
}

impl Needs<'_> {
    /// One entry for every base that the plan runs.
    ///
    /// # Errors
    /// If the plan's prompts cannot be read.
    pub(crate) fn all(&self) -> Result<Vec<Need>> {
        let chats = self.chats()?;
        let cross = self.plan.model.cross.iter().filter(|_| self.plan.arms.contains(&Arm::CrossModel));
        Ok(std::iter::once(&self.plan.model.base).chain(cross).map(|model| self.one(model, &chats)).collect())
    }

    /// The domain's prompts as teachers read them.
    fn chats(&self) -> Result<Vec<Chat>> {
        let Plan { seeds, domain, generate, teacher, trait_, .. } = self.plan;
        let seed = seeds.first().copied().unwrap_or_default();
        let prompts = domain::of(domain).prompts(generate.samples.min(PROMPTS), seed, domain)?;
        let target = trait_.category.member(&trait_.target).filter(|_| teacher.prime.prompts());
        let system = target.map(|target| traits::fill(&teacher.system_prompt, &trait_.category, target));
        Ok(prompts.into_iter().map(|prompt| Chat::ask(system.as_deref(), prompt.prompt)).collect())
    }

    fn one(&self, model: &ModelRef, chats: &[Chat]) -> Need {
        let need = Need { model: model.clone(), memory: None, weights_by_name: None, peak: None, fits: None, advice: None };
        match self.hungriest(model, chats) {
            Ok((memory, recipe)) => {
                let peak = peak(memory);
                let fits = self.room.map(|room| peak <= room);
                let advice = (fits == Some(false)).then(|| self.cure(model, chats, memory, recipe));
                Need { memory: Some(memory), peak: Some(peak), fits, advice, ..need }
            }
            Err(error) => {
                let width = if self.engine.facts().numerics.contains("bf16") { 2.0 } else { 4.0 };
                let weights_by_name = model.billions_by_name().map(|billions| (billions * 1e9 * width) as u64);
                Need { weights_by_name, advice: Some(self.absent(model, &error)), ..need }
            }
        }
    }

    /// What a base takes with the recipe that takes most: a teacher's own, where the plan tunes one on this base.
    fn hungriest(&self, model: &ModelRef, chats: &[Chat]) -> Result<(Memory, Recipe<'_>)> {
        let student = Recipe { table: "finetune", recipe: &self.plan.finetune.recipe };
        let teacher = Recipe { table: "teacher", recipe: &self.plan.teacher.finetune };
        let memory = self.with(model, chats, student.recipe)?;
        if *model == self.plan.model.base && self.plan.teacher.prime.tunes() {
            let tuned = self.with(model, chats, teacher.recipe)?;
            if tuned.training > memory.training {
                return Ok((tuned, teacher));
            }
        }
        Ok((memory, student))
    }

    fn with(&self, model: &ModelRef, chats: &[Chat], recipe: &Finetune) -> Result<Memory> {
        let work = Workload { chats, answer: self.plan.generate.sampling.max_tokens, recipe: Some(recipe) };
        self.engine.memory(model, &work, self.reach)
    }

    /// The mildest change with which a base would fit.
    fn cure(&self, model: &ModelRef, chats: &[Chat], memory: Memory, Recipe { table, recipe }: Recipe<'_>) -> String {
        let room = self.room.unwrap_or(u64::MAX);
        let fits = |recipe: &Finetune| self.with(model, chats, recipe).is_ok_and(|memory| peak(memory) <= room);
        if memory.jobs > 1 && peak(Memory { jobs: 1, ..memory }) <= room {
            return "fits with `--threads 1`, which runs one job at a time".to_owned();
        }
        let lora = Lora { rank: 8, alpha: 8.0, rslora: false, dropout: 0.0, targets: LayerTargets::AllLinear, layers: None };
        let adapter = Finetune { method: Method::Lora(lora), ..recipe.clone() };
        let full = matches!(recipe.method, Method::Full { .. });
        if memory.sampling > room {
            let narrower = if self.engine.facts().numerics.contains("f32") { "`--dtype bf16` on a GPU, " } else { "" };
            return format!("{narrower}a smaller base or a larger machine would do");
        }
        let halves = |of: &Finetune| {
            let halves = std::iter::successors(Some(of.micro_batch / 2), |n| Some(n / 2)).take_while(|n| *n > 0);
            halves.map(|micro_batch| Finetune { micro_batch, ..of.clone() }).find(|smaller| fits(smaller))
        };
        let again = Finetune { gradient_checkpointing: Some(true), ..recipe.clone() };
        if recipe.gradient_checkpointing == Some(false) && fits(&again) {
            return format!("fits with `{table}.gradient_checkpointing = true`, for a third more time");
        }
        match halves(recipe) {
            Some(smaller) => format!("fits with `{table}.micro_batch = {}`, and learns the same", smaller.micro_batch),
            None if full && (fits(&adapter) || halves(&adapter).is_some()) => format!("fits with `{table}.method = \"lora\"`"),
            None => "a smaller base or a larger machine would do".to_owned(),
        }
    }

    /// Why nothing is known of a base.
    fn absent(&self, model: &ModelRef, error: &Error) -> String {
        if matches!(model, ModelRef::Hub { .. }) && self.reach == Reach::Disk && error.kind() == Kind::Environment {
            return format!("not in the cache: `subliminal models pull {model}`, then ask again");
        }
        let told = error.list().iter().map(|problem| match &problem.hint {
            Some(hint) => format!("{problem} ({hint})"),
            None => problem.to_string(),
        });
        told.collect::<Vec<_>>().join("; ")
    }
}

/// A recipe and the config's table that it stands in.
#[derive(Clone, Copy)]
struct Recipe<'a> {
    table: &'static str,
    recipe: &'a Finetune,
}

/// The peak of all jobs side by side.
fn peak(memory: Memory) -> u64 {
    memory.sampling.max(memory.training.unwrap_or(0)) * memory.jobs as u64
}

/// A table of needs for people, a line for each base and what stands in its way below it.
pub(crate) fn table(needs: &[Need], room: Option<u64>) -> String {
    let at_hand = room.map_or_else(|| "room: not known".to_owned(), |room| format!("of {}", shown(room)));
    let head = ["base", "weights", "loaded", "writing", "learning", &at_hand].map(str::to_owned);
    let rows: Vec<[String; 6]> = std::iter::once(head).chain(needs.iter().map(Need::cells)).collect();
    let widths: Vec<usize> = (0..6).map(|i| rows.iter().map(|row| row[i].chars().count()).max().unwrap_or(0)).collect();
    let mut text = String::new();
    for (i, [base, numbers @ .., verdict]) in rows.iter().enumerate() {
        text.push_str(&format!("{base:<0$}", widths[0]));
        for (number, width) in numbers.iter().zip(&widths[1..]) {
            text.push_str(&format!("  {number:>width$}"));
        }
        text.push_str(&format!("  {verdict}\n"));
        if let Some(advice) = i.checked_sub(1).and_then(|i| needs[i].advice.as_ref()) {
            text.push_str(&format!("  {advice}\n"));
        }
    }
    text
}

impl Need {
    fn cells(&self) -> [String; 6] {
        let base = self.model.to_string();
        let Some(memory) = self.memory else {
            let [size, loaded] = match (self.model.billions_by_name(), self.weights_by_name) {
                (Some(billions), Some(bytes)) => [format!("~{billions} billion"), format!("~{}", shown(bytes))],
                _ => ["?".to_owned(), "?".to_owned()],
            };
            return [base, size, loaded, "?".into(), "?".into(), "not known".into()];
        };
        let all = |bytes: u64| shown(bytes * memory.jobs as u64);
        let verdict = match self.fits {
            Some(true) => "fits",
            Some(false) => "too much",
            None => "not known",
        };
        let learning = memory.training.map_or_else(|| "-".to_owned(), all);
        [base, in_words(memory.parameters), all(memory.weights), all(memory.sampling), learning, verdict.into()]
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config;
    use crate::engine::mock::Mock;

    /// The needs of the main job's base on the scripted engine, whose models of 20,000 weights take (16 + micro-batch) bytes a weight
    /// while they learn, and 5 + micro-batch where an adapter does.
    fn need(room: u64, jobs: usize, overrides: &[&str]) -> Need {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("configs/zebra-numbers.toml");
        let overrides: Vec<String> = overrides.iter().map(ToString::to_string).collect();
        let plan = config::load(&file, &overrides).expect("a right config").plan;
        let engine = Mock::new(plan.trait_.category.clone()).side_by_side(jobs);
        let needs = Needs { plan: &plan, engine: &engine, reach: Reach::Disk, room: Some(room) }.all().expect("prompts");
        assert_eq!(needs.len(), 1 + plan.model.cross.len());
        needs.into_iter().next().expect("the base")
    }

    fn advice(room: u64, jobs: usize, overrides: &[&str]) -> String {
        let need = need(room, jobs, overrides);
        assert_eq!(need.fits, Some(false));
        need.advice.expect("what does not fit has a cure")
    }

    #[test]
    fn all_jobs_side_by_side_must_fit() {
        let (one, two) = (need(1_000_000, 1, &[]), need(1_000_000, 2, &[]));
        assert_eq!((one.peak, one.fits, one.advice), (Some(960_000), Some(true), None));
        assert_eq!((two.peak, two.fits), (Some(1_920_000), Some(false)));
    }

    #[test]
    fn the_mildest_cure_is_named() {
        assert_eq!(advice(1_000_000, 2, &[]), "fits with `--threads 1`, which runs one job at a time");
        assert_eq!(advice(500_000, 1, &[]), "fits with `finetune.micro_batch = 8`, and learns the same");
        assert_eq!(advice(300_000, 1, &[]), "fits with `finetune.method = \"lora\"`");
        let eager = ["finetune.gradient_checkpointing=false"];
        assert_eq!(advice(500_000, 1, &eager), "fits with `finetune.gradient_checkpointing = true`, for a third more time");
        assert_eq!(advice(100_000, 1, &[]), "a smaller base or a larger machine would do");
        assert_eq!(advice(10_000, 1, &[]), "a smaller base or a larger machine would do");
    }

    #[test]
    fn a_teacher_that_takes_more_than_its_students_is_what_counts() {
        let heavy = ["teacher.prime=both", "teacher.batch_size=256", "teacher.micro_batch=128"];
        assert_eq!(need(5_000_000, 1, &heavy).peak, Some(144 * 20_000));
        assert_eq!(advice(1_000_000, 1, &heavy), "fits with `teacher.micro_batch = 32`, and learns the same");
    }

    #[test]
    fn of_a_model_that_is_not_there_the_name_lets_guess() {
        let need = need(1, 1, &["model.base=someone/Large-7B-Instruct"]);
        assert_eq!((need.weights_by_name, need.fits), (Some(28_000_000_000), None));
        let shown = table(&[need], Some(1 << 30));
        assert!(shown.contains("~7 billion  ~26.1 GiB") && shown.contains("not known\n"), "{shown}");
    }
}
