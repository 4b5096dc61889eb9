//! What cargo would run, told in place of running it: tests are compiled under the build's lock, and run without it, since
//! they may take long and may build things themselves.

use crate::diagnostic::{Doing, Result};
use serde::{Deserialize, Serialize};
use std::ffi::OsString;
use std::path::PathBuf;

/// The environment variable that has those around tests, the runner and rustdoc, tell how they were started.
pub const RECORD_VARIABLE: &str = "DYNPLUG_RECORD";
/// What begins such a line on standard output. It goes through a pipe, and to no file: environments have secrets.
const MARK: &str = "dynplug-start ";

/// A program that cargo would run, as cargo would run it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Start {
    /// The program and its arguments.
    pub words: Vec<OsString>,
    /// Where.
    pub folder: PathBuf,
    /// With which environment variables, and no others.
    pub environment: Vec<(OsString, OsString)>,
}

/// Whether this process is to tell how it was started, and to do nothing.
pub fn is_wanted() -> bool {
    std::env::var_os(RECORD_VARIABLE).is_some()
}

/// Tells how this process was started.
///
/// # Errors
/// When it has no working directory.
pub fn tell() -> Result<()> {
    let start = Start {
        words: std::env::args_os().collect(),
        folder: std::env::current_dir().doing("find the working directory")?,
        environment: std::env::vars_os().filter(|(name, _)| name != RECORD_VARIABLE).collect(),
    };
    crate::terminal::print_line(&start.line()?);
    Ok(())
}

impl Start {
    fn line(&self) -> Result<String> {
        Ok(format!("{MARK}{}", serde_json::to_string(self).doing("tell what is to be run")?))
    }

    /// What a line tells, if it tells of a start.
    pub fn told(line: &str) -> Option<Start> {
        serde_json::from_str(line.strip_prefix(MARK)?).ok()
    }

    /// The program, yet to be run.
    pub fn command(&self) -> std::process::Command {
        let mut words = self.words.iter();
        let mut command = std::process::Command::new(words.next().cloned().unwrap_or_default());
        command.args(words).current_dir(&self.folder).env_clear();
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_start_is_told_as_it_is() {
        #[cfg(unix)]
        let odd = <OsString as std::os::unix::ffi::OsStringExt>::from_vec(vec![b'x', 0xff, b'\n']);
        #[cfg(not(unix))]
        let odd = OsString::from("x\n");
        let start = Start {
            words: vec!["runner".into(), odd.clone()],
            folder: "/a b".into(),
            environment: vec![("X".into(), odd)],
        };
        let line = start.line().unwrap();
        assert!(!line.contains('\n'));
        assert_eq!(Start::told(&line), Some(start));
        assert_eq!(Start::told("{\"reason\":\"build-finished\",\"success\":true}"), None);
    }
}
