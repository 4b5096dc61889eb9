//! Records of exported items.

use dynplug_manifest::record::{Fields, Kind, RecordError, Records, UNKNOWN, encode, encoded_len};

use crate::samples::{FIELDS, Numbers, record};

static ENCODED: [u8; encoded_len(&FIELDS)] = encode(&FIELDS);

const ROUND: Fields<'static> = {
    // 24 bytes of header, 32 of lengths: with these docs 256, which a record must not have.
    let docs = "0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789\
                012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789012345678\
                0";
    Fields {
        kind: Kind::Init,
        flags: 0,
        line: 1,
        column: 1,
        obstacles: 0,
        name: "",
        signature: "",
        docs,
        package: "",
        version: "",
        module: "",
        file: "",
        below: "",
    }
};

static ENCODED_ROUND: [u8; encoded_len(&ROUND)] = encode(&ROUND);

fn decode(section: &[u8]) -> Result<Vec<Fields<'_>>, RecordError> {
    Records::new(section).collect()
}

#[test]
fn a_record_is_written_as_documented() {
    assert_eq!(ENCODED[..], record(&FIELDS)[..]);
    assert_eq!(Fields::decode(&ENCODED), Ok(FIELDS));
    assert_eq!(FIELDS.crate_name(), "hello");
    assert!(FIELDS.is_unsafe() && !FIELDS.is_async() && !FIELDS.is_plugin());
}

#[test]
fn the_packages_below_are_read_line_by_line() {
    let read = |below| {
        let fields = Fields { below, ..FIELDS };
        fields.packages_below().map(|all| all.map(|b| (b.package, b.version, b.shared)).collect::<Vec<_>>())
    };
    assert_eq!(
        read("a 1.0.0\n\nb 2.0.0 shared\nc\n"),
        Some(vec![("a", "1.0.0", false), ("b", "2.0.0", true)])
    );
    assert_eq!(read(""), Some(vec![]));
    assert_eq!(read(UNKNOWN), None);
}

#[test]
fn a_record_of_a_round_length_gets_one_byte_more_and_comes_back() {
    assert_eq!(ENCODED_ROUND.len(), 257);
    assert_eq!(ENCODED_ROUND[..], record(&ROUND)[..]);
    assert_eq!(Fields::decode(&ENCODED_ROUND), Ok(ROUND));
}

#[test]
fn records_of_every_length_come_back_whatever_a_linker_puts_between_them() {
    let docs = "d".repeat(600);
    let mut numbers = Numbers(1);
    for len in 0..=docs.len() {
        let first = Fields { docs: &docs[..len], kind: Kind::Static, flags: 0, ..FIELDS };
        let second = Fields { name: "v", kind: Kind::Init, flags: 1, ..FIELDS };
        let mut section = Vec::new();
        for fields in [&first, &second, &first] {
            section.extend(vec![0; numbers.below(9)]);
            section.extend(record(fields));
        }
        section.extend(vec![0; numbers.below(9)]);
        assert_eq!(decode(&section), Ok(vec![first, second, first]));
    }
}

#[test]
fn a_section_of_nothing_or_zeros_has_no_records() {
    assert_eq!(decode(&[]), Ok(vec![]));
    assert_eq!(decode(&[0; 4099]), Ok(vec![]));
}

#[test]
fn every_truncation_of_a_record_is_an_error() {
    for len in 1..ENCODED.len() {
        assert!(matches!(Fields::decode(&ENCODED[..len]), Err(RecordError::Truncated { .. })), "{len} bytes");
        assert_eq!(Records::new(&ENCODED[..len]).map(|record| record.is_ok()).collect::<Vec<_>>(), [false]);
    }
}

#[test]
fn after_an_error_there_are_no_more_records() {
    let mut section = [&ENCODED[..], &ENCODED, &ENCODED].concat();
    section[ENCODED.len() + 4] = 9;
    let mut records = Records::new(&section);
    assert_eq!(records.next(), Some(Ok(FIELDS)));
    assert_eq!(records.next(), Some(Err(RecordError::Version { offset: ENCODED.len(), version: 9 })));
    assert_eq!(records.next(), None);
}

#[test]
fn what_means_nothing_is_refused() {
    let changed = |at: usize, value: u8| {
        let mut bytes = ENCODED.to_vec();
        bytes[at] = value;
        Fields::decode(&bytes).map(|_| ()).unwrap_err()
    };
    assert_eq!(changed(5, 3), RecordError::Kind { offset: 0, kind: 3 });
    assert_eq!(changed(6, 8), RecordError::Flags { offset: 0, flags: 8 });
    assert_eq!(changed(28, 0xff), RecordError::Text { offset: 0, field: "name" });
    assert_eq!(changed(27, 0xff), RecordError::Overrun { offset: 0, field: "name" });
    assert!(matches!(changed(0, 47), RecordError::Length { .. }));

    let mut longer = ENCODED.to_vec();
    longer.extend([0; 3]);
    assert!(matches!(Fields::decode(&longer), Err(RecordError::Trailing { count: 3, .. })));
    longer[0] += 3;
    assert!(matches!(Fields::decode(&longer), Err(RecordError::Trailing { count: 3, .. })));
}
