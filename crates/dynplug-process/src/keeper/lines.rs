//! What a process writes, line by line.

use std::collections::VecDeque;

/// Where a process wrote a line to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stream {
    /// Its standard output.
    Output,
    /// Its standard error.
    Error,
}

/// The longest line, in bytes. What is longer is told in pieces.
const LONGEST: usize = 16 << 10;

/// A stream that is cut into lines.
#[derive(Debug, Default)]
#[cfg_attr(not(target_os = "linux"), allow(dead_code))]
pub(super) struct Lines {
    rest: Vec<u8>,
}

#[cfg_attr(not(target_os = "linux"), allow(dead_code))]
impl Lines {
    /// Tells of each line that is whole now.
    pub(super) fn add(&mut self, mut bytes: &[u8], mut tell: impl FnMut(&str)) {
        while let Some(end) = bytes.iter().position(|byte| *byte == b'\n') {
            let (line, rest) = bytes.split_at(end);
            self.rest.extend_from_slice(line);
            self.tell(&mut tell);
            bytes = rest.get(1..).unwrap_or_default();
        }
        self.rest.extend_from_slice(bytes);
        if self.rest.len() >= LONGEST {
            self.tell(&mut tell);
        }
    }

    /// Tells of what stands behind the last end of a line.
    pub(super) fn end(&mut self, mut tell: impl FnMut(&str)) {
        if !self.rest.is_empty() {
            self.tell(&mut tell);
        }
    }

    fn tell(&mut self, tell: &mut impl FnMut(&str)) {
        tell(String::from_utf8_lossy(&self.rest).trim_end_matches('\r'));
        self.rest.clear();
    }
}

/// The last lines of a stream.
#[derive(Debug, Default)]
#[cfg_attr(not(target_os = "linux"), allow(dead_code))]
pub(super) struct Tail(VecDeque<String>);

#[cfg_attr(not(target_os = "linux"), allow(dead_code))]
impl Tail {
    const MOST: usize = 20;
    const LONGEST: usize = 500;

    pub(super) fn add(&mut self, line: &str) {
        if self.0.len() == Self::MOST {
            self.0.pop_front();
        }
        let end = line.floor_char_boundary(Self::LONGEST);
        self.0.push_back(line[..end].to_owned());
    }

    pub(super) fn take(self) -> Vec<String> {
        self.0.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_come_whole_however_they_are_cut() {
        let text = "one\r\ntwo\n\nthree é";
        for size in 1..text.len() {
            let (mut lines, mut told) = (Lines::default(), Vec::new());
            for piece in text.as_bytes().chunks(size) {
                lines.add(piece, |line| told.push(line.to_owned()));
            }
            lines.end(|line| told.push(line.to_owned()));
            assert_eq!(told, ["one", "two", "", "three é"]);
        }
    }

    #[test]
    fn a_line_without_an_end_is_told_in_pieces_and_the_tail_is_short() {
        let (mut lines, mut tail) = (Lines::default(), Tail::default());
        for _ in 0..1000 {
            lines.add(&[b'x'; 4096], |line| {
                assert!(line.len() <= 2 * LONGEST);
                tail.add(line);
            });
        }
        let tail = tail.take();
        assert!(tail.len() == Tail::MOST && tail.iter().all(|line| line.len() == Tail::LONGEST));
    }
}
