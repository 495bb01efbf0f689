//! What a validation found, for people.

use crate::judge::validation::{Bin, Score, Share, Validation};

/// Lines of text.
pub(super) fn of(found: &Validation) -> String {
    let mut text: String = found.questions.iter().map(question).collect::<Vec<_>>().join("\n");
    if let Some(limits) = found.limits {
        text.push_str(&format!("\nnote: {limits}\n"));
    }
    text.trim_end().to_owned()
}

fn question(score: &Score) -> String {
    let mut text = format!("{}, by {}\n", score.question, score.judge);
    let unscored: Vec<String> = score.unscored.iter().map(|(why, n)| format!("{n} {why}")).collect();
    let unscored = if unscored.is_empty() { "none".to_owned() } else { unscored.join(", ") };
    text.push_str(&format!("  {} rows, {} of them yes; unscored: {unscored}\n", score.rows, score.positive));
    text.push_str(&share("agreement", score.agreement.as_ref()));
    text.push_str(&share("AUROC", score.auroc.as_ref()));
    if let (Some(brier), Some(error)) = (score.brier, score.calibration_error) {
        let (mean, chance) = (brier.mean, brier.chance);
        text.push_str(&format!("  Brier score  {mean:.3}                   chance {chance:.3}, 0 is best\n"));
        text.push_str(&format!("  calibration  {error:.3} off on average\n"));
        text.push_str("    rated          rows  mean rating  share of yes\n");
        score.calibration.iter().filter(|bin| bin.n > 0).for_each(|bin| text.push_str(&bin_line(bin)));
    }
    text
}

fn share(name: &str, share: Option<&Share>) -> String {
    match share {
        Some(Share { mean, low, high, n, chance }) => {
            format!("  {name:<11}  {mean:.3} ({low:.3} to {high:.3})  chance {chance:.3}, n {n}\n")
        }
        None => format!("  {name:<11}  not known: both labels need scored rows\n"),
    }
}

fn bin_line(bin: &Bin) -> String {
    let value = |value: Option<f64>| value.map_or_else(String::new, |v| format!("{v:.2}"));
    format!("    {:.1} to {:.1}  {:>8}  {:>11}  {:>12}\n", bin.from, bin.to, bin.n, value(bin.rating), value(bin.positive))
}
