//! Archives as they are made, and as a stranger could make them.

use super::cache::{ATTEMPT, LOCK, unpack_within};
use super::pack::{collect, is_executable};
use super::*;
use crate::diagnostic::{Diagnostic, Result};
use crate::files::{hex, sha256};
use std::collections::BTreeSet;
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use tar::EntryType;
use tempfile::TempDir;

const JSON: &[u8] = br#"{ "format": 2, "tool": "0.0.0" }"#;

fn long_name() -> String {
    format!("source/{}/{}.rs", "a".repeat(120), "b".repeat(120))
}

/// A folder with what SDKs have.
fn sdk() -> TempDir {
    let folder = TempDir::new().unwrap();
    let put = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    };
    put("sdk.json", JSON);
    put("lib/libapi.so", &noise(70_000));
    put("crates/a.rmeta", &noise(3_000));
    put("crates/empty", b"");
    put("crates.txt", b"sorts between a folder and what is in it");
    put(&long_name(), b"fn main() {}");
    folder
}

/// Bytes that don't get smaller, the same ones every time.
fn noise(length: usize) -> Vec<u8> {
    let mut state = 1u64;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 56) as u8
    };
    (0..length).map(|_| next()).collect()
}

fn packed(folder: &Path) -> Vec<u8> {
    let to = TempDir::new().unwrap();
    let to = to.path().join("an.sdk.tar.zst");
    pack(folder, &to).unwrap();
    std::fs::read(to).unwrap()
}

/// Every file beneath a folder, with its contents and whether it can be executed.
fn files_of(folder: &Path) -> BTreeMap<String, (Vec<u8>, bool)> {
    let mut names = Vec::new();
    collect(folder, "", &mut names).unwrap();
    let read = |name: String| {
        let path = folder.join(&name);
        (name, (std::fs::read(&path).unwrap(), is_executable(&path)))
    };
    names.into_iter().map(read).collect()
}

/// What came of unpacking these bytes, in a cache that was empty before.
struct Tried {
    folder: TempDir,
    outcome: Result<PathBuf>,
}

impl Tried {
    fn unpacking(bytes: &[u8]) -> Tried {
        let tried = Tried::within(bytes, &LIMITS);
        // Whoever only looks finds the same.
        let code = |outcome: Option<&Box<Diagnostic>>| outcome.map(|why| why.code.clone());
        assert_eq!(code(prove(bytes, Path::new("file")).as_ref().err()), code(tried.outcome.as_ref().err()));
        tried
    }

    fn within(bytes: &[u8], limits: &Limits) -> Tried {
        let folder = TempDir::new().unwrap();
        let file = folder.path().join("file");
        std::fs::write(&file, bytes).unwrap();
        let outcome = unpack_within(&file, &folder.path().join("cache"), limits);
        Tried { folder, outcome }
    }

    /// The error's code and all that it says. Nothing of the archive is in the cache or beside it.
    #[track_caller]
    fn refused(&self) -> (String, String) {
        let mut left = Vec::new();
        collect(self.folder.path(), "", &mut left).unwrap();
        left.sort();
        let cache: Vec<_> = (std::fs::read_dir(self.folder.path().join("cache")).into_iter().flatten())
            .map(|e| e.unwrap().file_name())
            .collect();
        let error = self.outcome.as_ref().expect_err("it was unpacked");
        assert!(left.iter().all(|n| n == "file" || n == "cache/lock"), "{left:?} after {error}");
        assert!(cache.iter().all(|n| n == "lock"), "{cache:?} after {error}");
        assert!(!error.notes.is_empty(), "{error}");
        (error.code.clone(), error.to_string())
    }

    #[track_caller]
    fn damaged(&self, why: &str) {
        let (code, text) = self.refused();
        assert_eq!(code, "damaged-sdk", "{text}");
        assert!(text.contains(why), "{text}");
    }
}

/// An entry of an archive that is made by hand: kind, name, contents, and the size that is claimed.
struct Entry<'a>(u8, &'a [u8], &'a [u8], u64);

fn file<'a>(name: &'a str, bytes: &'a [u8]) -> Entry<'a> {
    Entry(b'0', name.as_bytes(), bytes, bytes.len() as u64)
}

fn compressed(tar: &[u8]) -> Vec<u8> {
    zstd::encode_all(tar, 1).unwrap()
}

fn tar_of(entries: &[Entry]) -> Vec<u8> {
    let mut tar = Vec::new();
    for Entry(kind, name, bytes, size) in entries {
        let mut header = tar::Header::new_gnu();
        header.as_old_mut().name[..name.len()].copy_from_slice(name);
        header.set_entry_type(EntryType::new(*kind));
        header.set_size(*size);
        header.set_mode(0o644);
        header.set_cksum();
        tar.extend_from_slice(header.as_bytes());
        tar.extend_from_slice(bytes);
        tar.resize(tar.len().next_multiple_of(512), 0);
    }
    tar.extend_from_slice(&[0; 1024]);
    tar
}

/// An archive with the description, these entries, and digests of them all, as if they were files.
fn hostile(entries: Vec<Entry>) -> Vec<u8> {
    let mut digests = BTreeMap::from([("sdk.json".to_owned(), hex(&sha256(JSON)))]);
    for Entry(_, name, bytes, _) in &entries {
        digests.insert(String::from_utf8_lossy(name).into_owned(), hex(&sha256(bytes)));
    }
    let digests = digest_lines(&digests);
    let mut all = vec![file("sdk.json", JSON)];
    all.extend(entries);
    all.push(file("digests", digests.as_bytes()));
    compressed(&tar_of(&all))
}

#[test]
fn what_is_packed_is_what_is_unpacked() {
    let sdk = sdk();
    let bytes = packed(sdk.path());
    let tried = Tried::unpacking(&bytes);
    let folder = tried.outcome.as_ref().unwrap();
    assert_eq!(folder.file_name().unwrap().to_str().unwrap(), &hex(&sha256(&bytes))[..32]);
    let mut have = files_of(folder);
    let digests = String::from_utf8(have.remove(DIGESTS).unwrap().0).unwrap();
    assert!(digests.contains(&format!("{}  sdk.json\n", hex(&sha256(JSON)))), "{digests}");
    assert!(have.remove(STAMP).is_some());
    assert_eq!(have, files_of(sdk.path()));
    // And what was unpacked can be packed again.
    assert!(packed(folder) == bytes);
}

#[test]
fn an_archive_made_by_hand_as_pack_makes_it_is_unpacked() {
    // Or the tests of hostile archives would prove nothing.
    let tried = Tried::unpacking(&hostile(vec![file("a/b", b"c")]));
    assert_eq!(std::fs::read(tried.outcome.unwrap().join("a/b")).unwrap(), b"c");
}

#[test]
fn the_same_contents_give_the_same_bytes() {
    let (one, two) = (sdk(), sdk());
    let first = packed(one.path());
    for (name, _) in files_of(two.path()) {
        let path = two.path().join(name);
        let file = File::options().write(true).open(&path).unwrap();
        file.set_modified(std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_000_000_000)).unwrap();
        #[cfg(unix)]
        std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    }
    assert!(first == packed(two.path()));
    std::fs::write(two.path().join("crates/empty"), "no more").unwrap();
    assert!(first != packed(two.path()));
}

#[cfg(unix)]
#[test]
fn what_can_be_executed_stays_so() {
    use std::os::unix::fs::PermissionsExt;
    let sdk = sdk();
    let script = sdk.path().join("configure");
    std::fs::write(&script, "#!/bin/sh").unwrap();
    std::fs::set_permissions(&script, PermissionsExt::from_mode(0o700)).unwrap();
    let tried = Tried::unpacking(&packed(sdk.path()));
    let folder = tried.outcome.as_ref().unwrap();
    let mode = |name: &str| folder.join(name).metadata().unwrap().permissions().mode() & 0o100;
    assert_eq!((mode("configure"), mode("lib/libapi.so"), mode("sdk.json")), (0o100, 0o100, 0));
}

#[cfg(unix)]
#[test]
fn links_are_not_packed() {
    let sdk = sdk();
    std::os::unix::fs::symlink("sdk.json", sdk.path().join("link")).unwrap();
    let error = pack(sdk.path(), &sdk.path().join("../never.zst")).unwrap_err();
    assert_eq!(error.code, "sdk-file");
}

#[test]
fn a_folder_without_a_description_is_not_packed() {
    let folder = TempDir::new().unwrap();
    let to = folder.path().join("to");
    assert_eq!(pack(folder.path(), &to).unwrap_err().code, "no-sdk");
    assert!(!to.exists());
}

#[test]
fn the_description_is_read_without_the_rest() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("file");
    let sdk = sdk();
    // More than one block of zstd.
    std::fs::write(sdk.path().join("more"), noise(300_000)).unwrap();
    let bytes = packed(sdk.path());
    std::fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
    assert_eq!(look(&path).unwrap(), JSON);
    std::fs::write(&path, &bytes[..20]).unwrap();
    assert_eq!(look(&path).unwrap_err().code, "damaged-sdk");
    std::fs::write(&path, "nothing of ours").unwrap();
    assert_eq!(look(&path).unwrap_err().code, "no-sdk");
    std::fs::write(&path, compressed(&tar_of(&[file("other", b"")]))).unwrap();
    assert_eq!(look(&path).unwrap_err().code, "no-sdk");
    assert_eq!(look(folder.path()).unwrap_err().code, "no-sdk");
    assert_eq!(look(&folder.path().join("nowhere")).unwrap_err().code, "no-sdk");
}

#[test]
fn what_is_no_sdk_is_called_so() {
    for bytes in [&b""[..], b"PK\x03\x04", b"a text", &compressed(b""), &compressed(&tar_of(&[]))] {
        assert_eq!(Tried::unpacking(bytes).refused().0, "no-sdk");
    }
    let foreign = compressed(&tar_of(&[file("readme", b"hello"), file("sdk.json", JSON)]));
    assert_eq!(Tried::unpacking(&foreign).refused().0, "no-sdk");
    let nothing = unpack(Path::new("nowhere"), Path::new("never")).unwrap_err();
    assert_eq!((nothing.code.as_str(), nothing.exit), ("no-sdk", 2));
    assert_eq!(unpack(Path::new("."), Path::new("never")).unwrap_err().code, "no-sdk");
}

#[cfg(unix)]
#[test]
fn what_is_no_regular_file_is_not_opened() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("socket");
    let _socket = std::os::unix::net::UnixListener::bind(&path).unwrap();
    for error in [unpack(&path, folder.path()).unwrap_err(), look(&path).unwrap_err()] {
        assert_eq!(error.code, "no-sdk");
    }
}

#[test]
fn another_format_is_called_so_whatever_else_is_in_it() {
    let newer = compressed(&tar_of(&[file("sdk.json", br#"{"format":7,"new":[]}"#), file("../x", b"")]));
    let (code, text) = Tried::unpacking(&newer).refused();
    assert_eq!(code, "sdk-format");
    assert!(text.contains("have format 7, want 2"), "{text}");
    Tried::unpacking(&compressed(&tar_of(&[file("sdk.json", b"{}")])))
        .damaged("sdk.json isn't a description");
}

#[test]
fn an_archive_cut_short_anywhere_is_refused() {
    let bytes = packed(sdk().path());
    let step = bytes.len() / 150 + 1;
    let lengths = (0..64).chain((64..bytes.len()).step_by(step)).chain(bytes.len() - 64..bytes.len());
    for length in lengths {
        let (code, text) = Tried::unpacking(&bytes[..length]).refused();
        let want = if length < MAGIC.len() { "no-sdk" } else { "damaged-sdk" };
        assert_eq!(code, want, "{length}: {text}");
    }
}

#[test]
fn an_archive_with_any_byte_changed_is_refused_or_unpacks_to_the_same() {
    let sdk = sdk();
    let bytes = packed(sdk.path());
    let mut want = files_of(sdk.path());
    want.remove(STAMP);
    let step = bytes.len() / 200 + 1;
    let places = (0..48).chain((48..bytes.len()).step_by(step)).chain(bytes.len() - 48..bytes.len());
    let mut refused = 0;
    for place in places {
        let mut changed = bytes.clone();
        changed[place] ^= 1 << (place % 8);
        let tried = Tried::unpacking(&changed);
        match &tried.outcome {
            Err(_) => {
                assert_ne!(tried.refused().0, "system", "{place}");
                refused += 1;
            }
            Ok(folder) => {
                let mut have = files_of(folder);
                have.remove(STAMP);
                have.remove(DIGESTS);
                assert_eq!(have, want, "{place}");
            }
        }
    }
    assert!(refused > 200, "{refused}");
}

#[test]
fn what_follows_after_the_end_is_refused() {
    let mut bytes = packed(sdk().path());
    bytes.push(0);
    Tried::unpacking(&bytes).damaged("after its end");
    bytes.pop();
    bytes.extend(compressed(b"another frame"));
    Tried::unpacking(&bytes).damaged("after its end");

    let digests = digest_lines(&BTreeMap::from([("sdk.json".to_owned(), hex(&sha256(JSON)))]));
    let entries = [file("sdk.json", JSON), file("digests", digests.as_bytes())];
    let mut tar = tar_of(&entries);
    assert!(Tried::unpacking(&compressed(&tar)).outcome.is_ok());
    tar.extend_from_slice(b"rubbish");
    Tried::unpacking(&compressed(&tar)).damaged("after its end");
    let [json, digests] = entries;
    Tried::unpacking(&compressed(&tar_of(&[json, digests, file("more", b"")])))
        .damaged("`more` follows after the digests");
}

#[test]
fn names_that_lead_elsewhere_are_refused() {
    for name in [
        "../out",
        "a/../../out",
        "a/..",
        "/out",
        "//out",
        "./a",
        "a//b",
        "a/",
        ".",
        "..",
        "",
        "a\\..\\b",
        "a\nb",
        "\u{1b}[2J",
    ] {
        Tried::unpacking(&hostile(vec![file(name, b"x")])).damaged("is no name for a file");
    }
    Tried::unpacking(&hostile(vec![Entry(b'0', b"a\xff", b"", 0)])).damaged("isn't UTF-8");
}

#[test]
fn a_long_name_is_held_to_the_same_rules() {
    let long = |name: &[u8], size: u64| {
        let name = name.to_vec();
        let tar = tar_of(&[
            file("sdk.json", JSON),
            Entry(b'L', b"././@LongLink", &name, size),
            file("short", b"x"),
        ]);
        Tried::unpacking(&compressed(&tar))
    };
    long(b"../out\0", 7).damaged("is no name for a file");
    long(b"a\0b\0", 4).damaged("a long name isn't one");
    long(b"ab", 2).damaged("a long name isn't one");
    long(b"a\0", 1 << 40).damaged("more than");
    long(b"a\0", 1 << 20).damaged("want at most");
    let lonely = compressed(&tar_of(&[file("sdk.json", JSON), Entry(b'L', b"l", b"a\0", 2)]));
    Tried::unpacking(&lonely).damaged("a long name has no file");
    let link = [file("sdk.json", JSON), Entry(b'L', b"l", b"a\0", 2), Entry(b'2', b"b", b"", 0)];
    Tried::unpacking(&compressed(&tar_of(&link))).damaged("a long name has no file");
}

#[test]
fn what_is_no_regular_file_is_refused() {
    // Links, devices, folders, pipes, sparse files, and tar's own extensions.
    for kind in *b"1234567SKxgVMD" {
        Tried::unpacking(&hostile(vec![Entry(kind, b"thing", b"", 0)])).damaged("is no regular file");
    }
}

#[test]
fn a_name_that_is_there_twice_is_refused() {
    Tried::unpacking(&hostile(vec![file("a", b"1"), file("a", b"1")])).damaged("`a` is there twice");
    Tried::unpacking(&hostile(vec![file("sdk.json", JSON)])).damaged("`sdk.json` is there twice");
    Tried::unpacking(&hostile(vec![file("a/b", b""), file("a", b"")])).damaged("`a` is there twice");
    // Written by unpacking itself, and so a word for what isn't true.
    Tried::unpacking(&hostile(vec![file("unpacked", b"")])).damaged("`unpacked`");
    Tried::unpacking(&hostile(vec![file("unpacked/a", b"")])).damaged("`unpacked`");
}

#[test]
fn a_name_that_leads_through_a_file_is_refused() {
    Tried::unpacking(&hostile(vec![file("a", b""), file("a/b", b"")])).damaged("leads through the file `a`");
    Tried::unpacking(&hostile(vec![file("digests/b", b"")])).damaged("leads through the file `digests`");
}

#[test]
fn a_size_that_is_not_there_is_refused() {
    let short = [file("sdk.json", JSON), Entry(b'0', b"a", b"abc", 1 << 30)];
    Tried::unpacking(&compressed(&tar_of(&short))).damaged("`a` ends early");
    let most = [file("sdk.json", JSON), Entry(b'0', b"a", b"abc", u64::MAX)];
    assert_eq!(Tried::unpacking(&compressed(&tar_of(&most))).refused().0, "damaged-sdk");
    let description = [Entry(b'0', b"sdk.json", JSON, 1 << 31)];
    Tried::unpacking(&compressed(&tar_of(&description))).damaged("want at most");
    let description = [Entry(b'0', b"sdk.json", JSON, 1 << 20)];
    Tried::unpacking(&compressed(&tar_of(&description))).damaged("ends early");
}

#[test]
fn more_than_fits_is_refused_before_it_is_written() {
    let zeros = vec![0; 1 << 20];
    let bomb = hostile(vec![file("a", &zeros), file("b", &zeros)]);
    assert!(bomb.len() < 4096);
    Tried::within(&bomb, &Limits { unpacked: 2 << 20, ..LIMITS }).damaged("more than 2097152 bytes");
    Tried::within(&bomb, &Limits { entries: 3, ..LIMITS }).damaged("more than 3 entries");
    Tried::within(&bomb, &Limits { archive: 100, ..LIMITS }).damaged("want at most 100");
    assert!(Tried::within(&bomb, &Limits { entries: 4, unpacked: 3 << 20, ..LIMITS }).outcome.is_ok());
}

#[test]
fn a_window_that_nobody_needs_is_refused() {
    let mut encoder = zstd::Encoder::new(Vec::new(), 1).unwrap();
    encoder.window_log(30).unwrap();
    encoder.write_all(&tar_of(&[file("sdk.json", JSON)])).unwrap();
    Tried::unpacking(&encoder.finish().unwrap()).damaged("memory");
}

#[test]
fn digests_that_are_not_those_of_the_files_are_refused() {
    let with = |digests: &str| {
        let entries = [file("sdk.json", JSON), file("a", b"1"), file("digests", digests.as_bytes())];
        Tried::unpacking(&compressed(&tar_of(&entries)))
    };
    let line = |name: &str, bytes: &[u8]| format!("{}  {name}\n", hex(&sha256(bytes)));
    let (a, json) = (line("a", b"1"), line("sdk.json", JSON));
    assert!(with(&format!("{a}{json}")).outcome.is_ok());
    with(&json).damaged("`a` isn't in the digests");
    with(&format!("{}{json}", line("a", b"2"))).damaged("`a` isn't what the digests say");
    with(&format!("{a}{}{json}", line("b", b""))).damaged("`b` is missing");
    with(&format!("{json}{a}")).damaged("the digests aren't as they are written");
    with("").damaged("isn't in the digests");
    let none = compressed(&tar_of(&[file("sdk.json", JSON), file("a", b"1")]));
    Tried::unpacking(&none).damaged("it has no digests");
}

#[test]
fn what_is_in_the_cache_is_not_unpacked_again() {
    let folder = TempDir::new().unwrap();
    let (file, cache) = (folder.path().join("file"), folder.path().join("cache"));
    std::fs::write(&file, packed(sdk().path())).unwrap();
    let first = unpack(&file, &cache).unwrap();
    // Seen by what unpacking would undo.
    std::fs::write(first.join("mark"), "").unwrap();
    assert_eq!(unpack(&file, &cache).unwrap(), first);
    assert!(first.join("mark").exists());
}

#[test]
fn what_is_in_the_cache_in_part_is_unpacked_again() {
    let folder = TempDir::new().unwrap();
    let (file, cache) = (folder.path().join("file"), folder.path().join("cache"));
    std::fs::write(&file, packed(sdk().path())).unwrap();
    let unpacked = unpack(&file, &cache).unwrap();
    let want = files_of(&unpacked);
    let again = |what: &str| {
        assert_eq!(unpack(&file, &cache).unwrap(), unpacked);
        assert_eq!(files_of(&unpacked), want, "{what}");
    };
    std::fs::remove_file(unpacked.join(STAMP)).unwrap();
    std::fs::write(unpacked.join("lib/libapi.so"), "of another").unwrap();
    again("no stamp");
    std::fs::remove_file(unpacked.join("crates/a.rmeta")).unwrap();
    again("a file removed");
    std::fs::write(unpacked.join("crates/a.rmeta"), "short").unwrap();
    again("a file cut short");
    std::fs::write(unpacked.join(STAMP), "of another").unwrap();
    again("another stamp");
    std::fs::remove_dir_all(&unpacked).unwrap();
    std::fs::write(&unpacked, "a file").unwrap();
    again("a file in its place");
}

#[test]
fn what_dead_attempts_left_is_removed_by_the_next() {
    let folder = TempDir::new().unwrap();
    let (file, cache) = (folder.path().join("file"), folder.path().join("cache"));
    let left = cache.join(format!("{ATTEMPT}dead"));
    std::fs::create_dir_all(left.join("lib")).unwrap();
    std::fs::write(left.join("lib/half"), "ha").unwrap();
    std::fs::write(&file, packed(sdk().path())).unwrap();
    let unpacked = unpack(&file, &cache).unwrap();
    assert!(!left.exists());
    let names: BTreeSet<_> = std::fs::read_dir(&cache).unwrap().map(|e| e.unwrap().path()).collect();
    assert_eq!(names, BTreeSet::from([cache.join(LOCK), unpacked]));
}

#[test]
fn many_that_unpack_at_once_get_one_whole_folder() {
    let folder = TempDir::new().unwrap();
    let (file, cache) = (folder.path().join("file"), folder.path().join("cache"));
    let sdk = sdk();
    std::fs::write(&file, packed(sdk.path())).unwrap();
    let start = std::sync::Barrier::new(8);
    let found: BTreeSet<PathBuf> = std::thread::scope(|scope| {
        let one = || {
            start.wait();
            let unpacked = unpack(&file, &cache).unwrap();
            assert_eq!(files_of(&unpacked).len(), files_of(sdk.path()).len() + 2);
            unpacked
        };
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(one)).collect();
        threads.into_iter().map(|t| t.join().unwrap()).collect()
    });
    assert_eq!(found.len(), 1);
    assert_eq!(std::fs::read_dir(&cache).unwrap().count(), 2);
}
