//! Numbers as people read them, and text from outside made safe for a terminal.

use crate::record::Interval;

/// `0.4604` as `46.0 %`.
pub(super) fn percent(share: f64) -> String {
    format!("{} %", signed(share * 100.0, 1, ""))
}

/// `0.4041` as `40.4`: percentage points.
pub(super) fn points(difference: f64) -> String {
    signed(difference * 100.0, 1, "")
}

/// `0.4041` as `+40.4`.
pub(super) fn points_with_sign(difference: f64) -> String {
    signed(difference * 100.0, 1, "+")
}

/// A share's interval in percent, `[40.1, 51.9]`; `–` where there is none.
pub(super) fn interval_points(interval: &Interval) -> String {
    match (interval.low, interval.high) {
        (Some(low), Some(high)) => format!("[{}, {}]", points(low), points(high)),
        _ => "–".to_owned(),
    }
}

/// A ratio: `8.2`, `0.96`, `132`.
pub(super) fn ratio(value: f64) -> String {
    match value {
        v if v.is_infinite() => "∞".to_owned(),
        v if v >= 99.95 => format!("{v:.0}"),
        v if v >= 1.95 => format!("{v:.1}"),
        v => format!("{v:.2}"),
    }
}

/// A ratio with its ends: `8.2 [6.9, 9.8]`, `8.2 [3.1, ∞)`; `–` where there is none.
pub(super) fn ratio_with_ends(interval: Option<&Interval>) -> String {
    match interval.map(|i| (i.mean, i.low, i.high)) {
        None => "–".to_owned(),
        Some((mean, Some(low), Some(high))) => format!("{} [{}, {}]", ratio(mean), ratio(low), ratio(high)),
        Some((mean, Some(low), None)) => format!("{} [{}, ∞)", ratio(mean), ratio(low)),
        Some((mean, ..)) => ratio(mean),
    }
}

/// A p value with four digits; `–` where there is none.
pub(super) fn p_value(p: Option<f64>) -> String {
    match p {
        None => "–".to_owned(),
        Some(p) if p < 0.0001 => "<0.0001".to_owned(),
        Some(p) => format!("{p:.4}"),
    }
}

/// `30000` as `30,000`.
pub(super) fn count(n: usize) -> String {
    let digits = n.to_string();
    let mut out = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// `93.4` seconds as `1 min 33 s`.
pub(super) fn duration(seconds: f64) -> String {
    let whole = seconds.max(0.0).round() as u64;
    match whole {
        _ if seconds < 9.95 => format!("{:.1} s", seconds.max(0.0)),
        0..60 => format!("{whole} s"),
        60..3600 => format!("{} min {} s", whole / 60, whole % 60),
        _ => format!("{} h {} min", whole / 3600, whole % 3600 / 60),
    }
}

/// Text from outside on one line, without control characters (a name may hold an escape sequence), at most `width` characters.
pub(super) fn plain(text: &str, width: usize) -> String {
    let clean: Vec<char> = text.chars().map(|c| if c.is_control() { '\u{FFFD}' } else { c }).collect();
    if clean.len() <= width {
        return clean.into_iter().collect();
    }
    clean.into_iter().take(width.saturating_sub(1)).chain(['…']).collect()
}

/// A number with so many digits, a real minus sign, and `plus` before what is above zero; never `−0.0`.
fn signed(value: f64, digits: usize, plus: &str) -> String {
    let text = format!("{:.digits$}", value.abs());
    let zero = text.chars().all(|c| matches!(c, '0' | '.'));
    match value {
        _ if zero => text,
        v if v < 0.0 => format!("−{text}"),
        _ => format!("{plus}{text}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_well() {
        assert_eq!(percent(0.4604), "46.0 %");
        assert_eq!(points_with_sign(-0.0341), "−3.4");
        assert_eq!(points_with_sign(0.4041), "+40.4");
        assert_eq!(points_with_sign(-0.0001), "0.0");
        assert_eq!([ratio(8.234), ratio(0.957), ratio(24.62), ratio(132.4)], ["8.2", "0.96", "24.6", "132"]);
        assert_eq!([p_value(Some(0.00003)), p_value(Some(0.0625)), p_value(None)], ["<0.0001", "0.0625", "–"]);
        assert_eq!([count(7), count(999), count(30_000), count(1_234_567)], ["7", "999", "30,000", "1,234,567"]);
        assert_eq!(
            [duration(1.26), duration(59.6), duration(93.4), duration(7322.0)],
            ["1.3 s", "1 min 0 s", "1 min 33 s", "2 h 2 min"]
        );
    }

    #[test]
    fn text_from_outside_cannot_steer_the_terminal() {
        assert_eq!(plain("zebra\u{1b}[31m\nx", 40), "zebra\u{FFFD}[31m\u{FFFD}x");
        assert_eq!(plain("abcdef", 4), "abc…");
    }
}
