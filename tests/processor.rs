//! C11: code for a processor that can do more than this machine's is refused before it could run.

use crate::harness::Fixture;
use dynplug_manifest::cpu;
use dynplug_manifest::manifest::Manifest;
use dynplug_manifest::note;

const PLUGIN: &str = "#[dynplug::init]\nfn start() { println!(\"the plugin ran\") }\n\
                      #[dynplug::export]\npub fn f() { println!(\"f\") }\n";

/// A feature that this machine's processor lacks, among those that the compiler makes no use of by itself: what else
/// is compiled with it runs. None has both of the first, which are of two makers.
fn lacking() -> Option<&'static str> {
    ["kl", "tbm", "sve2-sm4", "mte"].into_iter().find(|feature| cpu::has(feature) == Some(false))
}

// C11
#[test]
fn a_plugin_for_a_newer_processor_is_refused_with_the_features() {
    let Some(feature) = lacking() else {
        eprintln!("skipped: this machine's processor can do everything");
        return;
    };
    let fixture = Fixture::usual("newer", PLUGIN);
    let flags = format!("-Ctarget-feature=+{feature}");
    fixture.build().env("RUSTFLAGS", flags).go().ok();
    let ran = fixture.app().go();
    // Host and plugin are of one build: the processor is all there is to say.
    ran.fails_with(1)
        .says("does not fit this host: 1 difference;")
        .says("[cpu-features]")
        .says(&format!("a processor without {feature}"))
        .says("RUSTFLAGS")
        .does_not_say("the plugin ran");
}

/// A copy of the plugin that says of itself that it was compiled with other features.
fn say_compiled_with(fixture: &Fixture, feature: &str) {
    let file = fixture.plugin_file("hello");
    let mut bytes = std::fs::read(&file).unwrap();
    let start = "DYNPLUG\0".as_bytes();
    let at = bytes.windows(start.len()).position(|w| w == start).expect("a plugin carries a manifest");
    let length = bytes[at + 12..at + 16].try_into().map(u32::from_le_bytes).unwrap() as usize;
    let mut manifest = Manifest::decode(&bytes[at..at + length]).unwrap();
    manifest.cpu_features = vec![feature.to_owned()];
    // Room for the feature is made by taking from what nothing is decided by.
    for info in &mut manifest.crates {
        info.settings.clear();
    }
    let mut forged = manifest.encode();
    let room = length.checked_sub(forged.len() + 6).expect("there is room for the feature");
    // A field with a tag that nobody knows fills what is left.
    forged.extend(0x7fff_u16.to_le_bytes());
    forged.extend(u32::try_from(room).unwrap().to_le_bytes());
    forged.resize(length, 0);
    let total = u32::try_from(length).unwrap().to_le_bytes();
    forged[12..16].copy_from_slice(&total);
    assert_eq!(Manifest::decode(&forged).as_ref(), Ok(&manifest));
    bytes[at..at + length].copy_from_slice(&forged);
    assert!(note::find(&bytes[at - 20..]).is_some_and(|found| found == forged));
    std::fs::write(&file, bytes).unwrap();
}

// C11
#[test]
fn only_what_the_processor_lacks_is_a_reason() {
    let (has, lacks) = if cfg!(target_arch = "x86_64") { ("sse2", "avx512f") } else { ("neon", "sve2-sm4") };
    let fixture = Fixture::usual("newer-plugin", PLUGIN);
    fixture.build().go().ok();
    say_compiled_with(&fixture, has);
    fixture.app().go().ok().prints("the plugin ran\nf");
    let Some(false) = cpu::has(lacks) else {
        eprintln!("skipped: this machine's processor can do everything");
        return;
    };
    say_compiled_with(&fixture, lacks);
    fixture.app().go().fails_with(1).says("[cpu-features]").says(lacks).does_not_say("the plugin ran");
}
