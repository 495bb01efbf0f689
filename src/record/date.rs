//! A day of the calendar: the one that chat templates see as today.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A day of the (proleptic) Gregorian calendar, written `2024-07-26`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Date {
    year: u16,
    month: u8,
    day: u8,
}

/// Days before each month of a common year, and of the whole year.
const BEFORE: [u16; 13] = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365];

impl Date {
    /// The day that templates see as today unless a plan says otherwise: the date that Llama 3's own template falls back to.
    pub const USUAL: Date = Date { year: 2024, month: 7, day: 26 };

    /// The day, if there is such a one in the years 1 to 9999.
    pub fn new(year: u16, month: u8, day: u8) -> Option<Self> {
        let days = |m: usize| BEFORE[m] - BEFORE[m - 1] + u16::from(m == 2 && leap(year));
        let sound = (1..=9999).contains(&year) && (1..=12).contains(&month);
        (sound && day >= 1 && u16::from(day) <= days(usize::from(month))).then_some(Self { year, month, day })
    }

    /// The year.
    pub fn year(self) -> u16 {
        self.year
    }

    /// The month, from 1.
    pub fn month(self) -> u8 {
        self.month
    }

    /// The day of the month, from 1.
    pub fn day(self) -> u8 {
        self.day
    }

    /// The day of the year, from 1.
    pub fn day_of_year(self) -> u16 {
        BEFORE[usize::from(self.month) - 1] + u16::from(self.day) + u16::from(self.month > 2 && leap(self.year))
    }

    /// The day of the week, 0 for Monday.
    pub fn weekday(self) -> u8 {
        let past = u32::from(self.year) - 1;
        let days = 365 * past + past / 4 - past / 100 + past / 400 + u32::from(self.day_of_year());
        ((days + 6) % 7) as u8 // 1 January of the year 1 was a Monday
    }

    /// The year and the week (from 1) of the ISO calendar, whose weeks begin on Monday and belong to the year of their Thursday.
    pub fn iso_week(self) -> (u16, u8) {
        let thursday = i32::from(self.day_of_year()) + 3 - i32::from(self.weekday());
        let length = |year: u16| 365 + i32::from(leap(year));
        let (year, day) = match thursday {
            d if d < 1 => (self.year - 1, d + length(self.year - 1)),
            d if d > length(self.year) => (self.year + 1, d - length(self.year)),
            d => (self.year, d),
        };
        (year, ((day - 1) / 7 + 1) as u8)
    }
}

fn leap(year: u16) -> bool {
    year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
}

impl Default for Date {
    fn default() -> Self {
        Self::USUAL
    }
}

impl FromStr for Date {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
        let parts: Vec<&str> = text.split('-').collect();
        let date = match parts.as_slice() {
            [year, month, day] if [year.len(), month.len(), day.len()] == [4, 2, 2] && parts.iter().all(|p| digits(p)) => {
                let (year, month, day) = (year.parse(), month.parse(), day.parse());
                year.ok().zip(month.ok()).zip(day.ok()).and_then(|((year, month), day)| Self::new(year, month, day))
            }
            _ => None,
        };
        date.ok_or_else(|| format!("`{text}` is no date: expected a day such as `{}`", Self::USUAL))
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}

impl TryFrom<String> for Date {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<Date> for String {
    fn from(date: Date) -> Self {
        date.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn date(text: &str) -> Date {
        text.parse().expect("a date")
    }

    #[test]
    fn only_days_of_the_calendar_are_dates() {
        for text in ["2024-02-29", "2000-02-29", "0001-01-01", "9999-12-31"] {
            assert_eq!(date(text).to_string(), text);
        }
        for text in [
            "2023-02-29",
            "1900-02-29",
            "2024-13-01",
            "2024-00-10",
            "2024-04-31",
            "24-7-26",
            "2024-07-26T00:00",
            "",
            "+024-07-26",
        ] {
            assert!(text.parse::<Date>().is_err(), "{text}");
        }
    }

    #[test]
    fn weekdays_and_weeks_are_those_of_the_calendar() {
        // python: date.fromisoformat(text).isocalendar(), .timetuple().tm_yday
        for (text, iso, weekday, of_year) in [
            ("2024-07-26", (2024, 30), 4, 208),
            ("2021-01-03", (2020, 53), 6, 3),
            ("2024-12-31", (2025, 1), 1, 366),
            ("2000-01-01", (1999, 52), 5, 1),
            ("2026-12-31", (2026, 53), 3, 365),
        ] {
            let date = date(text);
            assert_eq!((date.iso_week(), date.weekday(), date.day_of_year()), (iso, weekday, of_year), "{text}");
        }
    }
}
