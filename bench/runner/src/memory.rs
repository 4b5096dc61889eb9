//! How much memory a process has.

use crate::Answer;
use std::fs;

/// Bytes that are this process's: what is anonymous, its share of what is mapped from files, and its files in memory,
/// whole, whether they are mapped or not.
///
/// # Errors
///
/// When `/proc` doesn't say.
pub fn used() -> Answer {
    let rollup = fs::read_to_string("/proc/self/smaps_rollup")?;
    let field = |name: &str| -> f64 {
        let line = rollup.lines().find(|line| line.starts_with(name));
        let number = line.and_then(|line| line.split_whitespace().nth(1)?.parse::<f64>().ok());
        number.unwrap_or(0.0) * 1024.0
    };
    Ok(field("Pss_Anon:") + field("Pss_File:") + files_in_memory()?)
}

/// The sizes of all files in memory that are mapped or open, each once.
fn files_in_memory() -> Result<f64, Box<dyn std::error::Error>> {
    use std::os::unix::fs::MetadataExt;
    let mut sizes = std::collections::BTreeMap::new();
    // A mapping begins with its range, and names its file after device and inode.
    for line in fs::read_to_string("/proc/self/maps")?.lines().filter(|line| line.contains("/memfd:")) {
        let mut words = line.split_whitespace();
        let range =
            words.next().and_then(|range| range.split_once('-')).ok_or("a mapping without a range")?;
        let (start, end) = (u64::from_str_radix(range.0, 16)?, u64::from_str_radix(range.1, 16)?);
        let offset = u64::from_str_radix(words.nth(1).ok_or("a mapping without an offset")?, 16)?;
        let inode = words.nth(1).ok_or("a mapping without an inode")?.parse::<u64>()?;
        let size = sizes.entry(inode).or_insert(0);
        // All that is known of a file that is no longer open is how far it is mapped.
        *size = (*size).max(offset + end - start);
    }
    for entry in fs::read_dir("/proc/self/fd")?.flatten() {
        let link = fs::read_link(entry.path()).unwrap_or_default();
        if link.to_string_lossy().starts_with("/memfd:")
            && let Ok(metadata) = fs::metadata(entry.path())
        {
            sizes.insert(metadata.ino(), metadata.blocks() * 512);
        }
    }
    Ok(sizes.values().sum::<u64>() as f64)
}
