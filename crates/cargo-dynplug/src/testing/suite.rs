//! Tests that were compiled, and running them as cargo would: in its order, in its words, with its exit code.

use crate::builder::RUSTDOC_SHIM;
use crate::cli::{Color, MessageArguments};
use crate::diagnostic::{Diagnostic, Doing, Result};
use crate::recording::Start;
use crate::terminal;
use cargo_metadata::{Artifact, Target, TargetKind};
use std::ffi::{OsStr, OsString};
use std::path::Path;

/// cargo's exit code when a test failed and did not say how, and when several did.
const FAILED: i32 = 101;

/// The tests of all packages, yet to be run.
pub struct Suite {
    /// Executables, in cargo's order.
    executables: Vec<Test>,
    /// The documentation tests of libraries. cargo runs them when all others are through.
    documented: Vec<Test>,
    /// What cargo calls the executables that were compiled, whether they are run or not.
    titles: Vec<String>,
    /// What programs that are started find here: the contexts of their builds, which the next build may write anew.
    contexts: tempfile::TempDir,
}

struct Test {
    /// What cargo calls it.
    title: String,
    /// cargo's options for it alone.
    options: String,
    /// What was said of the failure: `test failed`.
    failed: &'static str,
    start: Start,
}

impl Suite {
    /// None yet. `work` is a folder for what has to be kept until they are run.
    ///
    /// # Errors
    /// When nothing can be written there.
    pub fn new(work: &Path) -> Result<Suite> {
        let contexts = tempfile::Builder::new().prefix("testing-").tempdir_in(work);
        let contexts = contexts.doing(format_args!("make a folder in {}", work.display()))?;
        Ok(Suite { executables: Vec::new(), documented: Vec::new(), titles: Vec::new(), contexts })
    }

    /// Adds what cargo would have started for the tests of a package. `artifacts` is what it has compiled.
    ///
    /// # Errors
    /// When the context can't be kept.
    pub fn add(
        &mut self,
        package: &str,
        artifacts: Vec<Artifact>,
        starts: Vec<Start>,
        messages: &MessageArguments,
    ) -> Result<()> {
        for mut start in starts {
            self.keep_context(&mut start)?;
            if is_rustdoc(&start) {
                let name = word_after(&start.words, "--crate-name");
                let title = name.unwrap_or_default().to_string_lossy().into_owned();
                set_word_after(
                    &mut start.words,
                    "--error-format",
                    if messages.json() { "json" } else { "human" },
                );
                // Standard output may be another terminal than the one that cargo was told of.
                let colour = messages.color.map_or("auto", Color::word);
                set_word_after(&mut start.words, "--color", colour);
                let options = format!("-p {package} --doc");
                self.documented.push(Test { title, options, failed: "doctest failed", start });
                continue;
            }
            // The first word is this program.
            let file = start.words.get(1).map(Path::new);
            let artifact =
                artifacts.iter().find(|a| a.executable.as_deref().map(|e| e.as_std_path()) == file);
            let options = match artifact {
                Some(artifact) => format!("-p {package} {}", option(&artifact.target)),
                None => format!("-p {package}"),
            };
            let title = artifact.map(title).unwrap_or_default();
            self.executables.push(Test { title, options, failed: "test failed", start });
        }
        let tests = artifacts.iter().filter(|a| a.profile.test && a.executable.is_some());
        self.titles.extend(tests.map(title));
        Ok(())
    }

    fn keep_context(&self, start: &mut Start) -> Result<()> {
        let number = self.executables.len() + self.documented.len();
        let kept = self.contexts.path().join(format!("{number}.json"));
        let variable =
            start.environment.iter_mut().find(|(name, _)| name == crate::context::CONTEXT_VARIABLE);
        if let Some((_, path)) = variable {
            std::fs::copy(&*path, &kept).doing(format_args!("copy {}", Path::new(path).display()))?;
            *path = kept.into();
        }
        Ok(())
    }

    /// Says in cargo's words which executables there are.
    pub fn list(&self) {
        self.titles.iter().for_each(|title| terminal::status("Executable", title));
    }

    /// Runs them. With `goes_on` all of them, whichever fail; otherwise the first that fails is the last. Returns the exit
    /// code that cargo would have.
    ///
    /// # Errors
    /// When one can't be started.
    pub fn run(&self, goes_on: bool, messages: &MessageArguments) -> Result<i32> {
        let mut failed = Vec::new();
        for (tests, verb) in [(&self.executables, "Running"), (&self.documented, "Doc-tests")] {
            for test in tests {
                if !messages.quiet {
                    let with_words = messages.verbose > 0 && verb == "Running";
                    let what = if with_words { format!("`{}`", test.shown()) } else { test.title.clone() };
                    terminal::status(verb, &what);
                }
                let status = test.start.command().status().doing(format_args!("run {}", test.shown()))?;
                if status.success() {
                    continue;
                }
                let what = format!("{}, to rerun pass `{}`", test.failed, test.options);
                let error = Diagnostic::error("test-failed", what);
                match status.code() {
                    // What the test harness of Rust ends with; it has said more.
                    Some(FAILED) => error,
                    _ => error.note(format!("`{}` did not end well: {status}", test.shown())),
                }
                .print(messages.message_format);
                if !goes_on {
                    return Ok(status.code().unwrap_or(FAILED));
                }
                failed.push(test);
            }
        }
        if failed.is_empty() {
            return Ok(0);
        }
        let what = if failed.len() == 1 {
            "1 target failed".to_owned()
        } else {
            format!("{} targets failed", failed.len())
        };
        let error = Diagnostic::error("test-failed", what);
        let error = failed.iter().fold(error, |error, test| error.note(format!("`{}`", test.options)));
        error.print(messages.message_format);
        Ok(FAILED)
    }
}

impl Test {
    /// The command line, without this program at its beginning.
    fn shown(&self) -> String {
        let words = if self.failed == "test failed" {
            self.start.words.get(1..)
        } else {
            Some(&self.start.words[..])
        };
        let words: Vec<_> = words.unwrap_or_default().iter().map(|word| word.to_string_lossy()).collect();
        words.join(" ")
    }
}

/// What cargo calls an executable with tests.
fn title(artifact: &Artifact) -> String {
    let target = &artifact.target;
    let folder = artifact.manifest_path.parent();
    let source =
        folder.and_then(|folder| target.src_path.strip_prefix(folder).ok()).unwrap_or(&target.src_path);
    let here = std::env::current_dir().unwrap_or_default();
    let file = artifact.executable.as_deref().unwrap_or(source).as_std_path();
    let file = file.strip_prefix(here).unwrap_or(file).display();
    match target.kind.contains(&TargetKind::Test) {
        true => format!("{source} ({file})"),
        false => format!("unittests {source} ({file})"),
    }
}

/// cargo's option for one target.
fn option(target: &Target) -> String {
    let named = [
        (TargetKind::Bin, "bin"),
        (TargetKind::Example, "example"),
        (TargetKind::Test, "test"),
        (TargetKind::Bench, "bench"),
    ];
    match named.iter().find(|(kind, _)| target.kind.contains(kind)) {
        Some((_, name)) => format!("--{name} {}", target.name),
        None => "--lib".to_owned(),
    }
}

fn is_rustdoc(start: &Start) -> bool {
    let program = start.words.first().map(Path::new);
    program.and_then(Path::file_stem) == Some(OsStr::new(RUSTDOC_SHIM))
}

fn word_after<'a>(words: &'a [OsString], option: &str) -> Option<&'a OsStr> {
    let at = words.iter().position(|word| word == option)?;
    words.get(at + 1).map(OsString::as_os_str)
}

fn set_word_after(words: &mut [OsString], option: &str, value: &str) {
    if let Some(at) = words.iter().position(|word| word == option)
        && let Some(word) = words.get_mut(at + 1)
    {
        *word = value.into();
    }
}
