//! A model behind an OpenAI-compatible server judges: several requests at once, each tried until it is understood, each verdict handed on as
//! it comes. Where the server shows the probabilities of its tokens the rating is their mean, else the number that it writes.

mod crew;
mod reply;

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::{Value, json};

use super::{Exchange, Judge, Question, Sink, Verdict, Wording};
use crate::error::{Error, Result};
use crate::record::EndpointPlan;
use crate::tool::hash;
use crate::tool::http::{Client, Failed, Key, Patience, Settings, Watch, address};
use crate::tool::streams;

/// The version in verdict keys: change it when the same reply gives another verdict than before.
const VERSION: &str = "endpoint 1";

/// Room for a rating or a label.
const MAX_TOKENS: usize = 16;
/// The most alternatives of a token that such servers show.
const ALTERNATIVES: usize = 20;

/// A judge behind a server.
pub struct Endpoint {
    plan: EndpointPlan,
    client: Client,
    wording: Wording,
    least_mass: f64,
    /// Cleared once the server has refused a request for probabilities and taken the same without.
    probabilities: AtomicBool,
}

impl Endpoint {
    /// All that the verdicts of a model depend on, wherever it is served.
    pub fn identity_of(model: &str, wording: &Wording, least_mass: f64, question: &Question) -> String {
        format!("{VERSION}, {model}, wording {}, mass {least_mass}", wording.mark(question))
    }

    /// Prepares a judge; the key is read from its environment variable, and nothing is asked yet.
    ///
    /// # Errors
    /// If the address is wrong, or the variable does not hold a key.
    pub fn open(plan: &EndpointPlan, wording: Wording, least_mass: f64) -> Result<Self> {
        Self::with_patience(plan, wording, least_mass, Patience::of(plan.retries))
    }

    fn with_patience(plan: &EndpointPlan, wording: Wording, least_mass: f64, patience: Patience) -> Result<Self> {
        let base = plan.base_url.trim_end_matches('/');
        let url =
            address(&format!("{base}/chat/completions")).map_err(|e| Error::input(format!("the judge's address is {e}")))?;
        let settings = Settings {
            url,
            key: plan.key_env.as_deref().map(Key::from_env).transpose()?,
            timeout: Duration::from_secs_f64(plan.timeout),
            connections: plan.concurrency,
            patience,
        };
        let client = Client::new(settings);
        Ok(Self { plan: plan.clone(), client, wording, least_mass, probabilities: AtomicBool::new(true) })
    }

    /// The verdict on one row.
    fn ask(&self, question: &Question, row: &Exchange<'_>, watch: Watch<'_>) -> Result<Verdict> {
        if self.probabilities.load(Ordering::Relaxed) {
            match self.post(question, row, watch, true) {
                Err(Failed { status: Some(400 | 422), error }) => {
                    // a server may know everything but probabilities: if it takes the plain request, that was it
                    let verdict = self.post(question, row, watch, false).map_err(|_| about(row, error))?;
                    self.probabilities.store(false, Ordering::Relaxed);
                    return Ok(verdict);
                }
                settled => return Ok(settled?),
            }
        }
        match self.post(question, row, watch, false) {
            Err(Failed { status: Some(400 | 413 | 422), error }) => Err(about(row, error)),
            settled => Ok(settled?),
        }
    }

    fn post(&self, question: &Question, row: &Exchange<'_>, watch: Watch<'_>, probabilities: bool) -> Result<Verdict, Failed> {
        let body = self.body(question, row, probabilities);
        let waits = streams::named(0, &format!("judge wait {}", hash::value(&body)), 0);
        let understand = |text: &str| understood(text, question, self.least_mass);
        let mut verdict = self.client.post(&body, waits, watch, understand)?.value;
        verdict.raw = self.client.hide(&verdict.raw);
        Ok(verdict)
    }

    fn body(&self, question: &Question, row: &Exchange<'_>, probabilities: bool) -> Value {
        let mut body = json!({
            "model": self.plan.model,
            "messages": [{"role": "user", "content": self.wording.ask(question, row)}],
            "temperature": 0,
            "max_tokens": MAX_TOKENS,
        });
        if probabilities {
            body["logprobs"] = true.into();
            body["top_logprobs"] = ALTERNATIVES.into();
        }
        body
    }
}

/// The verdict that a reply's body gives, once `least_mass` of the probability lies on ratings.
///
/// # Errors
/// What is wrong with it, for people.
pub(crate) fn understood(body: &str, question: &Question, least_mass: f64) -> Result<Verdict, String> {
    Ok(reply::read(body)?.verdict(question, least_mass))
}

/// A request that is refused for what it holds is known by its row: it may be too long for the model.
fn about(row: &Exchange<'_>, error: Error) -> Error {
    let start: String = row.answer.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(40).collect();
    error.context(format!("the answer that begins `{start}`"))
}

impl Judge for Endpoint {
    fn identity(&self, question: &Question) -> String {
        let EndpointPlan { model, base_url, .. } = &self.plan;
        Self::identity_of(&format!("{model} at {base_url}"), &self.wording, self.least_mass, question)
    }

    fn request(&self, question: &Question, row: &Exchange<'_>) -> Option<Value> {
        Some(self.body(question, row, self.probabilities.load(Ordering::Relaxed)))
    }

    fn judge(&self, question: &Question, rows: &[Exchange<'_>], sink: &mut Sink<'_>) -> Result<()> {
        crew::work(rows.len(), self.plan.concurrency, &|i, watch| self.ask(question, &rows[i], watch), sink)
    }
}

#[cfg(test)]
mod tests;
