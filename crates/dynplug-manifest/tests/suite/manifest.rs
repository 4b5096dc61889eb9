//! The manifest.

use dynplug_manifest::manifest::{MAX_CRATES, MAX_TEXT};
use dynplug_manifest::{DecodeError, Identity, Manifest, ParseIdentityError};

use crate::samples::{Numbers, any_manifest, manifest};

/// The fields of some bytes, taken apart by hand.
fn split(mut bytes: &[u8]) -> Vec<(u16, Vec<u8>)> {
    let mut fields = Vec::new();
    while !bytes.is_empty() {
        let tag = u16::from_le_bytes([bytes[0], bytes[1]]);
        let len = u32::from_le_bytes([bytes[2], bytes[3], bytes[4], bytes[5]]) as usize;
        fields.push((tag, bytes[6..6 + len].to_vec()));
        bytes = &bytes[6 + len..];
    }
    fields
}

fn join(fields: &[(u16, Vec<u8>)]) -> Vec<u8> {
    let field = |(tag, bytes): &(u16, Vec<u8>)| {
        [&tag.to_le_bytes()[..], &(bytes.len() as u32).to_le_bytes(), bytes].concat()
    };
    fields.iter().flat_map(field).collect()
}

/// The sample with its fields changed.
fn changed(change: impl FnOnce(&mut Vec<(u16, Vec<u8>)>)) -> Vec<u8> {
    let bytes = manifest().encode();
    let mut fields = split(&bytes[16..]);
    change(&mut fields);
    let body = join(&fields);
    [&bytes[..12], &(body.len() as u32 + 16).to_le_bytes(), &body].concat()
}

/// The sample with the fields in the first field of that tag changed.
fn changed_within(tag: u16, change: impl FnOnce(&mut Vec<(u16, Vec<u8>)>)) -> Vec<u8> {
    changed(|fields| {
        let (_, bytes) = fields.iter_mut().find(|(t, _)| *t == tag).unwrap();
        let mut inner = split(bytes);
        change(&mut inner);
        *bytes = join(&inner);
    })
}

#[test]
fn manifests_come_back_as_they_were() {
    let mut numbers = Numbers(0);
    for _ in 0..300 {
        let manifest = any_manifest(&mut numbers);
        assert_eq!(Manifest::decode(&manifest.encode()), Ok(manifest));
    }
}

#[test]
fn the_header_is_as_documented() {
    let bytes = manifest().encode();
    assert_eq!(bytes[..12], *b"DYNPLUG\0\x02\0\x01\0");
    assert_eq!(bytes[12..16], (bytes.len() as u32).to_le_bytes());
}

#[test]
fn every_truncation_is_an_error_that_says_how_much_is_missing() {
    let bytes = manifest().encode();
    for len in 0..bytes.len() {
        let want = if len < 16 { 16 } else { bytes.len() };
        assert_eq!(Manifest::decode(&bytes[..len]), Err(DecodeError::Truncated { have: len, want }));
    }
}

#[test]
fn zeros_behind_the_end_are_padding_and_anything_else_is_not() {
    let mut bytes = manifest().encode();
    let offset = bytes.len();
    bytes.extend([0; 7]);
    assert_eq!(Manifest::decode(&bytes), Ok(manifest()));
    bytes[offset + 3] = 1;
    assert_eq!(Manifest::decode(&bytes), Err(DecodeError::Trailing { offset, count: 7 }));
}

#[test]
fn other_bytes_are_no_manifest() {
    for bytes in [&b"x"[..], b"DYNPLUGS", b"DYNPLUG\x01\x01\0\x01\0\x10\0\0\0", &[0; 100]] {
        assert_eq!(Manifest::decode(bytes), Err(DecodeError::NotAManifest));
    }
}

#[test]
fn a_manifest_for_newer_readers_is_refused_with_both_versions() {
    let mut bytes = manifest().encode();
    bytes[8] = 7;
    assert_eq!(Manifest::decode(&bytes), Ok(manifest()), "a later version that says this reader can read it");
    bytes[10] = 3;
    assert_eq!(Manifest::decode(&bytes), Err(DecodeError::TooNew { have: 2, want: 3 }));
    // Whatever follows in a later version.
    bytes[12..16].fill(0xff);
    assert_eq!(Manifest::decode(&bytes), Err(DecodeError::TooNew { have: 2, want: 3 }));
}

#[test]
fn a_manifest_of_an_earlier_format_is_refused_with_what_to_do() {
    let mut bytes = manifest().encode();
    bytes[8] = 1;
    let error = Manifest::decode(&bytes).unwrap_err();
    assert_eq!(error, DecodeError::TooOld { have: 1, want: 2 });
    let text = error.to_string();
    assert!(text.contains("an earlier dynplug") && text.ends_with("build it again"), "{text}");
}

#[test]
fn unknown_fields_are_skipped_wherever_they_stand() {
    let unknown = || (0x7fff, vec![0xff; 9]);
    assert_eq!(Manifest::decode(&changed(|fields| fields.insert(3, unknown()))), Ok(manifest()));
    for tag in [11, 12, 13] {
        assert_eq!(Manifest::decode(&changed_within(tag, |fields| fields.push(unknown()))), Ok(manifest()));
    }
}

// C15
#[test]
fn a_field_that_stands_twice_or_not_at_all_is_named() {
    let top = [
        "product",
        "package",
        "version",
        "crate_name",
        "tool",
        "rustc",
        "target",
        "profile",
        "",
        "id",
        "api",
        "",
        "",
        "with_sdk",
        "records",
    ];
    for (tag, &field) in (1..).zip(&top).filter(|(_, field)| !field.is_empty()) {
        let twice = changed(|fields| fields.extend(fields.clone().into_iter().filter(|(t, _)| *t == tag)));
        let never = changed(|fields| fields.retain(|(t, _)| *t != tag));
        assert_eq!(Manifest::decode(&twice), Err(DecodeError::Duplicate { field }));
        assert_eq!(Manifest::decode(&never), Err(DecodeError::Missing { field }));
    }
    let api = ["api.package", "api.version", "api.crate_name", "api.soname", "api.identity"];
    let krate = [
        "crates.package",
        "crates.version",
        "crates.crate_name",
        "crates.source",
        "",
        "crates.shared",
        "crates.id",
        "crates.content",
        "crates.dependencies",
        "",
        "crates.code",
    ];
    let library = [
        "libraries.package",
        "libraries.version",
        "libraries.crate_name",
        "libraries.soname",
        "libraries.identity",
    ];
    for (outer, names) in [(11, &api[..]), (12, &krate[..]), (13, &library[..])] {
        for (tag, &field) in (1..).zip(names).filter(|(_, field)| !field.is_empty()) {
            let twice = changed_within(outer, |fields| {
                fields.extend(fields.clone().into_iter().filter(|(t, _)| *t == tag));
            });
            let never = changed_within(outer, |fields| fields.retain(|(t, _)| *t != tag));
            assert_eq!(Manifest::decode(&twice), Err(DecodeError::Duplicate { field }));
            assert_eq!(Manifest::decode(&never), Err(DecodeError::Missing { field }));
        }
    }
}

// C15
#[test]
fn values_without_a_meaning_are_refused() {
    let with = |tag: u16, bytes: &[u8]| {
        let bytes = changed(|fields| fields.iter_mut().find(|(t, _)| *t == tag).unwrap().1 = bytes.to_vec());
        Manifest::decode(&bytes).unwrap_err()
    };
    assert_eq!(with(1, &[4]), DecodeError::Value { field: "product", value: 4 });
    assert_eq!(with(1, &[0, 0]), DecodeError::Size { field: "product", have: 2, want: 1 });
    assert_eq!(with(2, b"\xff"), DecodeError::Text { field: "package" });
    assert_eq!(with(9, b"\xe6\xbc"), DecodeError::Text { field: "cpu_features" });
    assert_eq!(with(14, &[2]), DecodeError::Value { field: "with_sdk", value: 2 });
    assert_eq!(with(15, &[1]), DecodeError::Size { field: "records", have: 1, want: 4 });
    assert_eq!(with(10, &[0; 31]), DecodeError::Size { field: "id", have: 31, want: 32 });
    let long = vec![b'a'; MAX_TEXT + 1];
    assert_eq!(
        with(2, &long),
        DecodeError::TooLong { field: "package", have: MAX_TEXT + 1, limit: MAX_TEXT }
    );

    let with = |tag: u16, bytes: &[u8]| {
        let bytes = changed_within(12, |fields| {
            fields.iter_mut().find(|(t, _)| *t == tag).unwrap().1 = bytes.to_vec();
        });
        Manifest::decode(&bytes).unwrap_err()
    };
    assert_eq!(with(6, &[2]), DecodeError::Value { field: "crates.shared", value: 2 });
    assert_eq!(with(9, &[0; 7]), DecodeError::Size { field: "crates.dependencies", have: 7, want: 4 });
    assert!(matches!(with(10, b"\x05\0\0\0abc"), DecodeError::Overrun { .. }));
    assert_eq!(with(10, b"\x01\0\0\0a\xff"), DecodeError::Text { field: "crates.settings" });
}

// C15
#[test]
fn dependencies_on_nothing_and_in_a_circle_are_refused() {
    let mut sample = manifest();
    sample.crates[1].dependencies = vec![3];
    let error = DecodeError::Dependency { crate_index: 1, index: 3, crates: 3 };
    assert_eq!(Manifest::decode(&sample.encode()), Err(error));

    sample.crates[1].dependencies = vec![u32::MAX];
    assert!(matches!(Manifest::decode(&sample.encode()), Err(DecodeError::Dependency { .. })));

    // hello, which is in no cycle itself, comes before the two that are.
    let mut sample = manifest();
    sample.crates.rotate_right(1);
    sample.crates[0].dependencies = vec![1];
    sample.crates[1].dependencies = vec![2];
    sample.crates[2].dependencies = vec![1];
    match Manifest::decode(&sample.encode()) {
        Err(DecodeError::Cycle { crate_name, .. }) => assert_ne!(crate_name, "hello"),
        other => panic!("{other:?}"),
    }

    let mut sample = manifest();
    sample.crates[2].dependencies = vec![2];
    let error = DecodeError::Cycle { crate_index: 2, crate_name: "hello".into() };
    assert_eq!(Manifest::decode(&sample.encode()), Err(error));
}

// C15
#[test]
fn a_long_chain_of_dependencies_is_followed_without_recursion() {
    let mut sample = manifest();
    let mut pattern = sample.crates[0].clone();
    pattern.source.clear();
    pattern.features.clear();
    pattern.settings.clear();
    sample.crates = (0..MAX_CRATES as u32)
        .map(|i| {
            let mut info = pattern.clone();
            info.dependencies = if i == 0 { vec![] } else { vec![i - 1] };
            info
        })
        .collect();
    let bytes = sample.encode();
    assert_eq!(Manifest::decode(&bytes).map(|manifest| manifest.crates.len()), Ok(MAX_CRATES));
    sample.crates.push(pattern);
    let error = DecodeError::TooMany { field: "crates", limit: MAX_CRATES };
    assert_eq!(Manifest::decode(&sample.encode()), Err(error));
}

#[test]
fn an_identity_is_written_and_read_as_hexadecimal_digits() {
    let identity = Identity(std::array::from_fn(|i| i as u8 * 7));
    let text = identity.to_string();
    assert_eq!(text.len(), 64);
    assert_eq!(identity.short(), "00070e151c232a31");
    assert_eq!(text.parse(), Ok(identity));
    assert_eq!(text.to_uppercase().parse(), Ok(identity));
    assert_eq!(text[1..].parse::<Identity>(), Err(ParseIdentityError::Length { have: 63 }));
    assert_eq!(format!("{text}00").parse::<Identity>(), Err(ParseIdentityError::Length { have: 66 }));
    assert_eq!(text.replacen('7', "x", 1).parse::<Identity>(), Err(ParseIdentityError::Digit { offset: 3 }));
}
