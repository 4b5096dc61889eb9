use super::*;
use crate::comment::tests::manifest;
use base64ct::{Base64, Encoding};
use dynplug_manifest::diagnostics::Code;
use minisign::KeyPair;
use std::fs;
use std::io::Cursor;

/// A folder with one file, and a key.
struct Case {
    folder: PathBuf,
    file: PathBuf,
    pair: KeyPair,
}

const BYTES: &[u8] = b"a plugin";

impl Case {
    fn new(name: &str) -> Case {
        let folder = std::env::temp_dir().canonicalize().unwrap();
        let folder = folder.join(format!("dynplug-trust-{name}-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let pair = KeyPair::generate_unencrypted_keypair().unwrap();
        Case { file: folder.join("libhello.so"), folder, pair }
    }

    fn key(&self) -> PublicKey {
        self.pair.pk.to_base64().parse().unwrap()
    }

    fn sign(&self, bytes: &[u8], comment: &str) {
        let signed = minisign::sign(None, &self.pair.sk, Cursor::new(bytes), Some(comment), None).unwrap();
        fs::write(signature_file(&self.file), signed.to_string()).unwrap();
    }

    fn code(&self, policy: &Policy) -> Option<Code> {
        policy
            .judge(&self.file, &self.file, BYTES)
            .and_then(|judged| judged.compare(&manifest()))
            .err()
            .map(|error| error.code())
    }
}

impl Drop for Case {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

fn pin(name: &str, bytes: &[u8]) -> Pins {
    let mut pins = Pins::new();
    pins.add(name, Digest::of(bytes));
    pins
}

#[test]
fn a_signature_counts_when_everything_about_it_is_right() {
    let case = Case::new("signature");
    let policy = Policy::new().key(case.key().named("releases"));
    assert_eq!(case.code(&policy), Some(Code::Unsigned));
    fs::write(signature_file(&case.file), "a text").unwrap();
    assert_eq!(case.code(&policy), Some(Code::BadSignature));
    case.sign(b"another plugin", "");
    assert_eq!(case.code(&policy), Some(Code::Altered));
    case.sign(BYTES, "plugin:goodbye");
    assert_eq!(case.code(&policy), Some(Code::WrongComment));
    case.sign(BYTES, "expires:soon");
    assert_eq!(case.code(&policy), Some(Code::WrongComment));
    case.sign(BYTES, "expires:2001-01-01");
    assert_eq!(case.code(&policy), Some(Code::Expired));
    case.sign(BYTES, "timestamp:1767225600\tfile:libhello.so\thashed");
    assert_eq!(case.code(&policy), None);
    case.sign(BYTES, Comment::of(&manifest(), Moment::now(), "2099-01-01".parse().ok()).text());
    assert_eq!(case.code(&policy), None);
    let judged = policy.judge(&case.file, &case.file, BYTES).unwrap().compare(&manifest()).unwrap();
    assert!(judged.to_string().starts_with("signed with the key `releases` ("), "{judged}");
    assert_eq!(case.code(&Policy::new().key(Case::new("other").key())), Some(Code::UnknownKey));
}

#[test]
fn a_key_ends_and_another_takes_over() {
    let (old, new) = (Case::new("old"), Case::new("new"));
    let until = |day: &str| day.parse::<Moment>().unwrap();
    let policy = Policy::new().key(old.key().until(until("2026-06-30"))).key(new.key());
    old.sign(BYTES, "");
    new.sign(BYTES, "");
    let judge = |case: &Case, day| policy.judge_at(&case.file, &case.file, BYTES, until(day));
    judge(&old, "2026-06-30").unwrap();
    assert_eq!(judge(&old, "2026-07-01").unwrap_err().code(), Code::Expired);
    judge(&new, "2026-07-01").unwrap();
    // What was opened in time is no longer given to who asks too late.
    let voucher = judge(&old, "2026-06-30").unwrap().voucher;
    policy.accepts_at(&old.file, &voucher, until("2026-06-30")).unwrap();
    let late = policy.accepts_at(&old.file, &voucher, until("2026-07-01"));
    assert_eq!(late.unwrap_err().code(), Code::Expired);
    // Of two ends of one key the later counts.
    let twice = policy.clone().key(old.key().until(until("2027-06-30")));
    twice.judge_at(&old.file, &old.file, BYTES, until("2026-07-01")).unwrap();
}

#[test]
fn two_keys_of_one_id_are_both_tried() {
    let case = Case::new("ids");
    case.sign(BYTES, "");
    // The same id with another key behind it.
    let mut other = Case::new("ids-other").pair.pk.to_bytes();
    other[2..10].copy_from_slice(&case.pair.pk.to_bytes()[2..10]);
    let other: PublicKey = Base64::encode_string(&other).parse().unwrap();
    assert_eq!(other.id(), case.key().id());
    assert_eq!(case.code(&Policy::new().key(other.clone())), Some(Code::Altered));
    assert_eq!(case.code(&Policy::new().key(other).key(case.key())), None);
}

#[test]
fn what_is_pinned_decides_for_its_name() {
    let case = Case::new("pins");
    assert_eq!(case.code(&Policy::new().pins(pin("plugins/libhello.so", BYTES))), None);
    assert_eq!(case.code(&Policy::new().pins(pin("libhello.so", b"x"))), Some(Code::NotPinned));
    assert_eq!(case.code(&Policy::new().pins(pin("libother.so", BYTES))), Some(Code::NotPinned));
    // A good signature doesn't help against another pin, and a pin needs no signature.
    case.sign(BYTES, "");
    let keys = Policy::new().key(case.key());
    assert_eq!(case.code(&keys.clone().pins(pin("libhello.so", b"x"))), Some(Code::NotPinned));
    assert_eq!(case.code(&keys.clone().pins(pin("libother.so", BYTES))), None);
    fs::remove_file(signature_file(&case.file)).unwrap();
    assert_eq!(case.code(&keys.clone().pins(pin("libhello.so", BYTES))), None);
    assert_eq!(case.code(&keys.pins(pin("libother.so", BYTES))), Some(Code::Unsigned));
}

#[test]
fn a_link_that_takes_the_place_of_a_pinned_file_leads_to_nothing_else() {
    // An older one, which the same key has signed, lies beside it.
    let case = Case::new("pinned-link");
    case.sign(BYTES, "");
    let link = case.folder.join("libpinned.so");
    let policy = |pins| Policy::new().key(case.key()).pins(pins);
    let code = |outcome: Result<Judged, Untrusted>| outcome.err().map(|error| error.code());
    let judge = |policy: &Policy| code(policy.judge(&link, &case.file, BYTES));
    let other = policy(pin("libpinned.so", b"the pinned one"));
    assert_eq!(judge(&other), Some(Code::NotPinned));
    // By its own name it is as good as ever, and then the link gives it to nobody either.
    let voucher = other.judge(&case.file, &case.file, BYTES).unwrap().voucher;
    other.accepts(&case.file, &voucher).unwrap();
    assert_eq!(other.accepts(&link, &voucher).unwrap_err().code(), Code::NotPinned);
    // Where both names are pinned, both have to be true.
    let mut both = pin("libhello.so", BYTES);
    both.add("libpinned.so", Digest::of(BYTES));
    assert_eq!(judge(&policy(both.clone())), None);
    both.remove("libpinned.so");
    both.add("libpinned.so", Digest::of(b"the pinned one"));
    assert_eq!(judge(&policy(both)), Some(Code::NotPinned));
    // Links with versions are led by what is pinned at their end.
    assert_eq!(judge(&Policy::new().pins(pin("libhello.so", BYTES))), None);
}

#[test]
fn what_is_denied_stays_out_whoever_speaks_for_it() {
    let case = Case::new("denied");
    case.sign(BYTES, "");
    let policy = Policy::new().key(case.key()).pins(pin("libhello.so", BYTES));
    assert_eq!(case.code(&policy), None);
    assert_eq!(case.code(&policy.deny([Digest::of(BYTES)])), Some(Code::Denied));
}

#[test]
fn the_signature_lies_beside_the_file_or_the_link() {
    let case = Case::new("link");
    case.sign(BYTES, "");
    let policy = Policy::new().key(case.key());
    let link = case.folder.join("libcurrent.so");
    policy.judge(&link, &case.file, BYTES).unwrap();
    fs::rename(signature_file(&case.file), signature_file(&link)).unwrap();
    policy.judge(&link, &case.file, BYTES).unwrap();
    let refusal = policy.judge(&case.file, &case.file, BYTES).unwrap_err();
    assert_eq!(refusal.code(), Code::Unsigned);
}

#[test]
fn what_was_opened_before_is_judged_by_what_was_found_out() {
    let case = Case::new("before");
    case.sign(BYTES, "");
    let signed = Policy::new().key(case.key());
    let pinned = Policy::new().pins(pin("libhello.so", BYTES));
    let denying = signed.clone().deny([Digest::of(b"x")]);
    let strict = signed.clone().only_owner_writes();
    let nothing = Policy::new();
    let voucher = |policy: &Policy| policy.judge(&case.file, &case.file, BYTES).unwrap().voucher;
    let code =
        |policy: &Policy, voucher| policy.accepts(&case.file, &voucher).err().map(|error| error.code());
    for (policy, before, expected) in [
        (&signed, &signed, None),
        (&signed, &denying, None),
        (&signed, &strict, None),
        (&nothing, &signed, None),
        (&pinned, &pinned, None),
        (&denying, &denying, None),
        (&strict, &strict, None),
        // Its hash isn't known.
        (&pinned, &signed, Some(Code::OpenedBefore)),
        (&denying, &signed, Some(Code::OpenedBefore)),
        // Its signature isn't.
        (&signed, &pinned, Some(Code::OpenedBefore)),
        (&signed, &nothing, Some(Code::OpenedBefore)),
        (&strict, &signed, Some(Code::OpenedBefore)),
        (&Policy::new().key(Case::new("before-other").key()), &signed, Some(Code::OpenedBefore)),
        (&signed.clone().deny([Digest::of(BYTES)]), &denying, Some(Code::Denied)),
        (&Policy::new().pins(pin("libhello.so", b"x")), &denying, Some(Code::NotPinned)),
    ] {
        assert_eq!(code(policy, voucher(before)), expected, "{policy:?} after {before:?}");
    }
}

#[test]
fn each_refusal_says_what_to_do() {
    let case = Case::new("remedies");
    let policy = Policy::new().key(case.key().named("releases"));
    let error = policy.judge(&case.file, &case.file, BYTES).unwrap_err();
    let text = error.to_string();
    let file = case.file.display();
    assert!(
        text.contains(&format!("there is no {file}.minisig; `cargo dynplug sign -s <secret key> {file}`")),
        "{text}"
    );
    for error in
        [Untrusted::InPlace, Untrusted::OpenedBefore, Untrusted::Library { library: "libz.so.1".into() }]
    {
        let text = error.to_string();
        assert!(!text.contains('{') && text.contains("; "), "{text}");
    }
}
