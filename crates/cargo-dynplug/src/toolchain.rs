//! The compiler that an SDK was made with: metadata is read by no other. Where rustup is there it is chosen, or fetched;
//! otherwise it is named.

use crate::cli::{BuildArguments, MessageFormat};
use crate::diagnostic::{Diagnostic, Doing, Result};
use crate::sdk::Sdk;
use crate::settings::Settings;
use std::ffi::OsString;
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// The environment variable that says that a compiler was chosen already.
const CHOSEN_VARIABLE: &str = "DYNPLUG_TOOLCHAIN_CHOSEN";

/// Returns if the compiler is the SDK's. If it is another, this program is run again with that; then the exit code of
/// that run is returned.
///
/// # Errors
/// When the compiler is another and can't be had.
pub fn choose(sdk: &Sdk, settings: &Settings, arguments: &BuildArguments) -> Result<Option<i32>> {
    let want = &sdk.description.rustc;
    if *want == settings.version {
        return Ok(None);
    }
    let refusal = || {
        Diagnostic::error("other-compiler", "the SDK was made with another compiler")
            .note(format!("have {}, want {want}", settings.version))
            .note("a compiler reads the metadata of no other version")
    };
    let chosen_already = std::env::var_os(CHOSEN_VARIABLE).is_some();
    let channel = channel(want);
    let Some(rustup) = rustup().filter(|_| !chosen_already) else {
        return Err(with_advice(refusal(), channel.as_deref()).into());
    };
    let mut found = installed(&rustup, want);
    let offline = arguments.cargo.offline || arguments.cargo.frozen;
    if let (None, false, Some(channel)) = (&found, offline, &channel) {
        say(arguments, "Installing", &format!("the toolchain {channel}, with which the SDK was made"));
        let status = Command::new(&rustup)
            .args(["toolchain", "install", channel, "--profile", "minimal", "--no-self-update"])
            .stdout(Stdio::null())
            .status()
            .doing("run rustup")?;
        if status.success() {
            found = installed(&rustup, want);
        }
    }
    let Some(toolchain) = found else {
        let d = refusal().note("rustup has no such toolchain and could not get one");
        return Err(with_advice(d, channel.as_deref()).into());
    };
    say(arguments, "Toolchain", &format!("{toolchain} (the SDK's; the default is {})", settings.version));
    let this = std::env::current_exe().doing("find this program")?;
    let words: Vec<OsString> = std::env::args_os().skip(1).collect();
    let mut command = Command::new(this);
    command.args(words).env("RUSTUP_TOOLCHAIN", &toolchain).env(CHOSEN_VARIABLE, "1");
    for variable in ["CARGO", "RUSTC", "RUSTDOC"] {
        command.env_remove(variable);
    }
    let status = command.status().doing("run this program again with the SDK's compiler")?;
    Ok(Some(status.code().unwrap_or(1)))
}

/// A line on what is done, in cargo's manner.
fn say(arguments: &BuildArguments, verb: &str, what: &str) {
    match arguments.messages.audience() {
        Some(MessageFormat::Json) => {
            let note = Diagnostic::note_only("toolchain", format!("{} {what}", verb.to_lowercase()));
            note.print(MessageFormat::Json);
        }
        None => {}
        Some(MessageFormat::Human) => crate::terminal::status(verb, what),
    }
}

fn with_advice(d: Diagnostic, channel: Option<&str>) -> Diagnostic {
    match channel {
        Some(channel) => d
            .help(format!(
                "with rustup: `rustup toolchain install {channel}`, then `cargo +{channel} dynplug …`"
            ))
            .help(format!("without: install Rust {channel} and put it first in PATH")),
        None => d.help(
            "this compiler was not built by the Rust project: ask the host's authors where they have it from",
        ),
    }
}

fn rustup() -> Option<PathBuf> {
    let home = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    let candidates = [Some(PathBuf::from("rustup")), home.map(|h| h.join("bin").join("rustup"))];
    candidates.into_iter().flatten().find(|program| {
        let mut command = Command::new(program);
        command.arg("--version").stdout(Stdio::null()).stderr(Stdio::null());
        command.status().is_ok_and(|s| s.success())
    })
}

/// The installed toolchain whose compiler calls itself `want`.
fn installed(rustup: &PathBuf, want: &str) -> Option<String> {
    let text = |words: &[&str]| {
        let output = Command::new(rustup).args(words).stderr(Stdio::null()).output().ok()?;
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
    };
    let list = text(&["toolchain", "list"])?;
    let names = list.lines().filter_map(|line| line.split_whitespace().next());
    names
        .filter(|name| text(&["run", name, "rustc", "-V"]).is_some_and(|v| v.trim() == want))
        .map(str::to_owned)
        .next()
}

/// What rustup calls the toolchain with this compiler; none if the Rust project didn't build it.
pub fn channel(rustc: &str) -> Option<String> {
    let (version, rest) = rustc.strip_prefix("rustc ")?.split_once(" (")?;
    let (details, after) = rest.split_once(')')?;
    let (commit, date) = details.split_once(' ')?;
    let is_commit = commit.len() == 9 && commit.bytes().all(|b| b.is_ascii_hexdigit());
    if !is_commit || !after.is_empty() {
        return None;
    }
    match version.split_once('-') {
        None => Some(version.to_owned()),
        // The day after the last commit is when it is published.
        Some((_, name)) => Some(format!("{}-{}", name.split('.').next()?, day_after(date)?)),
    }
}

/// The day after `YYYY-MM-DD`.
fn day_after(date: &str) -> Option<String> {
    let mut parts = date.splitn(3, '-').map(|p| p.parse::<u32>().ok());
    let (year, month, day) = (parts.next()??, parts.next()??, parts.next()??);
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        4 | 6 | 9 | 11 => 30,
        2 if leap => 29,
        2 => 28,
        _ => 31,
    };
    let (year, month, day) = match (day < days, month < 12) {
        (true, _) => (year, month, day + 1),
        (false, true) => (year, month + 1, 1),
        (false, false) => (year + 1, 1, 1),
    };
    Some(format!("{year:04}-{month:02}-{day:02}"))
}

#[cfg(test)]
mod tests {
    use super::channel;

    #[test]
    fn a_compiler_is_called_as_rustup_calls_it() {
        assert_eq!(channel("rustc 1.95.0 (59807616e 2026-04-14)").as_deref(), Some("1.95.0"));
        assert_eq!(
            channel("rustc 1.97.0-nightly (59807616e 2026-12-31)").as_deref(),
            Some("nightly-2027-01-01")
        );
        assert_eq!(channel("rustc 1.97.0-beta.3 (59807616e 2028-02-28)").as_deref(), Some("beta-2028-02-29"));
        assert_eq!(channel("rustc 1.96.0 (59807616e 2026-04-14) (built from a source tarball)"), None);
        assert_eq!(channel("rustc 1.96.0-dev"), None);
        assert_eq!(channel(""), None);
    }
}
