//! Files of which only those parts are read that say what they are: a thousand plugins are looked at in the time in which
//! one is loaded.

use dynplug_manifest::image::{HEAD, Image};
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::ops::Range;

/// What was read of one file after the other.
#[derive(Default)]
pub(crate) struct Partial {
    /// As long as the longest file so far, with zeros where nothing of the present one was read. The system gives memory
    /// for zeros only when something is written there.
    bytes: Vec<u8>,
    read: Vec<Range<usize>>,
    /// Of the present file.
    size: usize,
}

/// More stretches than any linker makes; a file that has them is read whole.
const MANY: usize = 64;

impl Partial {
    /// A file as [`Image::parse`] wants it: with all that it looks at.
    pub(crate) fn read(&mut self, file: &mut File) -> io::Result<&[u8]> {
        let len = file.metadata()?.len();
        let size = usize::try_from(len).map_err(|_| io::Error::from(io::ErrorKind::OutOfMemory))?;
        for range in self.read.drain(..) {
            self.bytes.get_mut(range).unwrap_or_default().fill(0);
        }
        self.size = size;
        if self.bytes.len() < size {
            self.bytes = zeros(size)?;
        }
        self.add(file, 0..HEAD.min(size))?;
        loop {
            let stretches = Image::stretches(self.bytes.get(..size).unwrap_or_default());
            let mut wanted: Vec<Range<usize>> = Vec::new();
            for range in stretches {
                let end = |at: u64| usize::try_from(at).unwrap_or(size).min(size);
                let range = end(range.start)..end(range.end);
                let known = |other: &Range<usize>| other.start <= range.start && range.end <= other.end;
                if range.is_empty() || self.read.iter().chain(&wanted).any(known) {
                    continue;
                }
                wanted.push(range);
                // However hostile the file is, it is not read more than twice.
                let total = wanted.iter().fold(0_usize, |sum, range| sum.saturating_add(range.len()));
                if self.read.len() + wanted.len() > MANY || total > size {
                    wanted.clear();
                    wanted.push(0..size);
                    break;
                }
            }
            if wanted.is_empty() {
                return Ok(self.bytes.get(..size).unwrap_or_default());
            }
            for range in wanted {
                self.add(file, range)?;
            }
        }
    }

    /// The file of which parts were read, with the rest of it: nothing is read that was read before.
    #[cfg_attr(not(feature = "trust"), allow(dead_code))]
    pub(crate) fn rest(&mut self, file: &mut File) -> io::Result<&[u8]> {
        self.read.sort_by_key(|range| range.start);
        let (mut gaps, mut at) = (Vec::new(), 0);
        for range in &self.read {
            gaps.push(at..range.start.max(at));
            at = at.max(range.end);
        }
        gaps.push(at..self.size.max(at));
        for gap in gaps.into_iter().filter(|gap| !gap.is_empty()) {
            self.add(file, gap)?;
        }
        Ok(self.bytes.get(..self.size).unwrap_or_default())
    }

    fn add(&mut self, file: &mut File, range: Range<usize>) -> io::Result<()> {
        file.seek(SeekFrom::Start(range.start as u64))?;
        self.read.push(range.clone());
        file.read_exact(self.bytes.get_mut(range).unwrap_or_default())
    }
}

/// So many zeros, or an error where there is no room for them; the length is what a file claims, holes included.
fn zeros(size: usize) -> io::Result<Vec<u8>> {
    let mut room: Vec<u8> = Vec::new();
    room.try_reserve_exact(size).map_err(|_| io::ErrorKind::OutOfMemory)?;
    drop(room);
    Ok(vec![0; size])
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    #[cfg(target_os = "linux")]
    fn what_is_read_of_an_image_is_what_its_reader_sees() {
        let path = std::env::current_exe().unwrap();
        let whole = std::fs::read(&path).unwrap();
        let mut partial = Partial::default();
        for _ in 0..2 {
            let bytes = partial.read(&mut File::open(&path).unwrap()).unwrap();
            assert_eq!(bytes.len(), whole.len());
            let (part, all) = (Image::parse(bytes).unwrap(), Image::parse(&whole).unwrap());
            assert_eq!(part.needed(), all.needed());
            let of = |image: &Image<'_>| image.section("dp_exp").unwrap().data.to_vec();
            assert_eq!(of(&part), of(&all));
            assert!(
                part.sections().iter().zip(all.sections()).all(|(a, b)| (a.name, a.size) == (b.name, b.size))
            );
            let read: usize = partial.read.iter().map(|range| range.len()).sum();
            assert!(read < whole.len() / 20, "{read} of {}", whole.len());
            // The rest of it is what wasn't read yet.
            let mut known = vec![false; whole.len()];
            partial.read.iter().for_each(|part| known[part.clone()].fill(true));
            let missing = known.iter().filter(|known| !**known).count();
            assert!(partial.rest(&mut File::open(&path).unwrap()).unwrap() == whole);
            let total: usize = partial.read.iter().map(|range| range.len()).sum();
            assert_eq!(total - read, missing);
        }
        // What comes next finds nothing of it.
        let other = std::env::temp_dir().join(format!("dynplug-partial-{}", std::process::id()));
        std::fs::write(&other, [0; 9000]).unwrap();
        assert_eq!(partial.read(&mut File::open(&other).unwrap()).unwrap(), [0; 9000]);
        std::fs::remove_file(&other).unwrap();
    }
}
