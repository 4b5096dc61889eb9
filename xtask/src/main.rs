//! The chores of this repository: `cargo xtask <chore>`.

mod bench;
mod platforms;

/// A chore: its name, what it does, and the function that does it, given the words after the name.
type Chore = (&'static str, &'static str, fn(&[String]) -> Result<i32, String>);

const CHORES: &[Chore] = &[
    (
        "bench",
        "measure dynplug against its peers: [MEASUREMENT…] [--quick] [--rounds N] [--results FOLDER]",
        bench::main,
    ),
    (
        "platforms",
        "check, build and run for every target that this machine can: [TARGET…] [--json] [--check]",
        platforms::main,
    ),
];

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let chore = words.first().and_then(|name| CHORES.iter().find(|(n, ..)| n == name));
    let code = match chore {
        Some((_, _, run)) => run(words.get(1..).unwrap_or_default()).unwrap_or_else(|why| {
            eprintln!("error: {why}");
            1
        }),
        None => {
            eprintln!("cargo xtask CHORE");
            for (name, what, _) in CHORES {
                eprintln!("  {name}  {what}");
            }
            2
        }
    };
    std::process::exit(code);
}
