//! Whatever the bytes are, reading an image and all that it says ends; what it says lies within the bytes.

#![no_main]

use dynplug_manifest::{Image, note};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    note::find(bytes);
    let Ok(image) = Image::parse(bytes) else { return };
    let file = bytes.as_ptr_range();
    for section in image.sections() {
        let data = section.data.as_ptr_range();
        assert!(section.data.is_empty() || (file.start <= data.start && data.end <= file.end));
    }
    let _ = image.manifest();
    image.dynamic_symbols().for_each(drop);
});
