//! Plugins that run elsewhere: in an example of which one line is changed, and from bundles that have the API library that they were
//! built with.

use crate::harness::Fixture;
use minisign::KeyPair;
use std::fs;
use std::path::{Path, PathBuf};

/// Starts the plugin in a folder, by a policy if there is a key, and has it greet.
const HOST: &str = r#"
use app_api::dynplug::Loader;
use app_api::dynplug::apart::{OwnProcess, Restart, RunIn};
use app_api::dynplug::trust::{Policy, PublicKey};

fn main() {
    let mut words = std::env::args().skip(1);
    let loader = Loader::new().folder(words.next().expect("it is given a folder"));
    let loader = match words.next() {
        Some(key) => loader.policy(Policy::new().key(PublicKey::read(key).expect("it is a key").named("authors"))),
        None => loader,
    };
    let loader = loader.run_in(RunIn::HostIfItFits).own_process(OwnProcess::new().restart(Restart::never()));
    // SAFETY: the test has built it.
    match unsafe { loader.start("worker") } {
        Ok(plugin) => {
            println!("started {}", if plugin.in_host().is_some() { "here" } else { "there" });
            let greet = plugin.function::<fn(&str) -> String>("greet").expect("it has it");
            println!("{}", greet.call(("you",)).expect("it greets"));
        }
        Err(error) => println!("refused: {error}"),
    }
}
"#;

/// The only file in a folder with this ending.
fn only(folder: &Path, ending: &str) -> PathBuf {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut found: Vec<PathBuf> = entries.filter(|path| path.to_str().unwrap().ends_with(ending)).collect();
    assert_eq!(found.len(), 1, "{found:?}");
    found.remove(0)
}

#[test]
fn a_bundle_of_plugins_with_their_api_library_runs_beside_a_later_host_and_a_policy_is_asked_about_both() {
    let old = Fixture::empty("plugins to bundle");
    let policies = |fixture: &Fixture| {
        fixture.copy("processes").file("app/src/main.rs", HOST);
        fixture.replace("app-api/Cargo.toml", "[\"process\"]", "[\"process\", \"trust\"]");
    };
    policies(&old);
    let pair = KeyPair::generate_unencrypted_keypair().unwrap();
    let secret = old.root().join("authors.key");
    fs::write(&secret, pair.sk.to_box(None).unwrap().to_string()).unwrap();
    let new = Fixture::empty("a later host");
    let bundle = new.root().join("elsewhere/worker");
    let call = old.tool("bundle").args(["--plugins", "--strip", "debuginfo"]).arg("--sign").arg(&secret);
    call.arg("-o").arg(&bundle).go().ok();
    let library = only(&bundle.join("lib"), ".so");
    let readme = fs::read_to_string(bundle.join("README.md")).unwrap();
    assert!(readme.starts_with("# worker 0.1.0\n\nPlugins, and in `lib`"), "{readme}");

    policies(&new);
    new.replace("app-api/src/lib.rs", "// A later version has more.", "/// When.\n    pub hour: u8,");
    new.replace("app-api/src/lib.rs", "way: Way::Nowhere }", "way: Way::Nowhere, hour: 7 }");
    // What the author had is gone.
    drop(old);
    let shipped = new.root().join("shipped");
    new.tool("bundle")
        .args(["-p", "app", "-p", "worker", "--strip", "debuginfo"])
        .arg("-o")
        .arg(&shipped)
        .go()
        .ok();
    let start = |key: Option<&Path>| {
        let call = new.run(&shipped.join("app")).arg(&bundle);
        key.into_iter().fold(call, |call, key| call.arg(key)).go()
    };
    let key = new.root().join("authors.pub");
    fs::write(&key, pair.pk.to_box().unwrap().to_string()).unwrap();
    for key in [None, Some(&*key)] {
        start(key).ok().says("started there\n").says("Hello, you\n");
    }
    // A library that nobody has signed, beside a plugin that somebody has.
    let signature = only(&bundle.join("lib"), ".minisig");
    let signed = fs::read(&signature).unwrap();
    fs::remove_file(&signature).unwrap();
    let name = library.file_name().unwrap().to_str().unwrap();
    start(Some(&key)).says("refused: ").says(name).says("nobody has signed it").does_not_say("started");
    start(None).ok().says("started there\n");
    // One that was changed since.
    fs::write(&signature, signed).unwrap();
    let mut bytes = fs::read(&library).unwrap();
    bytes.push(0);
    fs::write(&library, bytes).unwrap();
    start(Some(&key)).says("refused: ").says(name).does_not_say("started");
}

#[test]
fn the_smallest_example_runs_its_plugin_elsewhere_by_one_line_of_the_host() {
    let fixture = Fixture::example("hello elsewhere", "hello");
    // A runner that tells which process it has become.
    let told = fixture.path("told");
    let run = || {
        fixture.build().args(["--features", "process"]).go().ok();
        let runner = fixture.outcome("dynplug-runner");
        fs::rename(&runner, fixture.outcome("the runner")).unwrap();
        let (told, real) = (told.display(), fixture.outcome("the runner"));
        let script = format!("#!/bin/sh\necho $$ >> '{told}'\nexec '{}' \"$@\"\n", real.display());
        fs::write(&runner, script).unwrap();
        fs::set_permissions(&runner, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
        fixture.run(&fixture.program("hello-anywhere")).go()
    };
    run().ok().prints("Hello, number 0\nV is 0");
    assert!(!told.exists(), "there was another process");
    fixture.replace("anywhere/src/main.rs", "loader.run_in(RunIn::Host)", "loader.run_in(RunIn::OwnProcess)");
    run().ok().prints("Hello, number 0\nV is 0");
    assert_eq!(fs::read_to_string(&told).unwrap().lines().count(), 1);
    // And it is the plugin that runs there.
    fs::remove_file(fixture.outcome("the runner")).unwrap();
    fixture.run(&fixture.program("hello-anywhere")).go().fails_with(1).does_not_say("Hello");
}
