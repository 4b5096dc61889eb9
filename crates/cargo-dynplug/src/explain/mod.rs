//! `cargo dynplug explain`: what a code means, and what to do.

mod table;

use crate::cli::{ExplainArguments, MessageFormat};
use crate::diagnostic::Diagnostic;
use crate::terminal::{emphasised, line};
use dynplug_manifest::diagnostics::Code;
use table::{Entry, TABLE};

/// Prints what there is to say of each code, or a list of all. Returns the exit code.
pub fn run(arguments: &ExplainArguments) -> i32 {
    let all = all();
    let format = arguments.messages.message_format;
    if arguments.codes.is_empty() {
        all.iter().for_each(|(stage, entry)| list(stage, entry, format));
        return 0;
    }
    let mut code = 0;
    for (place, wanted) in arguments.codes.iter().enumerate() {
        // As it is printed, or alone.
        let name = wanted.trim_matches(['[', ']']);
        let name = name.strip_prefix("dynplug::").unwrap_or(name);
        // Some are said by both.
        let found: Vec<_> = all.iter().filter(|(_, entry)| entry.name == name).collect();
        if found.is_empty() {
            code = 2;
            unknown(name, &all, format);
        }
        for (at, (stage, entry)) in found.into_iter().enumerate() {
            if format == MessageFormat::Human && (place > 0 || at > 0) {
                line!();
            }
            explain(stage, entry, format);
        }
    }
    code
}

/// What is said of a build, and what is said when a plugin is opened or compared.
fn all() -> Vec<(&'static str, Entry)> {
    let opening = Code::ALL.iter().map(|code| {
        let d = code.diagnostic();
        let with_sdk = Some(d.with_sdk).filter(|text| *text != d.remedy);
        (
            "open",
            Entry { name: d.name, title: d.title, explanation: d.explanation, remedy: d.remedy, with_sdk },
        )
    });
    TABLE.iter().map(|entry| ("build", *entry)).chain(opening).collect()
}

fn list(stage: &str, entry: &Entry, format: MessageFormat) {
    match format {
        MessageFormat::Human => line!("{:23} {stage:6} {}", entry.name, entry.title),
        MessageFormat::Json => explain(stage, entry, format),
    }
}

fn explain(stage: &str, entry: &Entry, format: MessageFormat) {
    let Entry { name, title, explanation, remedy, with_sdk } = entry;
    // Which options there are depends on the case.
    let plain = |text: &str| text.replace("{options}", "");
    let remedy = plain(remedy);
    let with_sdk = with_sdk.map(plain);
    match format {
        MessageFormat::Human => {
            let when =
                if stage == "build" { "said by a build" } else { "said when a plugin is opened or checked" };
            line!(
                "{}: {title} ({when})\n\n{}\n\n{}",
                emphasised(name),
                wrapped(explanation),
                wrapped(&format!("To do: {remedy}"))
            );
            if let Some(with_sdk) = with_sdk {
                line!("\n{}", wrapped(&format!("Where the plugin was built with an SDK: {with_sdk}")));
            }
        }
        MessageFormat::Json => line!(
            "{}",
            serde_json::json!({
                "reason": "dynplug-explanation", "code": name, "stage": stage, "title": title,
                "explanation": explanation, "remedy": remedy,
                "remedy_with_sdk": with_sdk,
            })
        ),
    }
}

fn unknown(name: &str, all: &[(&str, Entry)], format: MessageFormat) {
    let d = Diagnostic::error("unknown-code", format!("there is no code `{name}`")).usage();
    let d = d.did_you_mean(name, all.iter().map(|(_, entry)| entry.name));
    d.help("`cargo dynplug explain` lists all").print(format);
}

/// The text in lines that a terminal has room for. What stands between backticks is there to be copied and stays on one.
fn wrapped(text: &str) -> String {
    const WIDTH: usize = 100;
    let (mut lines, mut line) = (Vec::new(), String::new());
    let mut quoted = false;
    let ends = |c: char| {
        quoted ^= c == '`';
        c == ' ' && !quoted
    };
    for word in text.split(ends) {
        if !line.is_empty() && line.chars().count() + 1 + word.chars().count() > WIDTH {
            lines.push(std::mem::take(&mut line));
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    lines.push(line);
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;
    use std::path::Path;

    /// The codes in the sources: the first argument of whatever makes a diagnostic.
    fn codes_in(folder: &Path, codes: &mut BTreeSet<String>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                codes_in(&path, codes);
            } else {
                let text = std::fs::read_to_string(&path).unwrap();
                for start in ["Diagnostic::error(", "Diagnostic::warning(", "Diagnostic::note_only("] {
                    for rest in text.split(start).skip(1) {
                        let quoted = rest.trim_start().strip_prefix('"').and_then(|r| r.split_once('"'));
                        let is_code = |c: &&str| c.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
                        codes.extend(quoted.map(|(code, _)| code).filter(is_code).map(str::to_owned));
                    }
                }
            }
        }
    }

    #[test]
    fn every_code_of_the_tool_is_in_the_table_and_no_other() {
        let mut said = BTreeSet::from([crate::cargo::FAILED.to_owned()]);
        codes_in(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut said);
        let table: Vec<&str> = TABLE.iter().map(|entry| entry.name).collect();
        assert!(table.is_sorted(), "the table is in the order of the names");
        let table: BTreeSet<String> = table.into_iter().map(str::to_owned).collect();
        assert_eq!(said, table);
    }

    #[test]
    fn commands_stay_on_one_line() {
        for (_, Entry { name, remedy, with_sdk, .. }) in all() {
            for text in [Some(remedy), with_sdk].into_iter().flatten() {
                let lines = wrapped(text);
                let whole = lines.lines().all(|line| line.matches('`').count().is_multiple_of(2));
                assert!(whole && lines.replace('\n', " ") == text, "{name}: {lines}");
            }
        }
    }

    #[test]
    fn entries_are_sentences() {
        for Entry { name, title, explanation, remedy, .. } in TABLE {
            assert!(!title.ends_with('.') && title.len() < 90, "{name}: {title}");
            assert!(explanation.ends_with('.') && remedy.ends_with('.'), "{name}");
            assert!(wrapped(explanation).lines().all(|l| l.chars().count() <= 100), "{name}");
        }
    }
}
