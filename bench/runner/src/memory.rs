//! How much memory processes have.

use crate::Answer;
use std::collections::BTreeMap;
use std::error::Error;
use std::fs;

/// Bytes that are this process's: what is anonymous, its share of what is mapped from files, and its files in memory,
/// whole, whether they are mapped or not.
///
/// # Errors
///
/// When `/proc` doesn't say.
pub fn used() -> Answer {
    used_by(&[std::process::id()])
}

/// The same for several processes together, with each file in memory once.
///
/// # Errors
///
/// When `/proc` doesn't say.
pub fn used_by(processes: &[u32]) -> Answer {
    let mut used = 0.0;
    for process in processes {
        used += fields(*process, &["Pss_Anon:", "Pss_File:"])?;
    }
    Ok(used + files_in_memory(processes)?)
}

/// Bytes that no other process has mapped.
///
/// # Errors
///
/// When `/proc` doesn't say.
pub fn private(process: u32) -> Answer {
    fields(process, &["Private_Clean:", "Private_Dirty:"])
}

fn fields(process: u32, names: &[&str]) -> Answer {
    let rollup = fs::read_to_string(format!("/proc/{process}/smaps_rollup"))?;
    let field = |name: &&str| -> f64 {
        let line = rollup.lines().find(|line| line.starts_with(name));
        let number = line.and_then(|line| line.split_whitespace().nth(1)?.parse::<f64>().ok());
        number.unwrap_or(0.0) * 1024.0
    };
    Ok(names.iter().map(field).sum())
}

/// The sizes of all files in memory that are mapped or open, each once.
fn files_in_memory(processes: &[u32]) -> Result<f64, Box<dyn Error>> {
    use std::os::unix::fs::MetadataExt;
    let mut sizes = BTreeMap::new();
    for process in processes {
        mapped(*process, &mut sizes)?;
    }
    for process in processes {
        for entry in fs::read_dir(format!("/proc/{process}/fd"))?.flatten() {
            let link = fs::read_link(entry.path()).unwrap_or_default();
            if link.to_string_lossy().starts_with("/memfd:")
                && let Ok(metadata) = fs::metadata(entry.path())
            {
                sizes.insert(metadata.ino(), metadata.blocks() * 512);
            }
        }
    }
    Ok(sizes.values().sum::<u64>() as f64)
}

/// How far each file in memory is mapped, which is all that is known of one that is no longer open.
fn mapped(process: u32, sizes: &mut BTreeMap<u64, u64>) -> Result<(), Box<dyn Error>> {
    // A mapping begins with its range, and names its file after device and inode.
    let maps = fs::read_to_string(format!("/proc/{process}/maps"))?;
    for line in maps.lines().filter(|line| line.contains("/memfd:")) {
        let mut words = line.split_whitespace();
        let range =
            words.next().and_then(|range| range.split_once('-')).ok_or("a mapping without a range")?;
        let (start, end) = (u64::from_str_radix(range.0, 16)?, u64::from_str_radix(range.1, 16)?);
        let offset = u64::from_str_radix(words.nth(1).ok_or("a mapping without an offset")?, 16)?;
        let inode = words.nth(1).ok_or("a mapping without an inode")?.parse::<u64>()?;
        let size = sizes.entry(inode).or_insert(0);
        *size = (*size).max(offset + end - start);
    }
    Ok(())
}
