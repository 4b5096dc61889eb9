//! What a host's policy lets in: signatures, pins, owners, and what a plugin brings along. `trust/` is the workspace; what
//! its host is to do is said in words. Whatever runs of its plugins says so.

use crate::harness::{Fixture, Ran, skipped};
use dynplug_manifest::Image;
use minisign::KeyPair;
use sha2::{Digest, Sha256};
use std::fs::{self, Permissions};
use std::io::Cursor;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

static BUILT: LazyLock<(Fixture, Ran)> = LazyLock::new(|| {
    let fixture = Fixture::empty("trust");
    fixture.copy("trust");
    let native = fixture.root().join("native");
    fs::create_dir(&native).unwrap();
    fs::write(native.join("extra.c"), "int extra(void) { return 9; }\n").unwrap();
    let library = native.join("libextra.so");
    let mut compiler = Command::new("cc");
    compiler.args(["-shared", "-fPIC", "-Wl,-soname,libextra.so", "-o"]).arg(&library);
    assert!(compiler.arg(native.join("extra.c")).status().unwrap().success());
    let ran = fixture.build().env("LD_LIBRARY_PATH", &native).go();
    (fixture, ran)
});

#[track_caller]
pub(crate) fn built() -> &'static Fixture {
    let (fixture, build) = &*BUILT;
    build.ok();
    fixture
}

/// A folder of a test's own, with plugins in it, and a key with which they may be signed.
pub(crate) struct Case {
    pub(crate) folder: PathBuf,
    pair: KeyPair,
}

impl Case {
    #[track_caller]
    pub(crate) fn new(name: &str) -> Case {
        let folder = built().root().join(format!("case {name}"));
        fs::create_dir(&folder).unwrap();
        fs::set_permissions(&folder, Permissions::from_mode(0o755)).unwrap();
        let case = Case { folder, pair: KeyPair::generate_unencrypted_keypair().unwrap() };
        case.write("release.pub", case.pair.pk.to_box().unwrap().to_string());
        case
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    pub(crate) fn text(&self, name: &str) -> String {
        self.path(name).to_str().unwrap().to_owned()
    }

    pub(crate) fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        fs::write(self.path(name), bytes).unwrap();
        fs::set_permissions(self.path(name), Permissions::from_mode(0o644)).unwrap();
    }

    /// Puts a plugin of the outcome there.
    pub(crate) fn with(self, crate_name: &str) -> Case {
        self.write(&format!("lib{crate_name}.so"), fs::read(built().plugin_file(crate_name)).unwrap());
        self
    }

    pub(crate) fn sign(&self, name: &str, comment: &str) {
        let file = Cursor::new(fs::read(self.path(name)).unwrap());
        let signed = minisign::sign(Some(&self.pair.pk), &self.pair.sk, file, Some(comment), None).unwrap();
        self.write(&format!("{name}.minisig"), signed.to_string());
    }

    pub(crate) fn digest(&self, name: &str) -> String {
        Sha256::digest(fs::read(self.path(name)).unwrap()).iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// Lets the host do what the words say; `@name` stands for a file in the folder.
    pub(crate) fn host(&self, words: &str) -> Ran {
        self.host_with(words, None)
    }

    fn host_with(&self, words: &str, libraries: Option<&Path>) -> Ran {
        let mut call = built().app();
        for word in words.split(' ') {
            call = match word.strip_prefix('@') {
                Some(name) => call.arg(self.text(name)),
                None => call.arg(word),
            };
        }
        match libraries {
            Some(folder) => call.env("LD_LIBRARY_PATH", folder).go(),
            None => call.go(),
        }
    }
}

/// What says of a signed plugin what it is.
fn claims(manifest: &dynplug_manifest::Manifest) -> String {
    format!(
        "timestamp:1767225600\tplugin:{}\tversion:{}\tid:{}\tidentity:{}\ttarget:{}",
        manifest.package, manifest.version, manifest.id, manifest.api.identity, manifest.target
    )
}

fn claims_of(path: &Path) -> String {
    claims(&Image::parse(&fs::read(path).unwrap()).unwrap().manifest().unwrap().unwrap())
}

/// The plugin is refused for this reason, says so, and nothing of it has run.
#[track_caller]
pub(crate) fn refused<'r>(ran: &'r Ran, code: &str) -> &'r Ran {
    ran.ok().says(&format!("refused {code}: ")).does_not_say(" ran")
}

#[test]
fn what_is_built_with_the_feature_stays_built() {
    // Build scripts among the shared crates depend on crates, and none of it is compiled once more.
    built().build().go().ok().does_not_say("Compiling");
}

#[test]
fn what_a_trusted_key_has_signed_opens_without_unsafe_and_says_who_signed_it() {
    let case = Case::new("signed").with("hello");
    case.sign("libhello.so", &claims_of(&case.path("libhello.so")));
    let ran = case.host("key @release.pub open @libhello.so open @libhello.so");
    ran.ok().says("opened hello: signed with the key `releases` (").says("on 2026-01-01 00:00:00 UTC");
    ran.says("the constructor of hello ran\n").says("f of hello ran\n");
    // A comment that claims nothing, as others write it.
    case.sign("libhello.so", "timestamp:1767225600\tfile:libhello.so\thashed");
    case.host("key @release.pub open @libhello.so")
        .ok()
        .says("opened hello: signed with the key `releases` (");
}

#[test]
fn what_nobody_has_signed_is_refused() {
    let case = Case::new("unsigned").with("hello");
    let ran = case.host("key @release.pub open @libhello.so");
    refused(&ran, "untrusted-unsigned").says("libhello.so.minisig; `cargo dynplug sign -s <secret key> ");
}

#[test]
fn a_signature_that_is_none_or_in_the_old_format_is_refused() {
    let case = Case::new("malformed").with("hello");
    case.write("libhello.so.minisig", "a text");
    let ran = case.host("key @release.pub open @libhello.so");
    refused(&ran, "untrusted-signature").says("it is no signature of minisign's");
    case.sign("libhello.so", "x");
    let signature = fs::read_to_string(case.path("libhello.so.minisig")).unwrap();
    case.write(
        "libhello.so.minisig",
        signature
            .replacen("\nRUQ", "\nRWQ", 1)
            .replacen("\nRUR", "\nRWR", 1)
            .replacen("\nRUS", "\nRWS", 1)
            .replacen("\nRUT", "\nRWT", 1),
    );
    let ran = case.host("key @release.pub open @libhello.so");
    refused(&ran, "untrusted-signature").says("minisign's old format");
}

#[test]
fn a_key_that_the_host_does_not_know_is_refused_with_those_that_it_does() {
    let (case, other) = (Case::new("unknown").with("hello"), Case::new("unknown other"));
    case.sign("libhello.so", "x");
    case.write("other.pub", fs::read(other.path("release.pub")).unwrap());
    let ran = case.host("key @other.pub open @libhello.so");
    refused(&ran, "untrusted-key").says("and those that count are `releases` (");
}

#[test]
fn a_plugin_or_signature_that_was_altered_is_refused() {
    let case = Case::new("altered").with("hello");
    case.sign("libhello.so", "x");
    let mut bytes = fs::read(case.path("libhello.so")).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    case.write("libhello.so", &bytes);
    refused(&case.host("key @release.pub open @libhello.so"), "untrusted-altered");
    *bytes.last_mut().unwrap() ^= 1;
    case.write("libhello.so", &bytes);
    let signature = fs::read_to_string(case.path("libhello.so.minisig")).unwrap();
    case.write("libhello.so.minisig", signature.replace("trusted comment: x", "trusted comment: y"));
    refused(&case.host("key @release.pub open @libhello.so"), "untrusted-altered");
}

#[test]
fn a_signature_that_is_of_another_plugin_by_its_comment_is_refused() {
    let case = Case::new("comment").with("hello");
    let comment = claims_of(&case.path("libhello.so"));
    case.sign("libhello.so", &comment.replace("\tversion:0.1.0", "\tversion:0.2.0"));
    let ran = case.host("key @release.pub open @libhello.so");
    refused(&ran, "untrusted-comment").says("version is signed as `0.2.0` and is `0.1.0`");
}

#[test]
fn a_key_or_signature_that_has_ended_is_refused() {
    let case = Case::new("expired").with("hello");
    case.sign("libhello.so", "x");
    let ran = case.host("key-until @release.pub 2020-02-29 open @libhello.so");
    refused(&ran, "untrusted-expired").says("counted until 2020-02-29 23:59:59 UTC");
    case.host("key-until @release.pub 2999-01-01 open @libhello.so").ok().says("opened hello");
    // The old key has ended, and the new one counts.
    let new = Case::new("expired new").with("hello");
    new.sign("libhello.so", "x");
    new.write("old.pub", fs::read(case.path("release.pub")).unwrap());
    new.host("key-until @old.pub 2020-02-29 key @release.pub open @libhello.so").ok().says("opened hello");
    case.sign("libhello.so", "expires:2020-02-29");
    let ran = case.host("key @release.pub open @libhello.so");
    refused(&ran, "untrusted-expired").says("libhello.so.minisig of the key");
}

#[test]
fn what_is_pinned_opens_and_other_bytes_of_the_name_are_refused() {
    let case = Case::new("pins").with("hello").with("evil");
    case.write("pins", format!("{}  plugins/libhello.so\n", case.digest("libhello.so")));
    case.host("pins @pins open @libhello.so").ok().says("opened hello: pinned by its SHA-256");
    let ran = case.host("pins @pins open @libevil.so");
    refused(&ran, "untrusted-pin").says("nothing is pinned for a file of its name");
    case.write("libhello.so", fs::read(case.path("libevil.so")).unwrap());
    let ran = case.host("pins @pins open @libhello.so");
    refused(&ran, "untrusted-pin").says("and pinned for a file of its name is");
}

#[test]
fn what_is_denied_is_refused_though_it_is_signed() {
    let case = Case::new("denied").with("hello");
    case.sign("libhello.so", "x");
    let ran = case.host(&format!("key @release.pub deny {} open @libhello.so", case.digest("libhello.so")));
    refused(&ran, "untrusted-denied");
}

#[test]
fn what_others_can_write_to_is_refused_with_who_they_are() {
    let case = Case::new("writable").with("hello");
    case.sign("libhello.so", "x");
    let words = "key @release.pub only-owner-writes open @libhello.so";
    // The temporary folder's own permissions are not the test's.
    let ran = case.host(words);
    if !ran.stdout.contains("opened hello") {
        return skipped(&format!("the temporary folder isn't only its owner's: {}", ran.stdout));
    }
    for (name, mode, says) in [
        ("libhello.so", 0o646, "everybody can write to"),
        ("", 0o777, "everybody can write to"),
        ("libhello.so", 0o664, "the group "),
    ] {
        let path = if name.is_empty() { case.folder.clone() } else { case.path(name) };
        let before = path.metadata().unwrap().permissions();
        fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
        let ran = case.host(words);
        refused(&ran, "untrusted-writable").says(says).says(&format!("{}; `chmod go-w ", path.display()));
        fs::set_permissions(&path, before).unwrap();
    }
}

#[test]
fn libraries_that_plugins_share_fall_under_the_policy() {
    let case = Case::new("library").with("one");
    let library = fs::read_dir(built().outcome("plugins")).unwrap().map(|entry| entry.unwrap().path());
    let library = library
        .into_iter()
        .find(|path| path.file_name().unwrap().to_string_lossy().starts_with("libcommon-"));
    let library = library.unwrap();
    let name = library.file_name().unwrap().to_str().unwrap();
    case.write(name, fs::read(&library).unwrap());
    case.sign("libone.so", &claims_of(&case.path("libone.so")));
    let ran = case.host("key @release.pub open @libone.so");
    ran.ok().says("refused with its library, untrusted-unsigned: ").does_not_say(" ran\n");
    case.sign(name, &claims_of(&case.path(name)));
    case.host("key @release.pub open @libone.so")
        .ok()
        .says("common ran\none ran\n")
        .says("has the number 7\n");
    // It is there, and nobody knows who has spoken for it.
    let ran = case.host("open-without-policy @libone.so key @release.pub open @libone.so");
    ran.ok().says("opened one: nobody speaks for it").says("refused untrusted-opened-before: ");
}

#[test]
fn a_c_library_that_nobody_speaks_for_is_refused_wherever_the_system_finds_it() {
    let case = Case::new("c library").with("needy");
    case.sign("libneedy.so", &claims_of(&case.path("libneedy.so")));
    let native = built().root().join("native");
    let ran = case.host_with("key @release.pub open @libneedy.so", Some(&native));
    refused(&ran, "untrusted-library").says("`libextra.so`").says("Policy::library(\"libextra.so\")");
    let ran = case.host_with("key @release.pub library libextra.so open @libneedy.so", Some(&native));
    ran.ok().says("needy ran\n").says("extra has the number 9\n");
}

#[test]
fn what_was_opened_without_the_policy_is_not_given_out_by_it() {
    let case = Case::new("before").with("hello");
    case.sign("libhello.so", "x");
    let ran = case.host("open-without-policy @libhello.so key @release.pub open @libhello.so");
    ran.ok().says("opened hello: nobody speaks for it").says("refused untrusted-opened-before: ");
    let ran = case.host("key @release.pub open @libhello.so open-without-policy @libhello.so");
    ran.ok().does_not_say("refused");
}

#[test]
fn a_policy_that_vouches_for_nothing_and_loading_in_place_are_errors() {
    let case = Case::new("policy").with("hello");
    case.sign("libhello.so", "x");
    refused(&case.host("open @libhello.so"), "untrusted-policy").says("neither keys nor pinned hashes");
    refused(&case.host("key @release.pub open-in-place @libhello.so"), "untrusted-policy");
}

#[test]
fn looking_at_plugins_says_whom_the_policy_would_not_let_in() {
    let case = Case::new("discover").with("hello").with("evil");
    case.sign("libhello.so", "x");
    let ran = case.host("key @release.pub discover @.");
    ran.ok().says("hello fits\n").says("evil is refused untrusted-unsigned\n").does_not_say(" ran");
}

/// A folder with so many plugins, each with ids of its own and signed, and one that nobody has signed. All files are at
/// least so long.
fn contestants(name: &str, count: u16, size: usize) -> Case {
    let case = Case::new(name);
    let read = |plugin: &str| {
        let mut bytes = fs::read(built().plugin_file(plugin)).unwrap();
        bytes.resize(bytes.len().max(size), 0);
        bytes
    };
    case.write("evil.so", read("evil"));
    let mut bytes = read("hello");
    let manifest = Image::parse(&bytes).unwrap().manifest().unwrap().unwrap();
    let of_the_crate = manifest.crates.iter().filter(|c| !c.shared).map(|c| &c.id[..]);
    let ids: Vec<&[u8]> = of_the_crate.chain([&manifest.id.0[..]]).collect();
    let is_id = |at: &usize| ids.iter().any(|id| bytes[*at..].starts_with(id));
    let places: Vec<usize> = (0..bytes.len()).filter(is_id).collect();
    assert!(!places.is_empty());
    for number in 0..count {
        for at in &places {
            bytes[*at..*at + 2].copy_from_slice(&number.to_le_bytes());
        }
        case.write(&format!("good-{number}.so"), &bytes);
        case.sign(&format!("good-{number}.so"), "x");
    }
    case
}

/// Opens at least so many of them while they are attacked a thousand times, in as many hosts as that takes.
#[track_caller]
fn is_won(case: &Case, least: usize) {
    let mut attacks_of_all = 0;
    while attacks_of_all < 1000 {
        let ran = case.host(&format!("key @release.pub race @. by-policy {least}"));
        let told = ran.ok().does_not_say("evil").stdout.rsplit("race: ").next().unwrap_or_default();
        let numbers: Vec<usize> = told.split(' ').filter_map(|word| word.parse().ok()).collect();
        let [plugins, attacks, _refusals] = numbers[..] else {
            panic!("it does not say what became of the race\n{ran}")
        };
        assert!(plugins >= least && attacks > 0, "{told}");
        assert_eq!(ran.stdout.matches("the constructor of hello ran\n").count(), plugins);
        attacks_of_all += attacks;
    }
}

#[test]
fn a_file_that_is_replaced_and_overwritten_a_thousand_times_never_runs_unchecked() {
    is_won(&contestants("race", 200, 0), 100);
}

/// Large files are copied while the policy looks at them.
#[test]
fn a_large_file_that_is_replaced_and_overwritten_never_runs_unchecked() {
    is_won(&contestants("race of large files", 50, 300 << 10), 10);
}

#[test]
fn a_large_plugin_opens_when_it_is_signed_and_does_not_when_it_was_altered() {
    let case = Case::new("large").with("hello").with("one");
    for name in ["libhello.so", "libone.so"] {
        let mut bytes = fs::read(case.path(name)).unwrap();
        bytes.resize(bytes.len() + (300 << 10), 0);
        case.write(name, &bytes);
        case.sign(name, "x");
        if name == "libone.so" {
            *bytes.last_mut().unwrap() = 1;
            case.write(name, &bytes);
        }
    }
    case.host("key @release.pub open @libhello.so").ok().says("opened hello: signed with the key `releases`");
    refused(&case.host("key @release.pub open @libone.so"), "untrusted-altered");
    case.host("key @release.pub open @libhello.so open @libhello.so")
        .ok()
        .says_in_lines(1, "the constructor of hello ran");
}

#[test]
fn the_race_is_lost_by_who_looks_first_and_opens_then() {
    let case = contestants("race that is lost", 500, 0);
    let ran = case.host("key @release.pub race @. by-looking 100");
    ran.fails_with(66).says("evil ran");
}

/// Runs the system's `minisign`, if there is one.
pub(crate) fn minisign(case: &Case, arguments: &str) -> Option<String> {
    let mut call = Command::new("minisign");
    call.current_dir(&case.folder).args(arguments.split(' ').map(|word| word.replace('~', "\t")));
    match call.output() {
        Ok(output) => {
            let text = String::from_utf8_lossy(&output.stdout).into_owned()
                + &String::from_utf8_lossy(&output.stderr);
            assert!(output.status.success(), "{text}");
            Some(text)
        }
        Err(_) => {
            skipped("`minisign` is not installed");
            None
        }
    }
}

#[test]
fn what_minisign_signs_opens_and_what_is_signed_here_minisign_takes() {
    let case = Case::new("minisign").with("hello");
    if minisign(&case, "-G -W -p theirs.pub -s theirs.key").is_none() {
        return;
    }
    minisign(&case, "-S -W -s theirs.key -m libhello.so");
    case.host("key @theirs.pub open @libhello.so")
        .ok()
        .says("opened hello: signed with the key `releases` (");
    minisign(&case, "-S -W -s theirs.key -t plugin:hello~version:9 -m libhello.so");
    refused(&case.host("key @theirs.pub open @libhello.so"), "untrusted-comment");
    case.sign("libhello.so", &claims_of(&case.path("libhello.so")));
    let told = minisign(&case, "-V -p release.pub -m libhello.so").unwrap();
    assert!(told.contains("plugin:hello\tversion:0.1.0\tid:"), "{told}");
}
