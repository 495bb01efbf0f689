//! How a problem is solved, step by step: each operation gives its result and is noted as an equation. The last result is the answer.

use super::super::number::Number;

/// The steps so far.
#[derive(Debug, Default)]
pub(super) struct Work {
    steps: Vec<(String, Number)>,
}

/// What is done with a term.
#[derive(Debug, Clone, Copy)]
pub(super) enum Sign {
    Plus,
    Minus,
}

impl Work {
    pub(super) fn plus(&mut self, a: impl Into<Number>, b: impl Into<Number>) -> Number {
        let (a, b) = (a.into(), b.into());
        self.note(&format!("{a} + {b}"), a + b)
    }

    pub(super) fn minus(&mut self, a: impl Into<Number>, b: impl Into<Number>) -> Number {
        let (a, b) = (a.into(), b.into());
        self.note(&format!("{a} - {b}"), a - b)
    }

    pub(super) fn times(&mut self, a: impl Into<Number>, b: impl Into<Number>) -> Number {
        let (a, b) = (a.into(), b.into());
        self.note(&format!("{a} * {b}"), a * b)
    }

    /// Division is written `:`, since `/` is the stroke of fractions.
    pub(super) fn over(&mut self, a: impl Into<Number>, b: impl Into<Number>) -> Number {
        let (a, b) = (a.into(), b.into());
        self.note(&format!("{a} : {b}"), a / b)
    }

    /// `share` percent of `whole`.
    pub(super) fn percent(&mut self, share: i64, whole: impl Into<Number>) -> Number {
        let whole = whole.into();
        self.note(&format!("{share}% of {whole}"), Number::from(share) * whole / Number::from(100))
    }

    /// What is left of the integer `a` after as many whole `b` as fit.
    pub(super) fn remainder(&mut self, a: Number, b: i64) -> Number {
        self.note(&format!("{a} mod {b}"), Number::from(a.whole() as i64 % b))
    }

    pub(super) fn sum(&mut self, terms: &[Number]) -> Number {
        let text: Vec<String> = terms.iter().map(Number::to_string).collect();
        self.note(&text.join(" + "), terms.iter().fold(Number::from(0), |sum, term| sum + *term))
    }

    /// Terms added and taken away in one step.
    pub(super) fn chain(&mut self, first: i64, terms: &[(Sign, i64)]) -> Number {
        let mut text = first.to_string();
        let mut result = first;
        for (sign, term) in terms {
            match sign {
                Sign::Plus => (text, result) = (format!("{text} + {term}"), result + term),
                Sign::Minus => (text, result) = (format!("{text} - {term}"), result - term),
            }
        }
        self.note(&text, result.into())
    }

    fn note(&mut self, left: &str, result: Number) -> Number {
        self.steps.push((format!("{left} = {result}"), result));
        result
    }

    /// The steps as text, and the last one's result.
    pub(super) fn finish(self) -> (Vec<String>, String) {
        let answer = self.steps.last().map_or_else(String::new, |(_, result)| result.to_string());
        (self.steps.into_iter().map(|(step, _)| step).collect(), answer)
    }
}
