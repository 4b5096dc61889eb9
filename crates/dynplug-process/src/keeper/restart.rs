//! When a process that has ended is started again.

use std::time::Duration;

/// When a process that has ended is started again: after a pause that doubles with each time, and not any more after too many
/// times in a row. A process that has lived longer than [`Restart::steady`] begins a new row.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Restart {
    /// The first pause. Ordinarily 10 ms.
    pub first: Duration,
    /// The longest pause. Ordinarily 10 s.
    pub longest: Duration,
    /// How long a process has to live to be a good one. Ordinarily 30 s.
    pub steady: Duration,
    /// How often in a row it is started again. Ordinarily without an end.
    pub most: u32,
}

impl Default for Restart {
    fn default() -> Restart {
        Restart::DEFAULT
    }
}

impl Restart {
    /// The ordinary one.
    pub const DEFAULT: Restart = Restart {
        first: Duration::from_millis(10),
        longest: Duration::from_secs(10),
        steady: Duration::from_secs(30),
        most: u32::MAX,
    };

    /// It is not started again.
    pub const fn never() -> Restart {
        Restart { most: 0, ..Restart::DEFAULT }
    }

    /// The pause before it is started again, if it is; `row` counts how often it was, in this row.
    #[cfg_attr(not(target_os = "linux"), allow(dead_code))]
    pub(super) fn pause(&self, row: u32) -> Option<Duration> {
        if row >= self.most {
            return None;
        }
        let pause = 1_u32.checked_shl(row).and_then(|factor| self.first.checked_mul(factor));
        Some(pause.unwrap_or(self.longest).min(self.longest))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_the_longest_and_end() {
        let restart = Restart { most: 40, ..Restart::default() };
        let ms = Duration::from_millis;
        assert_eq!([0, 1, 2].map(|row| restart.pause(row)), [10, 20, 40].map(|pause| Some(ms(pause))));
        assert_eq!([12, 35].map(|row| restart.pause(row)), [Some(ms(10_000)); 2]);
        assert_eq!(restart.pause(40), None);
        assert_eq!(Restart::never().pause(0), None);
    }
}
