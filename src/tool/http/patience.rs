//! How long to wait before a request is tried again.

use std::time::{Duration, SystemTime};

use rand::Rng;

/// How often a request is tried again, and how long before each time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Patience {
    /// Tries after the first one.
    pub retries: usize,
    /// The wait before the first of them; it doubles each time.
    pub first_wait: Duration,
    /// No wait grows beyond this, unless the service asks for it.
    pub longest_wait: Duration,
}

impl Patience {
    /// Waits from a second up to a minute.
    pub fn of(retries: usize) -> Self {
        Self { retries, first_wait: Duration::from_secs(1), longest_wait: Duration::from_mins(1) }
    }

    /// The wait before retry `n` (from 0): doubled each time, and between half of that and all of it, so that requests that failed together
    /// do not come back together.
    pub(super) fn wait(&self, n: usize, rng: &mut impl Rng) -> Duration {
        let doubled = self.first_wait.saturating_mul(2_u32.saturating_pow(n as u32)).min(self.longest_wait);
        doubled.mul_f64(rng.random_range(0.5..=1.0))
    }
}

/// The wait that a `Retry-After` header asks for: seconds, or an HTTP date.
pub(super) fn retry_after(value: &str, now: SystemTime) -> Option<Duration> {
    let value = value.trim();
    if let Ok(seconds) = value.parse::<f64>() {
        return Duration::try_from_secs_f64(seconds).ok();
    }
    httpdate::parse_http_date(value).ok().map(|moment| moment.duration_since(now).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tool::streams;

    #[test]
    fn waits_double_up_to_the_longest_with_jitter_that_repeats() {
        let patience = Patience { retries: 9, first_wait: Duration::from_secs(1), longest_wait: Duration::from_secs(8) };
        let waits = || {
            let mut rng = streams::named(0, "wait", 3);
            (0..40).map(|n| patience.wait(n, &mut rng).as_secs_f64()).collect::<Vec<_>>()
        };
        for (n, wait) in waits().into_iter().enumerate() {
            let full = 2_f64.powi(n.min(3) as i32);
            assert!((full / 2.0..=full).contains(&wait), "retry {n} waits {wait}");
        }
        assert_eq!(waits(), waits());
    }

    #[test]
    fn retry_after_is_read_as_seconds_or_as_a_date() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777); // Sun, 06 Nov 1994 08:49:37 GMT
        let wait = |value: &str| retry_after(value, now).map(|d| d.as_secs_f64());
        assert_eq!(wait(" 7 "), Some(7.0));
        assert_eq!(wait("0.5"), Some(0.5));
        assert_eq!(wait("Sun, 06 Nov 1994 08:50:07 GMT"), Some(30.0));
        assert_eq!(wait("Sunday, 06-Nov-94 08:50:07 GMT"), Some(30.0));
        assert_eq!(wait("Sun, 06 Nov 1994 08:00:00 GMT"), Some(0.0), "a moment that has passed");
        for nonsense in ["", "-3", "soon", "nan", "1e400"] {
            assert_eq!(wait(nonsense), None, "{nonsense}");
        }
    }
}
