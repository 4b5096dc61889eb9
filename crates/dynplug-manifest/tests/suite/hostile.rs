//! Bytes that somebody made to break the reader: whatever they are, the end is a value or a typed error, and
//! memory stays within a small multiple of what was given.

use dynplug_manifest::image::Image;
use dynplug_manifest::record::Records;
use dynplug_manifest::{Manifest, note};

use crate::elf::{CLASSES, elf};
use crate::meter::peak;
use crate::samples::{FIELDS, Numbers, manifest, record};

/// Reads the bytes in every way there is, to the end.
pub(crate) fn read_everything(bytes: &[u8]) {
    let ((), held) = peak(|| {
        if let Ok(manifest) = Manifest::decode(bytes) {
            assert_eq!(Manifest::decode(&manifest.encode()), Ok(manifest));
        }
        for record in Records::new(bytes) {
            if let Err(error) = record {
                assert!(!error.to_string().is_empty());
            }
        }
        note::find(bytes);
        match Image::parse(bytes) {
            Ok(image) => read_image(&image),
            Err(error) => assert!(!error.to_string().is_empty()),
        }
    });
    assert!(held <= 64 * bytes.len() + 4096, "{held} bytes of memory for {} bytes of input", bytes.len());
}

fn read_image(image: &Image<'_>) {
    let _ = image.manifest();
    for section in image.sections() {
        assert!(section.data.len() as u64 <= section.size || section.data.is_empty());
    }
    image.dynamic_symbols().for_each(drop);
    image.defined_symbols().for_each(drop);
}

fn seeds() -> Vec<Vec<u8>> {
    let mut seeds = vec![manifest().encode(), [record(&FIELDS), vec![0; 3], record(&FIELDS)].concat()];
    seeds.push(note::encode(&manifest().encode()));
    seeds.extend(CLASSES.map(|class| elf(class, &manifest())));
    #[cfg(feature = "all-formats")]
    seeds.extend(crate::foreign::images());
    seeds
}

// C15
#[test]
fn every_flipped_byte_ends_in_a_value_or_an_error() {
    for seed in seeds() {
        let mut bytes = seed.clone();
        for at in 0..bytes.len() {
            for change in [0x01, 0x80, 0xff] {
                bytes[at] ^= change;
                read_everything(&bytes);
                bytes[at] = seed[at];
            }
        }
    }
}

// C15
#[test]
fn hostile_numbers_at_every_offset_end_in_a_value_or_an_error() {
    let numbers = [u32::MAX, 0x7fff_ffff, 0xffff_fff0, 0];
    for seed in seeds() {
        let mut bytes = seed.clone();
        for at in 0..bytes.len().saturating_sub(4) {
            for number in numbers {
                bytes[at..at + 4].copy_from_slice(&number.to_le_bytes());
                read_everything(&bytes);
            }
            bytes[at..at + 4].copy_from_slice(&seed[at..at + 4]);
        }
        for at in 0..bytes.len().saturating_sub(8) {
            bytes[at..at + 8].fill(0xff);
            read_everything(&bytes);
            bytes[at..at + 8].copy_from_slice(&seed[at..at + 8]);
        }
    }
}

// C15
#[test]
fn every_truncation_ends_in_a_value_or_an_error() {
    for seed in seeds() {
        for len in 0..seed.len() {
            read_everything(&seed[..len]);
        }
    }
}

// C15
#[test]
fn many_changes_at_once_end_in_a_value_or_an_error() {
    let mut numbers = Numbers(15);
    for seed in seeds() {
        for _ in 0..2000 {
            let mut bytes = seed.clone();
            for _ in 0..=numbers.below(8) {
                let at = numbers.below(bytes.len());
                match numbers.below(4) {
                    0 => bytes[at] = numbers.next() as u8,
                    1 => bytes.truncate(at.max(1)),
                    2 => bytes[at..].iter_mut().take(4).for_each(|byte| *byte = 0xff),
                    _ => {
                        let from = numbers.below(bytes.len());
                        let piece: Vec<u8> = bytes[from..].iter().take(32).copied().collect();
                        bytes.splice(at..at, piece);
                    }
                }
            }
            read_everything(&bytes);
        }
    }
}
