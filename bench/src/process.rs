//! Programs that are built, run and asked.

use crate::Outcome;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// A program that answers questions; see `runner/src/lib.rs`.
pub struct Runner {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Runner {
    pub fn start(program: &Path) -> Outcome<Runner> {
        let mut child = Command::new(program).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let (input, output) = (child.stdin.take(), child.stdout.take());
        let (input, output) = input.zip(output).ok_or("a program without pipes")?;
        Ok(Runner { child, input, output: BufReader::new(output) })
    }

    /// Asks once; the inner error is the program's word for why not.
    pub fn ask(&mut self, what: &str, count: u64, argument: &str) -> Outcome<Result<f64, String>> {
        writeln!(self.input, "{what}\t{count}\t{argument}")?;
        self.input.flush()?;
        let mut line = String::new();
        self.output.read_line(&mut line)?;
        understood(&line)
    }
}

impl Drop for Runner {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Has a new process answer one question.
pub fn ask_once(program: &Path, what: &str, count: u64, argument: &str) -> Outcome<Result<f64, String>> {
    let output =
        Command::new(program).args([what, &count.to_string(), argument]).stderr(Stdio::inherit()).output()?;
    understood(&String::from_utf8_lossy(&output.stdout))
}

fn understood(line: &str) -> Outcome<Result<f64, String>> {
    match line.trim_end().split_once('\t') {
        Some(("ok", number)) => Ok(Ok(number.parse()?)),
        Some(("no", why)) => Ok(Err(why.to_owned())),
        _ => Err(format!("the program answered {line:?}").into()),
    }
}

/// Runs a command, with its output only where it fails.
pub fn succeed(command: &mut Command) -> Outcome<String> {
    let output = command.stdin(Stdio::null()).output();
    let output = output.map_err(|error| format!("{}: {error}", command.get_program().display()))?;
    match output.status.success() {
        true => Ok(String::from_utf8_lossy(&output.stdout).into_owned()),
        false => Err(format!("{command:?} failed\n{}", String::from_utf8_lossy(&output.stderr)).into()),
    }
}
