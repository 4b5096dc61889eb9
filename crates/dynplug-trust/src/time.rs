//! Moments at which keys and signatures expire: seconds since 1970, or a day, which counts to its end. All of them UTC.

use std::error::Error;
use std::fmt;
use std::str::FromStr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// When something expires.
///
/// # Examples
///
/// ```
/// use dynplug_trust::Moment;
///
/// let day: Moment = "2027-03-01".parse()?;
/// assert_eq!(day.to_string(), "2027-03-01 23:59:59 UTC");
/// assert_eq!(day.seconds().to_string().parse(), Ok(day));
/// # Ok::<(), dynplug_trust::MomentError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Moment(u64);

const DAY: u64 = 24 * 60 * 60;
/// The last second of the year 9999.
const LAST: u64 = 253_402_300_799;

impl Moment {
    /// The present.
    pub fn now() -> Moment {
        Moment::from(SystemTime::now())
    }

    /// The moment so many seconds after the beginning of 1970; none after the year 9999.
    pub fn from_seconds(seconds: u64) -> Option<Moment> {
        (seconds <= LAST).then_some(Moment(seconds))
    }

    /// Seconds since the beginning of 1970.
    pub fn seconds(self) -> u64 {
        self.0
    }
}

impl From<SystemTime> for Moment {
    /// What lies before 1970 counts as its beginning, and what lies after the year 9999 as its end.
    fn from(time: SystemTime) -> Moment {
        Moment(time.duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO).as_secs().min(LAST))
    }
}

/// A text is no moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MomentError;

impl fmt::Display for MomentError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a time is a day such as 2027-03-01, or seconds since 1970")
    }
}

impl Error for MomentError {}

impl FromStr for Moment {
    type Err = MomentError;

    fn from_str(text: &str) -> Result<Moment, MomentError> {
        if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
            return text.parse().ok().and_then(Moment::from_seconds).ok_or(MomentError);
        }
        let number = |part: Option<&str>, digits: usize| {
            let is_good =
                |part: &&str| part.len() == digits && part.bytes().all(|byte| byte.is_ascii_digit());
            part.filter(is_good).and_then(|part| part.parse::<u64>().ok()).ok_or(MomentError)
        };
        let mut parts = text.split('-');
        let (year, month, day) =
            (number(parts.next(), 4)?, number(parts.next(), 2)?, number(parts.next(), 2)?);
        if parts.next().is_some() || year < 1970 {
            return Err(MomentError);
        }
        let days = (1970..year).map(|year| 365 + u64::from(is_leap(year))).sum::<u64>();
        let months = (1..month).map(|month| days_of(year, month)).sum::<Option<u64>>().ok_or(MomentError)?;
        if day == 0 || day > days_of(year, month).ok_or(MomentError)? {
            return Err(MomentError);
        }
        Ok(Moment((days + months + day) * DAY - 1))
    }
}

fn is_leap(year: u64) -> bool {
    year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
}

fn days_of(year: u64, month: u64) -> Option<u64> {
    match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => Some(31),
        4 | 6 | 9 | 11 => Some(30),
        2 => Some(28 + u64::from(is_leap(year))),
        _ => None,
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (mut days, rest) = (self.0 / DAY, self.0 % DAY);
        let mut year = 1970;
        while let Some(left) = days.checked_sub(365 + u64::from(is_leap(year))) {
            (days, year) = (left, year + 1);
        }
        let mut month = 1;
        while let Some(left) = days_of(year, month).and_then(|length| days.checked_sub(length)) {
            (days, month) = (left, month + 1);
        }
        let (hours, minutes, seconds) = (rest / 3600, rest / 60 % 60, rest % 60);
        write!(f, "{year:04}-{month:02}-{:02} {hours:02}:{minutes:02}:{seconds:02} UTC", days + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_read_as_they_are_written() {
        // 977 is a prime: each day of a month comes, and of a year.
        for day in (0..=LAST / DAY).step_by(977) {
            let moment = Moment(day * DAY + DAY - 1);
            let text = moment.to_string();
            assert_eq!(text[..10].parse(), Ok(moment), "{text}");
        }
        assert_eq!(Moment(0).to_string(), "1970-01-01 00:00:00 UTC");
        assert_eq!(Moment(1_709_210_096).to_string(), "2024-02-29 12:34:56 UTC");
        assert_eq!(Moment(LAST).to_string(), "9999-12-31 23:59:59 UTC");
    }

    #[test]
    fn what_is_no_day_is_an_error() {
        for bad in [
            "",
            "soon",
            "2027",
            "-1",
            "2027-2-3",
            "2027-02-29",
            "2027-13-01",
            "2027-00-01",
            "2027-01-00",
            "2027-01-32",
            "1969-12-31",
            "2027-01-01-01",
            "2027-01-01 ",
            "+027-01-01",
            "253402300800",
            "99999999999999999999999",
        ] {
            // Digits alone are seconds.
            assert_eq!(bad.parse::<Moment>().is_ok(), bad == "2027", "{bad}");
        }
    }
}
