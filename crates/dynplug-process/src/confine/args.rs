//! A confinement as arguments of a command line, as the host gives them to the runner.
//!
//! Each is an option and a value, in two arguments, so that a path is never taken apart.

use super::{Confinement, Level};
use std::{ffi::OsString, fmt, path::PathBuf};

const LEVEL: &str = "--level";
const READ: &str = "--read";
const MEMORY: &str = "--memory";
const PROCESSOR_TIME: &str = "--processor-time";
const THREADS: &str = "--threads";
const OPEN_FILES: &str = "--open-files";
const FILE_SIZE: &str = "--file-size";
const CORE_DUMPS: &str = "--core-dumps";
const LENIENT: &str = "--lenient";

const OPTIONS: [&str; 9] =
    [LEVEL, READ, MEMORY, PROCESSOR_TIME, THREADS, OPEN_FILES, FILE_SIZE, CORE_DUMPS, LENIENT];

const LIMITS_ONLY: &str = "limits-only";
const READ_ONLY: &str = "read-only";
const COMPUTE_ONLY: &str = "compute-only";

/// Why arguments are no confinement.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ArgsError {
    /// No level is named.
    NoLevel,
    /// There is no such option. Nothing is left out of a confinement because it isn't understood.
    Unknown {
        /// What stands in its place.
        have: OsString,
    },
    /// The option is the last argument.
    NoValue {
        /// Which one.
        option: &'static str,
    },
    /// The option has no such value.
    Value {
        /// Which one.
        option: &'static str,
        /// The value that it has.
        have: OsString,
        /// What it may be.
        want: &'static str,
    },
    /// The option is there more than once.
    Twice {
        /// Which one.
        option: &'static str,
    },
    /// A file may be read, and the level is one that has no list of these.
    ReadElsewhere {
        /// Which file.
        path: PathBuf,
    },
}

impl fmt::Display for ArgsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("these arguments are no confinement of this version: ")?;
        match self {
            ArgsError::NoLevel => write!(f, "`{LEVEL}` is missing"),
            ArgsError::Unknown { have } => write!(f, "there is no option `{}`", have.display()),
            ArgsError::NoValue { option } => write!(f, "`{option}` wants a value"),
            ArgsError::Value { option, have, want } => {
                write!(f, "`{option}` is {want}, and not `{}`", have.display())
            }
            ArgsError::Twice { option } => write!(f, "`{option}` is there twice"),
            ArgsError::ReadElsewhere { path } => {
                write!(f, "`{READ} {}` is for `{LEVEL} {READ_ONLY}` alone", path.display())
            }
        }?;
        f.write_str("; host and runner have to be of one version of dynplug")
    }
}

impl std::error::Error for ArgsError {}

impl Confinement {
    /// The arguments from which [`from_args`](Self::from_args) makes this again, in the same version of this crate.
    pub fn to_args(&self) -> Vec<OsString> {
        // By its fields, so that a new one doesn't compile until it is handed over.
        let Confinement {
            level,
            memory,
            processor_time,
            threads,
            open_files,
            file_size,
            core_dumps,
            lenient,
        } = self;
        let mut args = Vec::new();
        let mut push = |option: &str, value: OsString| args.extend([option.into(), value]);
        match level {
            Level::LimitsOnly => push(LEVEL, LIMITS_ONLY.into()),
            Level::ReadOnly { read } => {
                push(LEVEL, READ_ONLY.into());
                read.iter().for_each(|path| push(READ, path.clone().into()));
            }
            Level::ComputeOnly => push(LEVEL, COMPUTE_ONLY.into()),
        }
        let numbers = [
            (MEMORY, *memory),
            (PROCESSOR_TIME, *processor_time),
            (THREADS, threads.map(u64::from)),
            (OPEN_FILES, open_files.map(u64::from)),
            (FILE_SIZE, *file_size),
        ];
        for (option, number) in numbers {
            if let Some(number) = number {
                push(option, number.to_string().into());
            }
        }
        for (option, yes) in [(CORE_DUMPS, *core_dumps), (LENIENT, *lenient)] {
            if yes {
                push(option, "yes".into());
            }
        }
        args
    }

    /// The confinement that these arguments describe, and nothing else.
    ///
    /// # Errors
    ///
    /// They are not what [`to_args`](Self::to_args) gives.
    pub fn from_args(args: impl IntoIterator<Item = OsString>) -> Result<Self, ArgsError> {
        let mut args = args.into_iter();
        let mut level = None;
        let mut read = Vec::new();
        let mut seen = Vec::new();
        let mut confinement = Confinement::new(Level::ComputeOnly);
        while let Some(option) = args.next() {
            let Some(&option) = OPTIONS.iter().find(|known| option == **known) else {
                return Err(ArgsError::Unknown { have: option });
            };
            let value = args.next().ok_or(ArgsError::NoValue { option })?;
            if option == READ {
                read.push(PathBuf::from(value));
                continue;
            }
            if seen.contains(&option) {
                return Err(ArgsError::Twice { option });
            }
            seen.push(option);
            match option {
                LEVEL => level = Some(self::level(value)?),
                MEMORY => confinement.memory = Some(number(option, value)?),
                PROCESSOR_TIME => confinement.processor_time = Some(number(option, value)?),
                THREADS => confinement.threads = Some(number(option, value)?),
                OPEN_FILES => confinement.open_files = Some(number(option, value)?),
                FILE_SIZE => confinement.file_size = Some(number(option, value)?),
                CORE_DUMPS => confinement.core_dumps = yes(option, value)?,
                LENIENT => confinement.lenient = yes(option, value)?,
                _ => return Err(ArgsError::Unknown { have: option.into() }),
            }
        }
        confinement.level = match level.ok_or(ArgsError::NoLevel)? {
            Level::ReadOnly { .. } => Level::ReadOnly { read },
            other => match read.into_iter().next() {
                Some(path) => return Err(ArgsError::ReadElsewhere { path }),
                None => other,
            },
        };
        Ok(confinement)
    }
}

fn level(value: OsString) -> Result<Level, ArgsError> {
    match value.to_str() {
        Some(LIMITS_ONLY) => Ok(Level::LimitsOnly),
        Some(READ_ONLY) => Ok(Level::ReadOnly { read: Vec::new() }),
        Some(COMPUTE_ONLY) => Ok(Level::ComputeOnly),
        _ => Err(ArgsError::Value {
            option: LEVEL,
            have: value,
            want: "`limits-only`, `read-only` or `compute-only`",
        }),
    }
}

fn number<T: std::str::FromStr>(option: &'static str, value: OsString) -> Result<T, ArgsError> {
    match value.to_str().and_then(|text| text.parse().ok()) {
        Some(number) => Ok(number),
        None => Err(ArgsError::Value { option, have: value, want: "a number that isn't too large" }),
    }
}

fn yes(option: &'static str, value: OsString) -> Result<bool, ArgsError> {
    if value == "yes" { Ok(true) } else { Err(ArgsError::Value { option, have: value, want: "`yes`" }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args(texts: &[&str]) -> Vec<OsString> {
        texts.iter().map(OsString::from).collect()
    }

    fn refused(texts: &[&str]) -> ArgsError {
        Confinement::from_args(args(texts)).unwrap_err()
    }

    #[test]
    fn what_the_host_describes_is_what_the_runner_reads() {
        let paths = [PathBuf::from("/a b"), PathBuf::from("--level"), PathBuf::from("")];
        #[cfg(unix)]
        let paths = {
            use std::os::unix::ffi::OsStringExt;
            paths.into_iter().chain([PathBuf::from(OsString::from_vec(b"/\xff=\n".to_vec()))])
        };
        let levels = [Level::LimitsOnly, Level::ComputeOnly, Level::ReadOnly { read: Vec::from_iter(paths) }];
        for level in levels {
            let bare = Confinement::new(level);
            let full = bare
                .clone()
                .memory(u64::MAX)
                .processor_time(1)
                .threads(u32::MAX)
                .open_files(0)
                .file_size(7)
                .core_dumps(true)
                .lenient(true);
            for confinement in [bare, full] {
                assert_eq!(Confinement::from_args(confinement.to_args()), Ok(confinement));
            }
        }
    }

    #[test]
    fn what_isnt_understood_is_an_error_and_never_left_out() {
        assert_eq!(refused(&[]), ArgsError::NoLevel);
        assert_eq!(refused(&["--memory", "5"]), ArgsError::NoLevel);
        assert_eq!(refused(&["--level"]), ArgsError::NoValue { option: "--level" });
        assert_eq!(refused(&["--network", "no"]), ArgsError::Unknown { have: "--network".into() });
        let twice = ["--level", "compute-only", "--level", "limits-only"];
        assert_eq!(refused(&twice), ArgsError::Twice { option: "--level" });
        let elsewhere = ["--read", "/a", "--level", "compute-only"];
        assert_eq!(refused(&elsewhere), ArgsError::ReadElsewhere { path: "/a".into() });
        for value in ["", "-1", "1.5", "4294967296", "many"] {
            let have = refused(&["--level", "compute-only", "--threads", value]);
            assert!(matches!(have, ArgsError::Value { option: "--threads", .. }), "{value}: {have:?}");
        }
        for option in ["--lenient", "--core-dumps"] {
            assert!(matches!(refused(&["--level", "limits-only", option, "no"]), ArgsError::Value { .. }));
        }
        assert_eq!(
            refused(&["--level", "none"]).to_string(),
            "these arguments are no confinement of this version: `--level` is `limits-only`, `read-only` or \
             `compute-only`, and not `none`; host and runner have to be of one version of dynplug"
        );
    }
}
