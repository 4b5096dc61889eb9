//! Whatever the bytes are, decoding a manifest ends; one that decodes is what its own encoding decodes to.

#![no_main]

use dynplug_manifest::Manifest;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(manifest) = Manifest::decode(bytes) {
        assert_eq!(Manifest::decode(&manifest.encode()), Ok(manifest));
    }
});
