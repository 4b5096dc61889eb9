//! Telling from the first bytes what a file is.

use super::{ImageError, LooksLike};

/// The formats that there is a reader for, or would be with the feature `all-formats`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Magic {
    Elf,
    MachO32,
    MachO64,
    MachOFat32,
    MachOFat64,
    Pe,
}

/// How much of a file is looked at to tell text from data.
const SAMPLE: usize = 512;

/// The format of the image, or what the file looks like when it is none.
pub(super) fn recognise(data: &[u8]) -> Result<Magic, ImageError> {
    let looks_like = match data {
        [] => LooksLike::Empty,
        [0x7f, b'E', b'L', b'F', ..] => return Ok(Magic::Elf),
        [0xfe, 0xed, 0xfa, 0xce, ..] | [0xce, 0xfa, 0xed, 0xfe, ..] => return Ok(Magic::MachO32),
        [0xfe, 0xed, 0xfa, 0xcf, ..] | [0xcf, 0xfa, 0xed, 0xfe, ..] => return Ok(Magic::MachO64),
        // Java took the same magic. Its next word is a version from 45 up, and Mach-O's a count of images.
        [0xca, 0xfe, 0xba, 0xbe, 0, 0, 0, 1..=44, ..] => return Ok(Magic::MachOFat32),
        [0xca, 0xfe, 0xba, 0xbe, ..] => LooksLike::JavaClass,
        [0xca, 0xfe, 0xba, 0xbf, ..] => return Ok(Magic::MachOFat64),
        [b'M', b'Z', ..] if has_pe_header(data) => return Ok(Magic::Pe),
        [b'M', b'Z', ..] if !is_text(data) => LooksLike::Dos,
        [b'#', b'!', ..] => LooksLike::Script,
        [b'!', b'<', b'a', b'r', b'c', b'h', b'>', b'\n', ..] => LooksLike::Archive,
        [b'!', b'<', b't', b'h', b'i', b'n', b'>', b'\n', ..] => LooksLike::ThinArchive,
        [b'r', b'u', b's', b't', 0, 0, 0, _, ..] => LooksLike::RustMetadata,
        [b'B', b'C', 0xc0, 0xde, ..] | [0xde, 0xc0, 0x17, 0x0b, ..] => LooksLike::Bitcode,
        [0, b'a', b's', b'm', ..] => LooksLike::Wasm,
        [b'P', b'K', 3, 4, ..] | [b'P', b'K', 5, 6, ..] => LooksLike::Zip,
        [0x1f, 0x8b, ..] => LooksLike::Gzip,
        [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => LooksLike::Xz,
        [0x28, 0xb5, 0x2f, 0xfd, ..] => LooksLike::Zstd,
        [b'B', b'Z', b'h', b'1'..=b'9', 0x31, 0x41, 0x59, 0x26, ..] => LooksLike::Bzip2,
        _ if data.starts_with(b"Microsoft C/C++ MSF 7.00\r\n") => LooksLike::Pdb,
        _ if is_linker_script(data) => LooksLike::LinkerScript,
        _ if is_text(data) => LooksLike::Text,
        _ if data.iter().all(|&byte| byte == 0) => LooksLike::Zeros,
        _ => {
            let mut start = [0; 4];
            for (to, &from) in start.iter_mut().zip(data) {
                *to = from;
            }
            LooksLike::Unknown { start }
        }
    };
    Err(ImageError::NotAnImage { looks_like })
}

/// Whether the word at 0x3c leads to a PE header, or beyond the end of a file that once had one.
fn has_pe_header(data: &[u8]) -> bool {
    let offset = data.get(0x3c..).and_then(<[u8]>::first_chunk::<4>).map(|&word| u32::from_le_bytes(word));
    let Some(offset) = offset.and_then(|offset| usize::try_from(offset).ok()) else { return false };
    data.get(offset..).is_some_and(|header| header.starts_with(b"PE\0\0"))
}

fn is_linker_script(data: &[u8]) -> bool {
    let sample = sample(data);
    sample.starts_with(b"/* GNU ld script")
        || [&b"INPUT"[..], b"GROUP", b"OUTPUT_FORMAT"].iter().any(|command| {
            sample.strip_prefix(*command).is_some_and(|rest| rest.trim_ascii_start().starts_with(b"("))
        })
}

/// Whether it begins like UTF-8 without control characters.
fn is_text(data: &[u8]) -> bool {
    let sample = sample(data);
    let text = match std::str::from_utf8(sample) {
        Ok(text) => text,
        // The sample may end within a character.
        Err(error) if error.error_len().is_none() && sample.len() == SAMPLE => {
            sample.get(..error.valid_up_to()).and_then(|head| std::str::from_utf8(head).ok()).unwrap_or("")
        }
        Err(_) => return false,
    };
    !text.is_empty()
        && text.chars().all(|c| !c.is_control() || matches!(c, '\t' | '\n' | '\r' | '\x0c' | '\x1b'))
}

fn sample(data: &[u8]) -> &[u8] {
    data.get(..SAMPLE).unwrap_or(data)
}
