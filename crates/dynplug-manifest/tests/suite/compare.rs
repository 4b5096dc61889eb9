//! Whether a plugin fits a host, rule by rule.

use crate::cases::{API, BYTES, Case, MODEL, SERDE, fitting, info, private};
use crate::samples::{Numbers, any_manifest};
use dynplug_manifest::compare::{Host, Loaded, Machine, Side, compare, required_features};
use dynplug_manifest::cpu;
use dynplug_manifest::diagnostics::Code;
use dynplug_manifest::{Identity, Manifest, Product};
use std::collections::BTreeSet;
use std::path::Path;

fn whats(case: &Case, code: Code) -> Vec<String> {
    case.differences().into_iter().filter(|d| d.code == code).map(|d| d.what).collect()
}

#[test]
fn what_was_built_together_fits() {
    assert_eq!(fitting().codes(), [""; 0]);
}

// C13
#[test]
fn what_is_the_plugins_own_affair_does_not_matter() {
    let case = fitting().with(|c| {
        c.plugin.version = "9.9.9".to_owned();
        c.plugin.profile = "debug".to_owned();
        // The same build by another tool, from another folder.
        c.plugin.tool = "0.0.1".to_owned();
        for at in [API, MODEL] {
            c.plugin.crates[at].source = "path".to_owned();
        }
        for setting in ["opt-level", "debug-assertions", "overflow-checks"] {
            c.plugin.crates[4].settings.push((setting.to_owned(), "3".to_owned()));
        }
    });
    assert_eq!(case.codes(), [""; 0]);
}

#[test]
fn every_code_has_an_entry_and_a_name_of_its_own() {
    let names: BTreeSet<&str> = Code::ALL.iter().map(|code| code.name()).collect();
    assert_eq!(names.len(), Code::ALL.len());
    for code in Code::ALL {
        let entry = code.diagnostic();
        assert_eq!(entry.code, *code);
        assert_eq!(Code::from_name(entry.name), Some(*code));
        assert!(entry.name.bytes().all(|b| b.is_ascii_lowercase() || b == b'-'), "{}", entry.name);
        assert!(entry.explanation.len() > 100 && entry.explanation.ends_with('.'), "{}", entry.name);
        assert!(!entry.title.is_empty() && !entry.title.ends_with('.') && !entry.remedy.is_empty());
        assert!(!entry.explanation.contains("  ") && !entry.remedy.contains("  "), "{}", entry.name);
    }
    assert_eq!(Code::from_name("no such code"), None);
}

#[test]
fn what_a_remedy_is_filled_with_is_not_looked_at_again() {
    let remedy = Code::CrateFeatures.diagnostic().remedy_for(false, &[("plugin", "{crate}"), ("crate", "x")]);
    assert!(remedy.contains("-p {crate}") && remedy.contains("`x`") && remedy.contains("{features}"));
}

/// The remedies of all differences.
fn remedies(case: &Case) -> Vec<(&'static str, String)> {
    case.differences().into_iter().map(|d| (d.code.name(), d.remedy)).collect()
}

/// The ways in which a plugin and what it was compiled against differ from the host.
fn ways() -> Vec<Case> {
    let all = [BYTES, SERDE, MODEL, API];
    vec![
        fitting().with(|c| c.plugin.target = "aarch64-apple-darwin".to_owned()).changed(&all),
        fitting().with(|c| c.plugin.rustc = "rustc 1.96.0 (ac68faa20 2026-05-25)".to_owned()).changed(&all),
        fitting().with(|c| c.plugin.tool = "0.2.0".to_owned()).changed(&all),
        fitting().with(|c| c.plugin.api.version = "2.0.9".to_owned()).changed(&[API]),
        fitting().with(|c| c.plugin.api.soname = "libchat_api.so".to_owned()),
        fitting().with(|c| c.plugin.crates[SERDE].version = "1.0.210".to_owned()).changed(&[SERDE]),
        fitting().with(|c| c.plugin.crates[BYTES].source = "git+x".to_owned()).changed(&[BYTES]),
        fitting().with(|c| c.plugin.crates[SERDE].features.clear()).changed(&[SERDE]),
        fitting()
            .with(|c| c.host.crates[API].settings.push(("opt-level".into(), "3".into())))
            .changed(&[API]),
        fitting()
            .with(|c| c.host.crates[API].settings.push(("panic".into(), "abort".into())))
            .changed(&[API]),
        fitting().with(|c| c.host.crates.push(info("uuid", "1.16.0", &[]))).changed(&[API]),
        fitting().with(|c| c.plugin.crates.push(info("uuid", "1.16.0", &[]))).changed(&[API]),
        fitting().changed(&[API]),
        fitting().rebuilt(),
    ]
}

// C10
#[test]
fn a_plugin_that_was_built_with_an_sdk_is_told_to_take_the_hosts_sdk() {
    for case in ways() {
        let case = case.with(|c| c.plugin.with_sdk = true);
        assert!(!case.differences().is_empty());
        for (code, remedy) in remedies(&case) {
            let builds = remedy.contains("`cargo dynplug build -p greeter --sdk FILE`")
                || remedy.contains("`cargo dynplug build -p greeter --target");
            assert!(builds && remedy.contains("SDK") && remedy.contains("--sdk FILE`"), "{code}: {remedy}");
            assert!(!remedy.contains("`cargo dynplug build`"), "{code}: {remedy}");
        }
    }
}

// C10
#[test]
fn a_plugin_of_the_hosts_workspace_is_told_to_build_itself_with_the_hosts_profile() {
    for (of_host, of_plugin, options) in [
        ("dev", "dev", ""),
        ("dev", "release", " --profile dev"),
        ("release", "dev", " --profile release"),
        ("release", "release", " --profile release"),
        ("for size", "dev", " --profile 'for size'"),
    ] {
        for case in ways() {
            let case = case.with(|c| {
                c.host.profile = of_host.to_owned();
                c.plugin.profile = of_plugin.to_owned();
            });
            for (code, remedy) in remedies(&case) {
                let commands: Vec<&str> =
                    remedy.split('`').filter(|part| part.contains("dynplug build")).collect();
                assert!(!commands.is_empty() && !remedy.contains("SDK"), "{code}: {remedy}");
                for command in commands.iter().filter(|command| !command.ends_with(" NAME")) {
                    // Of settings, the profile is said even where it is cargo's own.
                    let said = code == "settings" && command.contains(" --profile ");
                    let as_wanted = match options {
                        "" => said || !command.contains("--profile"),
                        options => command.contains(options),
                    };
                    assert!(as_wanted, "{code}, {of_host}, {of_plugin}: {remedy}");
                }
            }
        }
    }
}

#[test]
fn another_target_is_told_first() {
    let case = fitting().with(|c| c.plugin.target = "aarch64-apple-darwin".to_owned()).changed(&[BYTES, API]);
    assert_eq!(case.codes(), ["target", "identity"]);
}

// C1
#[test]
fn another_compiler_is_named_on_both_sides_and_hides_what_follows_from_it() {
    let case = fitting()
        .with(|c| c.plugin.rustc = "rustc 1.96.0 (ac68faa20 2026-05-25)".to_owned())
        .changed(&[BYTES, SERDE, MODEL, API]);
    let differences = case.differences();
    assert_eq!(case.codes(), ["compiler", "identity"]);
    assert!(differences[0].host.contains("1.95.0") && differences[0].plugin.contains("1.96.0"));
    assert!(differences[0].remedy.contains("rustup toolchain install 1.95.0"));
}

#[test]
fn another_api_crate_is_not_compared_crate_by_crate() {
    let case = fitting().with(|c| c.plugin.api.package = "editor-api".to_owned()).changed(&[SERDE]);
    assert_eq!(case.codes(), ["api-crate", "identity"]);
}

#[test]
fn an_older_plugin_changes_and_of_a_newer_one_either() {
    for (version, side) in [
        ("2.0.9", Side::Plugin),
        ("2.1.0-rc.1", Side::Plugin),
        ("2.10.0", Side::Either),
        ("10.0.0", Side::Either),
    ] {
        let case = fitting().with(|c| c.plugin.api.version = version.to_owned());
        assert_eq!(case.codes(), ["api-version"]);
        assert_eq!(case.differences()[0].side, side, "{version}");
    }
}

// C10
#[test]
fn changed_source_names_the_crate_and_not_those_above_it() {
    let case = fitting()
        .with(|c| {
            for crates in [&mut c.host.crates, &mut c.plugin.crates] {
                crates.iter_mut().for_each(|info| info.source = "registry+x".to_owned());
            }
        })
        .changed(&[BYTES, MODEL, API]);
    // What a registry has under a version nobody edits.
    assert_eq!(case.codes(), ["identity", "crate-build"]);
    assert!(whats(&case, Code::CrateBuild)[0].contains("`bytes`"));
    assert!(whats(&case, Code::Identity)[0].contains("2 crates that depend on it"));
}

// C10
#[test]
fn crates_that_people_edit_are_each_named() {
    let case = fitting().edited(&[MODEL, API]);
    assert_eq!(case.codes(), ["identity", "crate-content", "crate-content"]);
    // The source is the same and only the id follows from the crate below.
    let case = fitting().edited(&[MODEL]).followed(&[API]);
    assert_eq!(case.codes(), ["identity", "crate-content"]);
    assert!(whats(&case, Code::CrateContent)[0].contains("`model`"));
}

// C10
#[test]
fn other_source_is_told_beside_other_settings() {
    let release = |c: &mut Case| {
        for info in &mut c.host.crates {
            info.settings.push(("opt-level".to_owned(), "3".to_owned()));
        }
    };
    let all = [BYTES, SERDE, MODEL, API];
    // Other settings make something else of every crate, which says nothing of its source.
    assert_eq!(fitting().with(release).changed(&all).codes(), ["identity", "settings"]);
    let case = fitting().with(release).edited(&[MODEL]).changed(&[BYTES, SERDE, API]);
    assert_eq!(case.codes(), ["identity", "settings", "crate-content"]);
    assert!(whats(&case, Code::CrateContent)[0].contains("`model`"));
    // A tool that doesn't say leaves it open.
    let case = case.with(|c| c.plugin.crates[MODEL].code = [0; 32]);
    assert_eq!(case.codes(), ["identity", "settings"]);
}

// C10
#[test]
fn another_build_of_one_source_with_the_same_settings_is_told_as_such() {
    assert_eq!(fitting().changed(&[BYTES]).codes(), ["identity", "crate-build"]);
    assert_eq!(fitting().changed(&[MODEL]).codes(), ["identity", "crate-build"]);
    assert_eq!(fitting().edited(&[MODEL]).codes(), ["identity", "crate-content"]);
    let unknown = |c: &mut Case| c.host.crates[MODEL].code = [0; 32];
    assert_eq!(fitting().with(unknown).changed(&[MODEL]).codes(), ["identity", "crate-content"]);
}

// C10
#[test]
fn a_dependencys_version_features_and_source_are_told() {
    let changed = |change: fn(&mut Case)| fitting().with(change).changed(&[SERDE, MODEL]).codes();
    let serde = |c: &mut Case| c.plugin.crates[SERDE].version = "1.0.1".to_owned();
    assert!(changed(serde).contains(&"crate-version"));
    let serde = |c: &mut Case| c.host.crates[SERDE].features.push("rc".to_owned());
    assert!(changed(serde).contains(&"crate-features"));
    let serde = |c: &mut Case| c.plugin.crates[SERDE].source = "git+https://example.com/serde#1".to_owned();
    assert!(changed(serde).contains(&"crate-source"));
    let serde = |c: &mut Case| c.plugin.crates[SERDE].features.retain(|feature| feature != "default");
    assert!(!changed(serde).contains(&"crate-features"), "`default` alone means nothing");
}

// C12
#[test]
fn several_versions_of_one_package_meet_their_own() {
    let case = fitting()
        .with(|c| {
            c.host.crates.extend([info("syn", "1.0.109", &[]), info("syn", "2.0.100", &[])]);
            c.plugin.crates.extend([info("syn", "2.0.100", &[]), info("syn", "1.0.100", &[])]);
        })
        .rebuilt();
    let versions: Vec<_> = case.differences().into_iter().filter(|d| d.code == Code::CrateVersion).collect();
    assert_eq!(versions.len(), 1);
    assert_eq!((&*versions[0].host, &*versions[0].plugin), ("syn 1.0.109", "syn 1.0.100"));
}

#[test]
fn crates_of_one_side_only_are_told_with_that_side() {
    let case = fitting()
        .with(|c| {
            c.host.crates.push(info("uuid", "1.0.0", &[]));
            c.plugin.crates.push(info("log", "0.4.0", &[]));
        })
        .rebuilt();
    assert_eq!(case.codes(), ["identity", "crate-only-in-host", "crate-only-in-plugin"]);
}

#[test]
fn settings_of_all_crates_are_told_once() {
    let case = fitting()
        .with(|c| c.host.crates.iter_mut().for_each(|i| i.settings.push(("opt-level".into(), "3".into()))))
        .changed(&[BYTES, SERDE, MODEL, API]);
    assert_eq!(case.codes(), ["identity", "settings"]);
    assert!(whats(&case, Code::Settings)[0].starts_with("4 shared crates"));
}

#[test]
fn when_only_the_identity_differs_native_code_or_std_does() {
    assert_eq!(fitting().rebuilt().codes(), ["identity", "native-code"]);
}

#[test]
fn a_private_crate_that_aborts_does_not_fit_a_host_that_unwinds() {
    let case = fitting().with(|c| c.plugin.crates[5].settings.push(("panic".into(), "abort".into())));
    assert_eq!(case.codes(), ["abi-settings"]);
    let case = case.with(|c| {
        c.plugin.crates.iter_mut().chain(&mut c.host.crates).for_each(|info| {
            info.settings.push(("panic".into(), "abort".into()));
        });
    });
    assert_eq!(case.codes(), [""; 0]);
}

// C11
#[test]
fn features_that_the_processor_lacks_are_named() {
    for feature in ["avx512f", "+avx512f"] {
        let case = fitting().with(|c| c.plugin.cpu_features = vec!["avx2".into(), feature.into()]);
        assert_eq!(case.codes(), ["cpu-features"]);
        assert!(whats(&case, Code::CpuFeatures)[0].contains("with avx512f,"));
    }
    for harmless in ["avx2", "-avx512f", "cpu=native", "unheard-of", "crt-static", ""] {
        let case = fitting().with(|c| c.plugin.cpu_features = vec![harmless.into()]);
        assert_eq!(case.codes(), [""; 0], "{harmless}");
    }
    let manifest =
        fitting().with(|c| c.plugin.cpu_features = ["+a", "-b", "cpu=c", "d"].map(String::from).into());
    assert_eq!(required_features(&manifest.plugin).collect::<Vec<_>>(), ["a", "d"]);
}

#[test]
fn a_target_feature_that_changes_calls_does_not_fit() {
    for feature in ["soft-float", "+soft-float", "-sse2"] {
        let case = fitting().with(|c| c.plugin.cpu_features = vec![feature.into()]);
        assert_eq!(case.codes(), ["abi-settings"], "{feature}");
    }
}

// C11
#[test]
fn this_machine_has_what_every_machine_of_its_kind_has() {
    if cfg!(target_arch = "x86_64") {
        assert_eq!(cpu::has("sse2"), Some(true));
        assert!(cpu::has("avx512fp16").is_some());
    }
    if cfg!(target_arch = "aarch64") {
        assert_eq!(cpu::has("neon"), Some(true));
    }
    assert_eq!(cpu::has("crt-static"), None);
}

// C7
#[test]
fn a_copy_of_a_loaded_plugin_is_told_with_the_other_path() {
    let case = fitting().with(|c| c.loaded = vec![("a/first.so".into(), c.plugin.clone())]);
    assert_eq!(case.codes(), ["already-loaded"]);
    assert!(case.differences()[0].host.contains("a/first.so"));
}

/// Another plugin that is loaded, with one private crate.
fn with_loaded(id: u8, content: u8) -> Case {
    fitting().with(|c| {
        let mut other = Manifest { package: "archive".into(), id: Identity([9; 32]), ..c.plugin.clone() };
        other.crates = vec![private("regex", "1.10.0", id)];
        other.crates[0].content = [content; 32];
        c.loaded = vec![("a/archive.so".into(), other)];
    })
}

// C12
#[test]
fn private_crates_may_differ_as_long_as_their_ids_do() {
    assert_eq!(with_loaded(0x60, 0x60).codes(), [""; 0]);
    assert_eq!(with_loaded(0x52, 0x52).codes(), [""; 0], "the same build");
    let unrecorded = with_loaded(0x52, 0).with(|c| c.plugin.crates[5].content = [0; 32]);
    assert_eq!(unrecorded.codes(), ["private-crate"], "perhaps another build");
    assert_eq!(
        with_loaded(0, 0x60).with(|c| c.plugin.crates[5].id = [0; 16]).codes(),
        [""; 0],
        "unknown ids"
    );
}

// B7, C14
#[test]
fn two_builds_of_one_crate_id_are_refused_with_both_plugins_named() {
    let case = with_loaded(0x52, 0x60);
    assert_eq!(case.codes(), ["private-crate"]);
    let what = &whats(&case, Code::PrivateCrate)[0];
    assert!(what.contains("`regex`") && what.contains("`greeter`") && what.contains("`archive`"));
    let case = fitting().with(|c| c.plugin.crates[5].id = c.host.crates[BYTES].id);
    assert_eq!(case.codes(), ["private-crate"], "a private copy of a shared crate");
}

#[test]
fn libraries_that_are_not_there_are_named() {
    let case = fitting().with(|c| c.needed.push("libpq.so.5"));
    assert_eq!(case.codes(), [""; 0], "where it can't be told");
    let case = case.with(|c| c.libraries = Some(vec!["libc.so.6"]));
    assert_eq!(case.codes(), ["missing-library"]);
    assert!(!case.rebuilt().codes()[..1].contains(&"missing-library"), "the API library is in the process");
}

#[test]
fn everything_is_told_at_once() {
    let case = fitting()
        .with(|c| {
            c.plugin.product = Product::Host;
            c.plugin.api.version = "1.0.0".into();
            c.plugin.cpu_features = vec!["avx512f".into()];
            c.plugin.crates[SERDE].version = "1.0.1".into();
            c.libraries = Some(vec![]);
        })
        .changed(&[SERDE]);
    let wanted =
        ["not-a-plugin", "api-version", "identity", "crate-version", "cpu-features", "missing-library"];
    assert_eq!(case.codes(), wanted);
}

/// Compares with everything absent that could be.
fn bare(host: &Manifest, plugin: &Manifest) -> usize {
    let machine = Machine { target: &host.target, has_feature: &|_| None, libraries: None };
    let loaded = [Loaded { path: Path::new(""), manifest: host }];
    let differences = compare(&Host { api: host, machine, loaded: &loaded }, plugin, &[]);
    assert!(differences.iter().all(|d| !d.to_string().contains('\0')));
    differences.len()
}

// C15
#[test]
fn no_manifest_makes_it_panic() {
    let mut numbers = Numbers(7);
    for _ in 0..500 {
        let (mut host, mut plugin) = (any_manifest(&mut numbers), any_manifest(&mut numbers));
        for manifest in [&mut host, &mut plugin] {
            for info in &mut manifest.crates {
                info.shared = numbers.below(2) == 0;
                info.dependencies = (0..numbers.below(4)).map(|_| numbers.next() as u32 % 8).collect();
                info.dependencies.push(u32::MAX);
            }
        }
        bare(&host, &plugin);
    }
}

// C15
#[test]
fn cycles_and_indices_out_of_range_end() {
    let case = fitting()
        .with(|c| {
            for crates in [&mut c.host.crates, &mut c.plugin.crates] {
                crates.iter_mut().for_each(|info| info.source = "registry+x".into());
                crates[BYTES].dependencies = vec![MODEL as u32, u32::MAX, BYTES as u32];
            }
        })
        .changed(&[BYTES, MODEL, API]);
    assert_eq!(case.codes(), ["identity"]);
    assert!(whats(&case, Code::Identity)[0].contains("3 of its crates differ"));
}

// C15
#[test]
fn tens_of_thousands_of_crates_of_one_name_are_no_burden() {
    let count = 20_000u32;
    let many = |seed: u32| -> Vec<_> {
        (0..count)
            .map(|n| {
                let mut one = info("same", &format!("1.0.{}", n * 2 + seed), &[n / 2, n.wrapping_sub(1)]);
                one.content[..4].copy_from_slice(&(n + seed).to_le_bytes());
                one
            })
            .collect()
    };
    let case = fitting()
        .with(|c| {
            c.host.crates = many(0);
            c.plugin.crates = many(1);
        })
        .rebuilt();
    // With work for each pair of crates this would be four hundred million steps.
    assert_eq!(case.differences().len(), 1 + count as usize);
    assert!(case.text().len() < 10_000, "and the text stays readable");
}
