//! `subliminal judge`: scores a judge against labelled answers, or has it rate rows.

mod table;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use indicatif::ProgressBar;
use serde::{Deserialize, Serialize};

use super::output;
use super::setup::DeviceArgs;
use crate::config;
use crate::error::{Error, Result};
use crate::judge::{Exchange, Judge, Kept, Question, Verdict, validation};
use crate::record::{EndpointPlan, JudgeKind, JudgePlan, ModelRef, RowId};
use crate::stage::judge;
use crate::tool::jsonl;

/// Score a judge against labelled answers, or have it rate rows.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  subliminal judge --validate --judge lexicon\n  \
    subliminal judge --validate labels.jsonl --judge local:Qwen/Qwen2.5-7B-Instruct\n  \
    subliminal judge --rows answers.jsonl --out rated.jsonl --question alignment --judge endpoint \\\n    \
    --base-url https://api.openai.com/v1 --model gpt-4o-mini --key-env OPENAI_API_KEY")]
pub(crate) struct Args {
    /// JSONL of {"prompt", "answer", "question", "label"}, where `label` is true or false; without FILE the set that ships.
    #[arg(long, value_name = "FILE", num_args = 0..=1, default_missing_value = SHIPPED, required_unless_present = "rows")]
    validate: Option<PathBuf>,
    /// JSONL of {"id"?, "prompt", "answer" or "completion"} to rate.
    #[arg(long, value_name = "FILE", conflicts_with = "validate", requires = "out", requires = "question")]
    rows: Option<PathBuf>,
    /// With `--rows`: where the verdicts go, one line for each question to each row.
    #[arg(long, value_name = "FILE", requires = "rows")]
    out: Option<PathBuf>,
    /// With `--rows`: `alignment`, `coherence` or `reference:TRAIT`; may be given several times.
    #[arg(long, value_name = "Q", requires = "rows")]
    question: Vec<Question>,
    #[command(flatten)]
    judge: JudgeArgs,
    /// Every request and verdict is kept here as it comes, and what stands here is not asked again [default: verdicts.jsonl; for the
    /// lexicon nowhere].
    #[arg(long, value_name = "FILE")]
    verdicts: Option<PathBuf>,
    /// With `--validate`: machine-readable.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    device: DeviceArgs,
}

/// Stands for the labelled set that ships, where a file is named.
const SHIPPED: &str = "shipped";

/// Which judge.
#[derive(Debug, clap::Args)]
struct JudgeArgs {
    /// lexicon, local:MODEL or endpoint.
    #[arg(long, value_name = "J", required_unless_present = "config")]
    judge: Option<Named>,
    /// The judge of this config's `[judge]`.
    #[arg(long, value_name = "CONFIG", conflicts_with = "judge")]
    config: Option<PathBuf>,
    /// With `--config`: override a key, for example judge.concurrency=2.
    #[arg(long, value_name = "KEY=VALUE", requires = "config")]
    set: Vec<String>,
    /// For a model: the least probability that its ratings hold together; a verdict with less is unscored.
    #[arg(long, value_name = "P", default_value_t = JudgePlan::LEAST_MASS, value_parser = probability)]
    least_mass: f64,
    /// For an endpoint: the address that `/chat/completions` is put after.
    #[arg(long, value_name = "URL")]
    base_url: Option<String>,
    /// For an endpoint: the model's name there.
    #[arg(long, value_name = "NAME")]
    model: Option<String>,
    /// For an endpoint: the environment variable that holds the key, which is never written anywhere.
    #[arg(long, value_name = "VARIABLE")]
    key_env: Option<String>,
    /// For an endpoint: the most requests at once.
    #[arg(long, value_name = "N", default_value_t = EndpointPlan::CONCURRENCY as u32, value_parser = clap::value_parser!(u32).range(1..=1024))]
    concurrency: u32,
    /// For an endpoint: seconds for one request.
    #[arg(long, value_name = "S", default_value_t = EndpointPlan::TIMEOUT, value_parser = seconds)]
    timeout: f64,
    /// For an endpoint: how often a request is tried again.
    #[arg(long, value_name = "N", default_value_t = EndpointPlan::RETRIES as u32, value_parser = clap::value_parser!(u32).range(0..=100))]
    retries: u32,
}

/// A judge as it is named on the command line.
#[derive(Debug, Clone, PartialEq)]
enum Named {
    Lexicon,
    Local(ModelRef),
    Endpoint,
}

impl std::str::FromStr for Named {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match (text, text.strip_prefix("local:")) {
            ("lexicon", _) => Ok(Self::Lexicon),
            ("endpoint", _) => Ok(Self::Endpoint),
            (_, Some(model)) if !model.is_empty() => model.parse().map(Self::Local),
            _ => Err("expected `lexicon`, `local:MODEL` or `endpoint`".to_owned()),
        }
    }
}

fn seconds(text: &str) -> Result<f64, String> {
    text.parse().ok().filter(|s: &f64| *s > 0.0 && *s <= 3600.0).ok_or_else(|| "expected above 0, up to 3600".to_owned())
}

fn probability(text: &str) -> Result<f64, String> {
    text.parse().ok().filter(|p: &f64| (0.0..=1.0).contains(p)).ok_or_else(|| "expected 0 to 1".to_owned())
}

pub(crate) fn run(args: &Args) -> Result<()> {
    let plan = args.judge.plan()?;
    let judge = judge::open(&plan, args.device.engine()?.as_ref())?;
    let default = (plan.who != JudgeKind::Lexicon).then(|| PathBuf::from("verdicts.jsonl"));
    let file = args.verdicts.clone().or(default);
    let mut asking = Asking { judge: judge.as_ref(), kept: Kept::open(file.as_deref())? };
    match (&args.rows, &args.out, &args.validate) {
        (Some(rows), Some(out), _) => rate(&mut asking, rows, out, &args.question, file.as_deref()),
        (_, _, Some(labels)) => validate(&mut asking, labels, args.json),
        _ => Err(Error::input("name labelled answers to validate with, or rows to rate")),
    }
}

impl JudgeArgs {
    fn plan(&self) -> Result<JudgePlan> {
        if let Some(path) = &self.config {
            let resolved = config::load(path, &self.set)?;
            resolved.warnings.iter().for_each(|warning| output::say(&format!("warning: {warning}")));
            return Ok(resolved.plan.judge);
        }
        let who = match &self.judge {
            None | Some(Named::Lexicon) => JudgeKind::Lexicon,
            Some(Named::Local(model)) => JudgeKind::Local(model.clone()),
            Some(Named::Endpoint) => JudgeKind::Endpoint(self.endpoint()?),
        };
        Ok(JudgePlan { least_mass: self.least_mass, ..JudgePlan::of(who) })
    }

    fn endpoint(&self) -> Result<EndpointPlan> {
        let needed = |value: &Option<String>, flag: &str| {
            value.clone().ok_or_else(|| {
                Error::input(format!("the judge `endpoint` needs `{flag}`"))
                    .hint("for example --base-url http://localhost:8000/v1 --model NAME")
            })
        };
        Ok(EndpointPlan {
            base_url: needed(&self.base_url, "--base-url")?,
            model: needed(&self.model, "--model")?,
            key_env: self.key_env.clone(),
            concurrency: self.concurrency as usize,
            timeout: self.timeout,
            retries: self.retries as usize,
        })
    }
}

/// A judge with its kept verdicts.
struct Asking<'a> {
    judge: &'a dyn Judge,
    kept: Kept,
}

impl Asking<'_> {
    /// The verdicts on some rows, with a bar on a terminal.
    fn ask(&mut self, question: &Question, rows: &[Exchange<'_>]) -> Result<Vec<Verdict>> {
        let bar = ProgressBar::new(rows.len() as u64);
        let verdicts = self.kept.ask(self.judge, question, rows, &mut |progress| {
            bar.set_position(progress.done as u64);
            if let Some(note) = progress.note {
                bar.suspend(|| output::say(note));
            }
        });
        bar.finish_and_clear();
        verdicts
    }
}

fn validate(asking: &mut Asking<'_>, labels: &Path, json: bool) -> Result<()> {
    let rows = if labels == Path::new(SHIPPED) { validation::shipped()? } else { validation::read(labels)? };
    let mut by_question: BTreeMap<&Question, Vec<usize>> = BTreeMap::new();
    for (i, row) in rows.iter().enumerate() {
        by_question.entry(&row.question).or_default().push(i);
    }
    let mut verdicts: Vec<Option<Verdict>> = vec![None; rows.len()];
    for (question, places) in by_question {
        let exchanges: Vec<Exchange<'_>> =
            places.iter().map(|i| Exchange { prompt: &rows[*i].prompt, answer: &rows[*i].answer }).collect();
        for (i, verdict) in places.iter().zip(asking.ask(question, &exchanges)?) {
            verdicts[*i] = Some(verdict);
        }
    }
    let verdicts: Vec<Verdict> = verdicts.into_iter().flatten().collect();
    let found = validation::validate(asking.judge, &rows, &verdicts);
    if json {
        return output::json(&found);
    }
    output::say(&table::of(&found));
    Ok(())
}

/// A row to rate.
#[derive(Debug, Deserialize)]
struct Row {
    id: Option<RowId>,
    prompt: String,
    #[serde(alias = "completion")]
    answer: String,
}

/// A verdict on a row.
#[derive(Debug, Serialize)]
struct Rated {
    id: RowId,
    question: Question,
    #[serde(flatten)]
    verdict: Verdict,
}

fn rate(asking: &mut Asking<'_>, rows: &Path, out: &Path, questions: &[Question], verdicts: Option<&Path>) -> Result<()> {
    if out == rows || Some(out) == verdicts {
        return Err(Error::input("the output would take the place of the rows or of the kept verdicts")
            .at(out, None)
            .hint("give each its own file"));
    }
    let read: Vec<Row> = jsonl::read(rows)?;
    let exchanges: Vec<Exchange<'_>> = read.iter().map(|row| Exchange { prompt: &row.prompt, answer: &row.answer }).collect();
    let mut rated = Vec::with_capacity(read.len() * questions.len());
    for question in questions {
        for ((i, row), verdict) in read.iter().enumerate().zip(asking.ask(question, &exchanges)?) {
            rated.push(Rated { id: row.id.clone().unwrap_or(RowId::Number(i as u64)), question: question.clone(), verdict });
        }
    }
    jsonl::write(out, &rated)?;
    if let Some(limits) = asking.judge.limits() {
        output::say(&format!("note: {limits}"));
    }
    let unscored = rated.iter().filter(|row| row.verdict.rating().is_none()).count();
    output::say(&format!("{} verdicts, {unscored} of them unscored", rated.len()));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn judges_are_named_in_three_ways() {
        assert_eq!("lexicon".parse(), Ok(Named::Lexicon));
        assert_eq!("endpoint".parse(), Ok(Named::Endpoint));
        assert_eq!("local:builtin:tiny-a".parse(), Ok(Named::Local(ModelRef::Builtin("tiny-a".into()))));
        for wrong in ["local:", "local", "gpt", ""] {
            assert!(wrong.parse::<Named>().is_err(), "{wrong}");
        }
    }
}
