//! The ELF note that carries the manifest.

use dynplug_manifest::image::Endian;
use dynplug_manifest::note;

fn foreign(endian: Endian) -> Vec<u8> {
    let words = [4u32, 5, 3];
    let mut bytes: Vec<u8> = match endian {
        Endian::Little => words.iter().flat_map(|word| word.to_le_bytes()).collect(),
        Endian::Big => words.iter().flat_map(|word| word.to_be_bytes()).collect(),
    };
    bytes.extend(b"GNU\0build\0\0\0");
    bytes
}

#[test]
fn the_note_is_found_among_others_in_either_endianness() {
    for endian in [Endian::Little, Endian::Big] {
        for len in 0..9 {
            let descriptor = &b"descriptor"[..len];
            let own = note::encode_for(descriptor, endian);
            assert!(own.len().is_multiple_of(4));
            let alone = note::find(&own);
            let among = [&foreign(endian)[..], &[0; 4], &own, &foreign(endian)].concat();
            assert_eq!(alone, Some(descriptor));
            assert_eq!(note::find(&among), Some(descriptor));
        }
    }
}

#[test]
fn the_little_endian_note_has_the_documented_bytes() {
    assert_eq!(note::encode(b"abc"), *b"\x08\0\0\0\x03\0\0\0GLPDdynplug\0abc\0");
}

#[test]
fn no_prefix_of_other_notes_is_taken_for_it() {
    let notes = [foreign(Endian::Little), foreign(Endian::Little)].concat();
    for len in 0..=notes.len() {
        assert_eq!(note::find(&notes[..len]), None);
    }
    assert_eq!(note::find(&[0; 64]), None);
    assert_eq!(note::find(&[0xff; 64]), None);
}

#[test]
fn a_note_that_is_cut_off_is_none() {
    let own = note::encode(b"descriptor");
    let whole = own.len() - 2;
    for len in 0..whole {
        assert_eq!(note::find(&own[..len]), None);
    }
    assert_eq!(note::find(&own[..whole]), Some(&b"descriptor"[..]));
}
