//! Correction of p values for the number of tests.

/// Holm's step-down correction (Holm 1979): the k-th smallest of m p values is multiplied by m − k + 1, never below the one
/// before it, at most 1. Comes back in the order given. `None` is a test that was not made: it stays `None` and counts for nothing.
pub fn holm(p_values: &[Option<f64>]) -> Vec<Option<f64>> {
    let mut order: Vec<(usize, f64)> = p_values.iter().enumerate().filter_map(|(i, p)| Some((i, (*p)?))).collect();
    order.sort_by(|a, b| a.1.total_cmp(&b.1));
    let mut adjusted = vec![None; p_values.len()];
    let mut least = 0.0_f64;
    for (done, (i, p)) in order.iter().enumerate() {
        least = least.max(p * (order.len() - done) as f64).min(1.0);
        adjusted[*i] = Some(least);
    }
    adjusted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equals_rs_p_adjust() {
        // R: p.adjust(c(.01, .04, .03, .005), "holm") gives .03 .06 .06 .02
        let adjusted = holm(&[Some(0.01), Some(0.04), None, Some(0.03), Some(0.005)]);
        let expected = [Some(0.03), Some(0.06), None, Some(0.06), Some(0.02)];
        for (a, e) in adjusted.iter().zip(expected) {
            assert!(matches!((a, e), (None, None)) || (a.unwrap() - e.unwrap()).abs() < 1e-12, "{adjusted:?}");
        }
    }

    #[test]
    fn never_exceeds_one_and_bears_no_tests() {
        assert_eq!(holm(&[Some(0.6), Some(0.7)]), [Some(1.0), Some(1.0)]);
        assert_eq!(holm(&[None]), [None]);
        assert!(holm(&[]).is_empty());
    }
}
