//! Init functions: each runs once, in its order, and leaves a record of how that went.

use crate::__private::InitEntry;
use crate::error::{InitError, InitFailure};
use crate::events;
use dynplug_manifest::manifest::CrateInfo;
use dynplug_manifest::order;
use dynplug_manifest::record::Fields;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

/// How one init function went.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct InitRecord {
    /// The package of the plugin that it ran for; of the API crate, for a shared crate's; of the program, for one of the
    /// program's own; empty for both of these in a program that plain cargo built.
    pub plugin: String,
    /// The package that it is from.
    pub package: &'static str,
    /// The crate that it is from, as Rust code writes it.
    pub crate_name: &'static str,
    /// Its name.
    pub function: &'static str,
    /// The source file, as `file!()` gives it.
    pub file: &'static str,
    /// The line in that file, counted from 1.
    pub line: u32,
    /// How long it took.
    pub duration: Duration,
    /// How it ended.
    pub outcome: Result<(), InitFailure>,
}

static SHARED: OnceLock<Vec<InitRecord>> = OnceLock::new();

/// How the init functions that run with the program went, in the order in which they ran: those of the shared crates, and
/// of crates of the program that are in no plugin. Empty as long as they have not run to their end.
///
/// A plugin's own are in [`Plugin::init_report`](crate::Plugin::init_report).
///
/// # Examples
///
/// ```
/// # fn main() -> Result<(), dynplug::InitError> {
/// dynplug::init()?;
/// for record in dynplug::init_report() {
///     println!("{} of {}: {:?}", record.function, record.package, record.duration);
/// }
/// # Ok(())
/// # }
/// ```
pub fn init_report() -> &'static [InitRecord] {
    SHARED.get().map(|records| &records[..]).unwrap_or_default()
}

/// Runs the init functions that run with the program. To be called once.
pub(crate) fn shared() -> Result<(), InitError> {
    let (records, outcome) = crate::linked::linked().run_program();
    SHARED.get_or_init(|| records);
    outcome
}

/// Runs init functions in their order: crates before those that depend on them, inside a crate by file and line. Stops
/// at the first that fails.
pub(crate) fn run(
    plugin: &str,
    mut inits: Vec<(&'static InitEntry, Fields<'static>)>,
    crates: &[CrateInfo],
) -> (Vec<InitRecord>, Result<(), InitError>) {
    order::sort(&mut inits, crates, |(_, fields)| *fields);
    let mut records = Vec::with_capacity(inits.len());
    for (entry, fields) in inits {
        let began = Instant::now();
        let outcome = call(entry);
        let record = InitRecord {
            plugin: plugin.to_owned(),
            package: fields.package,
            crate_name: fields.crate_name(),
            function: fields.name,
            file: fields.file,
            line: fields.line,
            duration: began.elapsed(),
            outcome,
        };
        events::initialised(&record);
        let failed = record.outcome.clone().err();
        records.push(record);
        if let Some(failure) = failed {
            let error = InitError::Failed {
                package: fields.package.to_owned(),
                function: fields.name.to_owned(),
                place: format!("{}:{}", fields.file, fields.line),
                failure,
            };
            return (records, Err(error));
        }
    }
    (records, Ok(()))
}

fn call(entry: &InitEntry) -> Result<(), InitFailure> {
    match catch_unwind(AssertUnwindSafe(|| entry.run())) {
        Ok(outcome) => outcome.map_err(|error| InitFailure::Error(Arc::from(error))),
        Err(payload) => {
            let failure = InitFailure::of_panic(&*payload);
            // Dropping it may panic again, and nobody would be told of that one.
            std::mem::forget(payload);
            Err(failure)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use dynplug_manifest::record::{Kind, encode, encoded_len};

    macro_rules! entry {
        ($name:literal, $line:literal, $run:expr) => {{
            const FIELDS: Fields<'static> = Fields {
                kind: Kind::Init,
                flags: 0,
                line: $line,
                column: 1,
                obstacles: 0,
                name: $name,
                signature: "",
                docs: "",
                package: "p",
                version: "1.0.0",
                module: "p::inner",
                file: "src/lib.rs",
                below: "",
            };
            static META: [u8; encoded_len(&FIELDS)] = encode(&FIELDS);
            static ENTRY: InitEntry = InitEntry::new(&META, $run);
            (&ENTRY, FIELDS)
        }};
    }

    struct Bomb;

    impl Drop for Bomb {
        fn drop(&mut self) {
            panic!("dropped");
        }
    }

    #[test]
    fn they_run_by_line_and_stop_at_the_first_failure() {
        let never = entry!("never", 9, || unreachable!());
        let fails = entry!("fails", 5, || Err("no disk".into()));
        let works = entry!("works", 2, || Ok(()));
        let (records, outcome) = run("plug", vec![never, fails, works], &[]);
        let ran: Vec<_> = records.iter().map(|r| (r.function, r.line, r.outcome.is_ok())).collect();
        assert_eq!(ran, [("works", 2, true), ("fails", 5, false)]);
        assert_eq!(records[0].plugin, "plug");
        assert_eq!(records[0].crate_name, "p");
        let text = outcome.unwrap_err().to_string();
        assert_eq!(text, "the init function `fails` of `p` at src/lib.rs:5 failed: no disk");
    }

    #[test]
    fn a_panic_is_an_error_even_with_a_payload_that_panics() {
        let bomb = entry!("bomb", 1, || std::panic::panic_any(Bomb));
        let (_, outcome) = run("plug", vec![bomb], &[]);
        assert!(outcome.unwrap_err().to_string().contains("panicked"));
    }
}
