//! What the program prints where: colours and links, closed pipes, help, completions and man pages.

use std::io::Read;
use std::path::Path;
use std::process::{Command, Output, Stdio};

fn dynplug(words: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cargo-dynplug"));
    command.arg("dynplug").args(words);
    for name in ["NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "CARGO_TERM_COLOR", "FORCE_HYPERLINK"] {
        command.env_remove(name);
    }
    command
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

fn is_coloured(command: &mut Command) -> bool {
    text(&command.output().unwrap()).contains("\u{1b}[")
}

#[test]
fn colours_are_there_where_they_are_wanted_and_nowhere_else() {
    // The one is for standard error, the next for standard output, the last is clap's own.
    for words in [&["explain", "no-such-code"][..], &["explain", "no-sdk"], &["help", "build"]] {
        assert!(!is_coloured(&mut dynplug(words)), "{words:?}: no terminal");
        let before = [&["--color=always"], words].concat();
        assert!(is_coloured(&mut dynplug(&before)), "{before:?}");
        assert!(is_coloured(dynplug(words).env("CARGO_TERM_COLOR", "always")), "{words:?}");
        assert!(is_coloured(dynplug(words).env("CLICOLOR_FORCE", "1")), "{words:?}");
        let never = [&["--color=never"], words].concat();
        assert!(!is_coloured(dynplug(&never).env("CLICOLOR_FORCE", "1")), "{never:?}");
        assert!(!is_coloured(dynplug(words).env("CARGO_TERM_COLOR", "never").env("CLICOLOR_FORCE", "1")));
        assert!(!is_coloured(dynplug(words).env("NO_COLOR", "1")), "{words:?}");
    }
}

#[test]
fn colours_change_nothing_of_the_text() {
    let plain = dynplug(&["explain", "no-such-code"]).output().unwrap();
    let coloured = dynplug(&["explain", "no-such-code", "--color=always"]).output().unwrap();
    let stripped = anstream::adapter::strip_str(&text(&coloured)).to_string();
    assert_eq!(stripped, text(&plain));
}

#[test]
fn files_are_links_where_the_terminal_takes_links() {
    let own = env!("CARGO_BIN_EXE_cargo-dynplug");
    let inspect = |links: &str, color: &str| {
        let mut command = dynplug(&["inspect", own, color]);
        text(&command.env("FORCE_HYPERLINK", links).output().unwrap())
    };
    let shown = inspect("1", "--color=always");
    assert!(shown.starts_with("\u{1b}]8;;file:///"), "{shown}");
    assert!(shown.contains(&format!("\u{1b}\\{own}\u{1b}]8;;\u{1b}\\: an executable")), "{shown}");
    assert!(!inspect("0", "--color=always").contains("]8;;"));
    assert!(!inspect("1", "--color=never").contains("]8;;"));
}

#[test]
fn where_nobody_reads_any_more_the_program_ends_quietly() {
    let own = env!("CARGO_BIN_EXE_cargo-dynplug");
    let many: Vec<&str> = std::iter::once("inspect").chain(std::iter::repeat_n(own, 40)).collect();
    for words in [&many[..], &["explain"], &["completions", "bash"], &["explain", "--message-format=json"]] {
        let mut child = dynplug(words).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        // Closed before anything is read: whatever is printed from now on finds nobody.
        drop(child.stdout.take());
        let mut said = String::new();
        child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
        let status = child.wait().unwrap();
        assert_eq!((status.code(), said.as_str()), (Some(141), ""), "{words:?}");
    }
}

#[test]
fn help_teaches() {
    let help = text(&dynplug(&["--help"]).output().unwrap());
    for part in
        ["Begin a project:", "Build and run:", "Look at files:", "  check        Say whether", "Options:"]
    {
        assert!(help.contains(part), "{part}\n{help}");
    }
    let long = text(&dynplug(&["help", "check"]).output().unwrap());
    assert_eq!(long, text(&dynplug(&["check", "--help"]).output().unwrap()));
    assert!(long.contains("Exit code: 0 if all fit") && long.contains("Examples:\n"), "{long}");
}

/// What bash completes the last of these words to.
fn completed(script: &Path, setup: &str, words: &[&str]) -> Vec<String> {
    let quoted: Vec<String> = words.iter().map(|w| format!("'{w}'")).collect();
    let code = format!(
        "{setup}\nsource '{}'\nCOMP_WORDS=({}); COMP_CWORD={}\n\
         known=$(complete -p {}); [[ $known =~ -F\\ ([^ ]+) ]]\n\
         \"${{BASH_REMATCH[1]}}\" '{}' \"${{COMP_WORDS[COMP_CWORD]}}\" \"${{COMP_WORDS[COMP_CWORD-1]}}\"\n\
         printf '%s\\n' \"${{COMPREPLY[@]}}\"",
        script.display(),
        quoted.join(" "),
        words.len() - 1,
        words[0],
        words[0],
    );
    let output = Command::new("bash").args(["--norc", "-c", &code]).output().unwrap();
    assert!(output.stderr.is_empty(), "{}", text(&output));
    text(&output).lines().map(str::to_owned).filter(|l| !l.is_empty()).collect()
}

#[test]
fn bash_completes_the_program_and_the_subcommand_of_cargo() {
    let folder = tempfile::tempdir().unwrap();
    let script = folder.path().join("cargo-dynplug");
    std::fs::write(&script, dynplug(&["completions", "bash"]).output().unwrap().stdout).unwrap();
    let accepted = Command::new("bash").arg("-n").arg(&script).output().unwrap();
    assert!(accepted.status.success() && accepted.stderr.is_empty(), "{}", text(&accepted));

    // cargo's own completion, as far as it matters here.
    let cargo = "_cargo() { COMPREPLY=(of-cargo); }; complete -F _cargo cargo";
    for (words, wanted) in [
        (&["cargo-dynplug", "insp"][..], "inspect"),
        (&["cargo", "dynplug", "insp"], "inspect"),
        (&["cargo", "+nightly", "dynplug", "-q", "expl"], "explain"),
        (&["cargo", "dynplug", "build", "--manif"], "--manifest-path"),
        (&["cargo-dynplug", "check", "--ho"], "--host"),
        (&["cargo", "dynplug", "completions", "po"], "powershell"),
        (&["cargo", "bu"], "of-cargo"),
        (&["cargo", "dynpl"], "of-cargo"),
    ] {
        for setup in [cargo, &format!("{cargo}; set -u")] {
            assert_eq!(completed(&script, setup, words), [wanted], "{words:?}");
        }
    }
    assert!(completed(&script, "", &["cargo", "bu"]).is_empty(), "without cargo's own completion");
}

#[test]
fn every_shell_has_completions_that_name_every_subcommand() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let script = text(&dynplug(&["completions", shell]).output().unwrap());
        for name in ["build", "inspect", "completions"] {
            assert!(script.contains(name), "{shell}: {name}");
        }
        // Where the shell itself is there, it says whether it takes the script.
        if matches!(shell, "fish" | "zsh") {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("_cargo-dynplug");
            std::fs::write(&path, &script).unwrap();
            match Command::new(shell).arg("-n").arg(&path).output() {
                Ok(output) => assert!(output.status.success(), "{}", text(&output)),
                Err(_) => eprintln!("skipped: there is no {shell} here"),
            }
        }
    }
    assert_eq!(dynplug(&["completions", "cmd"]).output().unwrap().status.code(), Some(2));
}

#[test]
fn a_man_page_is_printed_where_no_folder_is_named() {
    let page = |words: &[&str]| dynplug(&[&["man"], words].concat()).output().unwrap();
    assert!(text(&page(&[])).contains(".TH cargo-dynplug 1"));
    assert!(text(&page(&["build"])).contains(".TH cargo-dynplug-build 1"));
    let unknown = page(&["biuld"]);
    assert_eq!(unknown.status.code(), Some(2));
    assert!(text(&unknown).contains("error[dynplug::unknown-subcommand]"), "{}", text(&unknown));
    assert!(text(&unknown).contains("did you mean `build`?"), "{}", text(&unknown));
    // A message for programs says where the pages are.
    assert_eq!(page(&["--message-format", "json"]).status.code(), Some(2));
}

#[test]
fn each_subcommand_has_a_man_page_that_is_set_without_a_warning() {
    let folder = tempfile::tempdir().unwrap();
    let pages = folder.path().join("new").join("man1");
    let output = dynplug(&["man", "-o", pages.to_str().unwrap()]).output().unwrap();
    assert!(output.status.success(), "{}", text(&output));
    let mut count = 0;
    for entry in std::fs::read_dir(&pages).unwrap() {
        let path = entry.unwrap().path();
        count += 1;
        let page = std::fs::read_to_string(&path).unwrap();
        let name = path.file_stem().unwrap().to_str().unwrap();
        assert!(page.contains(&format!(".TH {name} 1")), "{page}");
        assert!(page.is_ascii(), "{page}");
        if name != "cargo-dynplug" {
            assert!(page.contains(".SH EXAMPLES"), "{page}");
        }
        match Command::new("groff").args(["-man", "-ww", "-z"]).arg(&path).output() {
            Ok(set) => assert!(set.status.success() && set.stderr.is_empty(), "{name}: {}", text(&set)),
            Err(_) => eprintln!("skipped: there is no groff here"),
        }
    }
    assert!(count > 12, "{count} pages");
    assert!(pages.join("cargo-dynplug-inspect.1").is_file());
}
