//! A command, what it prints while it runs, and what came of it.

use super::{BUILD_LIMIT, Fixture, target};
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::io::Read;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

/// A command, yet to be run.
///
/// Nothing of the tests' own environment reaches it but what says where the toolchain is.
#[must_use]
pub struct Call {
    program: OsString,
    arguments: Vec<OsString>,
    environment: Vec<(OsString, OsString)>,
    folder: PathBuf,
    limit: Duration,
    of_the_target: bool,
}

impl Call {
    pub fn new(program: impl AsRef<OsStr>, limit: Duration) -> Call {
        let kept = |name: &OsStr| {
            let name = name.to_string_lossy();
            let always = ["PATH", "HOME", "CARGO_HOME", "TMPDIR"].contains(&&*name);
            always || name.starts_with("RUSTUP_") || target().wants(&name)
        };
        Call {
            program: program.as_ref().to_owned(),
            arguments: Vec::new(),
            environment: std::env::vars_os().filter(|(name, _)| kept(name)).collect(),
            folder: PathBuf::from("/"),
            limit,
            of_the_target: false,
        }
    }

    /// Adds an argument.
    pub fn arg(mut self, word: impl AsRef<OsStr>) -> Call {
        self.arguments.push(word.as_ref().to_owned());
        self
    }

    /// Adds arguments.
    pub fn args<const N: usize>(mut self, words: [&str; N]) -> Call {
        self.arguments.extend(words.map(OsString::from));
        self
    }

    /// Sets an environment variable.
    pub fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Call {
        self.environment.push((name.into(), value.as_ref().to_owned()));
        self
    }

    /// Makes it the call of another user of another machine, who has the same crates at hand: `CARGO_HOME`, home folder and
    /// name differ.
    pub fn of_somebody_else(self, fixture: &Fixture) -> Call {
        let home = fixture.root().join("home of somebody");
        let cargo_home = home.join("cargo");
        std::fs::create_dir_all(&cargo_home).expect("a home can be made");
        let own = |name: &str, below: &str| {
            let set = std::env::var_os(name).map(PathBuf::from);
            set.unwrap_or_else(|| {
                Path::new(&std::env::var_os("HOME").expect("there is a home folder")).join(below)
            })
        };
        // Each by itself, so that what comes from a test's own registry stays in this home.
        for folder in ["index", "cache", "src"] {
            let here = cargo_home.join("registry").join(folder);
            if here.exists() {
                continue;
            }
            std::fs::create_dir_all(&here).expect("a home can be made");
            let theirs = own("CARGO_HOME", ".cargo").join("registry").join(folder);
            for entry in std::fs::read_dir(theirs).into_iter().flatten().flatten() {
                std::os::unix::fs::symlink(entry.path(), here.join(entry.file_name()))
                    .expect("a link can be made");
            }
        }
        self.env("RUSTUP_HOME", own("RUSTUP_HOME", ".rustup"))
            .env("HOME", &home)
            .env("CARGO_HOME", &cargo_home)
            .env("USER", "somebody")
            .env("LOGNAME", "somebody")
    }

    /// Leaves the environment empty, but for what is set from now on.
    pub fn empty_environment(mut self) -> Call {
        self.environment.clear();
        self
    }

    /// Sets the working directory.
    pub fn folder(mut self, folder: &Path) -> Call {
        self.folder = folder.to_owned();
        self
    }

    /// Adds words as arguments.
    pub fn words(self, words: &str) -> Call {
        words.split(' ').fold(self, |call, word| call.arg(word))
    }

    /// Lets it take as long as a build may, since it has much to do on a machine that may be busy.
    pub fn takes_long(mut self) -> Call {
        self.limit = BUILD_LIMIT;
        self
    }

    /// What it prints is in the words of the target: paths are spelled as there.
    pub fn of_the_target(mut self) -> Call {
        self.of_the_target = true;
        self
    }

    /// Runs it to its end.
    pub fn go(self) -> Ran {
        self.start().end()
    }

    /// Starts it, and doesn't wait for its end.
    pub fn start(self) -> Running {
        let mut command = Command::new(&self.program);
        command.args(&self.arguments).env_clear().envs(self.environment.iter().map(|(k, v)| (k, v)));
        command.current_dir(&self.folder).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        // A group of its own, so that what it started can be ended with it.
        command.process_group(0);
        let line = format!("{command:?}");
        let mut child = command.spawn().unwrap_or_else(|e| panic!("{line} can't be run: {e}"));
        let (sender, printed) = channel();
        let pipes: [(bool, Box<dyn Read + Send>); 2] = [
            (true, Box::new(child.stdout.take().expect("it is piped"))),
            (false, Box::new(child.stderr.take().expect("it is piped"))),
        ];
        for (is_stdout, mut pipe) in pipes {
            let sender = sender.clone();
            std::thread::spawn(move || {
                let mut chunk = [0; 8192];
                while let Ok(length @ 1..) = pipe.read(&mut chunk) {
                    if sender.send((is_stdout, chunk[..length].to_vec())).is_err() {
                        break;
                    }
                }
            });
        }
        let (stdout, stderr) = Default::default();
        let Call { limit, of_the_target, .. } = self;
        Running { line, child: Some(child), printed, stdout, stderr, told: 0, limit, of_the_target }
    }
}

/// A command that has been started. It ends with the value, and what it started with it.
pub struct Running {
    line: String,
    /// None once it has been waited for.
    child: Option<Child>,
    /// What it prints, and whether to standard output.
    printed: Receiver<(bool, Vec<u8>)>,
    stdout: Vec<u8>,
    stderr: Vec<u8>,
    /// How much of standard output [`Running::line_with`] has gone through.
    told: usize,
    limit: Duration,
    of_the_target: bool,
}

impl Running {
    /// Waits for a whole line of standard output with this in it, and gives it. The next call looks at what follows it.
    #[track_caller]
    pub fn line_with(&mut self, text: &str) -> String {
        let text = &*target().spelled(text);
        loop {
            match self.line() {
                Some(line) if line.contains(text) => return line,
                Some(_) => {}
                None => panic!("it has ended without a line with {text:?}\n{}", self.said()),
            }
        }
    }

    /// Waits for the next whole line of standard output; none when it is closed, also by what the command has started.
    #[track_caller]
    pub fn line(&mut self) -> Option<String> {
        let end = Instant::now() + self.limit;
        loop {
            if let Some(length) = self.stdout[self.told..].iter().position(|&b| b == b'\n') {
                let line = String::from_utf8_lossy(&self.stdout[self.told..][..length]).into_owned();
                self.told += length + 1;
                return Some(line);
            }
            if !self.take_in(end) {
                assert!(Instant::now() < end, "nothing more within {:?}\n{}", self.limit, self.said());
                return None;
            }
        }
    }

    /// What it has said so far.
    pub fn said(&self) -> String {
        let [stdout, stderr] = [&self.stdout, &self.stderr].map(|bytes| String::from_utf8_lossy(bytes));
        format!("$ {}\n{stdout}\n---\n{stderr}", self.line)
    }

    /// Takes in what is printed next; false if that is nothing any more, or nothing until then.
    fn take_in(&mut self, end: Instant) -> bool {
        match self.printed.recv_timeout(end.saturating_duration_since(Instant::now())) {
            Ok((true, bytes)) => self.stdout.extend(bytes),
            Ok((false, bytes)) => self.stderr.extend(bytes),
            Err(RecvTimeoutError::Disconnected | RecvTimeoutError::Timeout) => return false,
        }
        true
    }

    /// The number of the process.
    pub fn id(&self) -> u32 {
        self.child.as_ref().expect("it has not been waited for").id()
    }

    /// Sends it a signal, by its name as in `TERM`.
    pub fn signal(&self, name: &str) {
        kill(name, &self.id().to_string());
    }

    /// Waits until it ends.
    pub fn end(mut self) -> Ran {
        let end = Instant::now() + self.limit;
        while self.take_in(end) {}
        let in_time = Instant::now() < end;
        let mut child = self.child.take().expect("it has not been waited for");
        if !in_time {
            kill("KILL", &format!("-{}", child.id()));
        }
        let status = child.wait().expect("a child can be waited for");
        let text = |bytes: &[u8]| {
            let text = String::from_utf8_lossy(bytes).into_owned();
            if self.of_the_target { target().with_paths_of_here(text) } else { text }
        };
        let ran =
            Ran { line: self.line.clone(), status, stdout: text(&self.stdout), stderr: text(&self.stderr) };
        assert!(in_time, "it did not end within {:?}\n{ran}", self.limit);
        // Whatever a test is about, messages for programs are as they are described.
        for line in ran.stdout.lines().filter(|line| line.starts_with('{')) {
            crate::messages::is_as_described(line);
        }
        ran
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            if std::thread::panicking() {
                while self.take_in(Instant::now()) {}
                eprintln!("{}", self.said());
            }
            kill("KILL", &format!("-{}", child.id()));
            let _ = child.wait();
        }
    }
}

/// Sends a signal to a process, or to a group: its number with a minus.
fn kill(signal: &str, whom: &str) {
    let _ = Command::new("kill").args([&format!("-{signal}"), "--", whom]).status();
}

/// How a command ended, and what it printed.
pub struct Ran {
    line: String,
    status: ExitStatus,
    /// What it printed to standard output.
    pub stdout: String,
    /// What it printed to standard error.
    pub stderr: String,
}

impl Ran {
    /// It succeeded.
    #[track_caller]
    pub fn ok(&self) -> &Ran {
        assert!(self.status.success(), "it failed\n{self}");
        self
    }

    /// It ended with this exit code.
    #[track_caller]
    pub fn fails_with(&self, code: i32) -> &Ran {
        assert_eq!(self.status.code(), Some(code), "its exit code is another one\n{self}");
        self
    }

    /// Its exit code, if it has one.
    pub fn code(&self) -> Option<i32> {
        self.status.code()
    }

    /// The signal that ended it, if one did.
    pub fn signal(&self) -> Option<i32> {
        self.status.signal()
    }

    /// It printed this, to standard output or standard error.
    #[track_caller]
    pub fn says(&self, text: &str) -> &Ran {
        let text = &*target().spelled(text);
        let said = self.stdout.contains(text) || self.stderr.contains(text);
        assert!(said, "it does not say {text:?}\n{self}");
        self
    }

    /// It printed these to standard output, one after the other, with anything between.
    #[track_caller]
    pub fn says_in_order<const N: usize>(&self, texts: [&str; N]) -> &Ran {
        let mut rest = &*self.stdout;
        for text in texts {
            let text = &*target().spelled(text);
            let Some((_, after)) = rest.split_once(text) else {
                panic!("{text:?} is not in its place\n{self}")
            };
            rest = after;
        }
        self
    }

    /// It printed this nowhere.
    #[track_caller]
    pub fn does_not_say(&self, text: &str) -> &Ran {
        let text = &*target().spelled(text);
        let said = self.stdout.contains(text) || self.stderr.contains(text);
        assert!(!said, "it says {text:?}\n{self}");
        self
    }

    /// This is all that it printed to standard output.
    #[track_caller]
    pub fn prints(&self, text: &str) -> &Ran {
        let text = &*target().spelled(text);
        assert_eq!(self.stdout.trim_end(), text.trim_end(), "its output is another one\n{self}");
        self
    }

    /// This many lines, of standard output and standard error together, have this in them.
    #[track_caller]
    pub fn says_in_lines(&self, count: usize, text: &str) -> &Ran {
        let text = &*target().spelled(text);
        let lines = self.stdout.lines().chain(self.stderr.lines());
        let found = lines.filter(|line| line.contains(text)).count();
        assert_eq!(found, count, "so many lines have {text:?}\n{self}");
        self
    }
}

impl fmt::Display for Ran {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Ran { line, status, stdout, stderr } = self;
        write!(f, "$ {line}\n{status}\n--- stdout\n{stdout}\n--- stderr\n{stderr}\n---")
    }
}
