//! Whatever the bytes are, reading records ends; an error is the last, and every record is within the bytes.

#![no_main]

use dynplug_manifest::record::Records;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let mut records = Records::new(bytes);
    let mut length = 0;
    while let Some(record) = records.next() {
        match record {
            Ok(record) => length += record.name.len() + record.docs.len() + record.file.len(),
            Err(_) => assert_eq!(records.next(), None),
        }
    }
    assert!(length <= bytes.len());
});
