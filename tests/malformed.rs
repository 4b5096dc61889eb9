//! A thousand files that are nearly a plugin, and every length at which one can be cut off: each is an error, and
//! neither what runs nor what stays in memory has anything of it.

use crate::harness::Call;
use crate::hostile::{folder, forget_identity, host, hostile, manifest_at, victim};
use dynplug_manifest::Image;
use std::path::Path;

/// The numbers behind sizes, counts and offsets that are out of every range.
const FAR: [u64; 4] = [u64::MAX, i64::MAX as u64, 1 << 40, u64::MAX - 0xfff];

/// A file and what was done to it.
struct Spoilt {
    what: String,
    bytes: Vec<u8>,
}

/// Always the same numbers, as different as can be.
struct Numbers(u64);

impl Numbers {
    /// SplitMix64.
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }
}

/// The numbers of an ELF file of 64 bits, lowest byte first.
struct Elf<'a>(&'a [u8]);

impl Elf<'_> {
    fn number<const N: usize>(&self, at: usize) -> u64 {
        let mut bytes = [0; 8];
        bytes[..N].copy_from_slice(&self.0[at..at + N]);
        u64::from_le_bytes(bytes)
    }

    /// Where each header of a segment begins.
    fn segments(&self) -> Vec<usize> {
        let (at, size, count) = (self.number::<8>(32), self.number::<2>(54), self.number::<2>(56));
        (0..count).map(|n| (at + n * size) as usize).collect()
    }

    /// Where each header of a section begins, without the first, which is for none.
    fn sections(&self) -> Vec<usize> {
        let (at, size, count) = (self.number::<8>(40), self.number::<2>(58), self.number::<2>(60));
        (1..count).map(|n| (at + n * size) as usize).collect()
    }

    /// The section of this name: where its header begins.
    fn section(&self, name: &str) -> usize {
        let names = self.sections()[self.number::<2>(62) as usize - 1];
        let names = self.number::<8>(names + 24) as usize;
        let is_it = |header: &usize| {
            let at = names + self.number::<4>(*header) as usize;
            self.0[at..].starts_with(format!("{name}\0").as_bytes())
        };
        self.sections().into_iter().find(is_it).unwrap_or_else(|| panic!("there is no {name}"))
    }
}

/// Makes spoilt files of one whole one.
struct Spoiler<'a> {
    whole: &'a [u8],
    made: Vec<Spoilt>,
}

impl Spoiler<'_> {
    fn add(&mut self, what: String, change: impl FnOnce(&mut Vec<u8>)) {
        let mut bytes = self.whole.to_vec();
        change(&mut bytes);
        if bytes != self.whole {
            self.made.push(Spoilt { what, bytes });
        }
    }

    /// Sets the number of `N` bytes at an offset to each of these.
    fn set<const N: usize>(&mut self, what: &str, at: usize, numbers: impl IntoIterator<Item = u64>) {
        for number in numbers {
            let bytes = number.to_le_bytes();
            self.add(format!("{what} {number:x}"), |file| file[at..at + N].copy_from_slice(&bytes[..N]));
        }
    }

    /// Cut off at the boundaries of all headers and of what they speak of, and at many lengths between.
    fn truncations(&mut self) {
        let elf = Elf(self.whole);
        let mut lengths: Vec<usize> = (0..=64).collect();
        for header in elf.segments() {
            let (offset, size) = (elf.number::<8>(header + 8), elf.number::<8>(header + 32));
            lengths.extend([header, header + 8, offset as usize, (offset + size) as usize]);
        }
        for header in elf.sections() {
            let (offset, size) = (elf.number::<8>(header + 24), elf.number::<8>(header + 32));
            lengths.extend([header, header + 32, offset as usize, (offset + size) as usize]);
        }
        lengths.extend((0..100).map(|n| n * self.whole.len() / 100));
        lengths.push(self.whole.len() - 1);
        lengths.retain(|length| *length < self.whole.len());
        lengths.sort_unstable();
        lengths.dedup();
        for length in lengths {
            self.add(format!("cut off at {length}"), |bytes| bytes.truncate(length));
        }
    }

    /// The header of the file.
    fn header(&mut self) {
        let len = self.whole.len() as u64;
        for at in 0..4 {
            self.set::<1>(&format!("magic {at}"), at, [0, 0xff]);
        }
        self.set::<1>("class", 4, [0, 1, 3, 0xff]);
        self.set::<1>("order of bytes", 5, [0, 2, 3, 0xff]);
        self.set::<2>("machine", 18, [0, 3, 40, 183, 243, 0xffff]);
        self.set::<8>("offset of segments", 32, FAR.into_iter().chain([len, len - 1]));
        self.set::<8>("offset of sections", 40, FAR.into_iter().chain([len, len - 1]));
        self.set::<2>("size of a segment's header", 54, [0, 1, 32, 55, 57, 0xffff]);
        self.set::<2>("number of segments", 56, [0xfffe]);
        self.set::<2>("size of a section's header", 58, [0, 1, 40, 63, 65, 0xffff]);
        self.set::<2>("number of sections", 60, [0xfeff, 0xffff]);
        self.set::<2>("section of names", 62, [0x7fff, 0xfefe]);
    }

    /// The headers of segments and sections: what lies where, and how much there is of it.
    fn tables(&mut self) {
        let elf = Elf(self.whole);
        let len = self.whole.len() as u64;
        for (n, header) in elf.segments().into_iter().enumerate() {
            let (kind, size) = (elf.number::<4>(header), elf.number::<8>(header + 32));
            let far = FAR.into_iter().chain([len + 1]);
            self.set::<8>(&format!("segment {n}, offset"), header + 8, far.clone());
            self.set::<8>(&format!("segment {n}, size in the file"), header + 32, far);
            // A segment that is loaded.
            if kind == 1 {
                self.set::<8>(&format!("segment {n}, address"), header + 16, [u64::MAX, u64::MAX - 8]);
                self.set::<8>(&format!("segment {n}, size in memory"), header + 40, [0, size - 1, u64::MAX]);
                self.set::<8>(&format!("segment {n}, alignment"), header + 48, [3, 0x1001, u64::MAX]);
            }
        }
        for (n, header) in elf.sections().into_iter().enumerate() {
            self.set::<4>(&format!("section {n}, name"), header, [0xffff_ffff, len]);
            // A section that has no bytes may have any offset.
            if elf.number::<4>(header + 4) != 8 {
                let far = FAR.into_iter().chain([len + 1]);
                self.set::<8>(&format!("section {n}, offset"), header + 24, far.clone());
                self.set::<8>(&format!("section {n}, size"), header + 32, far);
            }
        }
        for name in ["dp_sym", "dp_init"] {
            let header = elf.section(name);
            let [flags, address, offset, size] = [8, 16, 24, 32].map(|at| elf.number::<8>(header + at));
            self.set::<8>(&format!("{name}, flags"), header + 8, [flags & !2]);
            self.set::<8>(
                &format!("{name}, address"),
                header + 16,
                [0, 1, address + 1, address + 8, u64::MAX],
            );
            self.set::<8>(&format!("{name}, offset"), header + 24, [0, 1, offset + 1, offset + 8]);
            self.set::<8>(&format!("{name}, size"), header + 32, [1, size - 1, size + 1, size + 4]);
        }
    }

    /// The note and the manifest in it: lengths, counts, indices, texts.
    fn manifest(&mut self) {
        let start = manifest_at(self.whole);
        let elf = Elf(self.whole);
        let len = elf.number::<4>(start + 12);
        self.set::<4>("length of the owner", start - 20, [0, 7, 9, 0xffff_ffff, 0x7fff_ffff]);
        self.set::<4>("length of the note", start - 16, [0, 1, 15, 0xffff_ffff, 0x7fff_ffff]);
        self.set::<4>("type of the note", start - 12, [0, 1, 0xffff_ffff]);
        for at in 0..8 {
            self.set::<1>(&format!("owner {at}"), start - 8 + at, [0xee]);
            self.set::<1>(&format!("magic of the manifest {at}"), start + at, [0xee]);
        }
        self.set::<2>("version of the manifest", start + 8, [0, 1]);
        self.set::<2>("version of its readers", start + 10, [3, 0x100, 0xffff]);
        let lengths = [0, 1, 15, 16, len - 1, len - 7, 16 << 20, (16 << 20) + 1, 0x7fff_ffff, 0xffff_ffff];
        self.set::<4>("length of the manifest", start + 12, lengths);
        let (api, crates) = (11, 12);
        let mut number = 0;
        for (at, tag, size) in self.fields(start + 16, start + len as usize) {
            let rest = start as u64 + len - at as u64 - 6;
            let far = [0xffff_ffff, 0x7fff_ffff, 1 << 24, rest + 1];
            self.set::<4>(&format!("length of the field {tag} at {at}"), at + 2, far);
            if tag == api || tag == crates {
                for (inner, tag, length) in self.fields(at + 6, at + 6 + size) {
                    let rest = (at + 6 + size - inner - 6) as u64;
                    self.set::<4>(
                        &format!("length of the inner field {tag} at {inner}"),
                        inner + 2,
                        [0xffff_ffff, rest + 1],
                    );
                    // The crates below a crate: none of this number, and the crate itself.
                    if tag == 9 && crates == self.tag(at) && length > 0 {
                        let far = [0xffff_ffff, 0x7fff_ffff, 0xffff, number];
                        self.set::<4>(&format!("index at {inner}"), inner + 6, far);
                    }
                }
            }
            number += u64::from(tag == crates);
        }
        let fields = self.fields(start + 16, start + len as usize);
        let product =
            fields.iter().find(|(_, tag, _)| *tag == 1).map(|(at, ..)| at + 6).expect("it has a product");
        self.set::<1>("product", product, [1, 2, 3, 0xff]);
        let identity = Image::parse(self.whole).unwrap().manifest().unwrap().unwrap().api.identity.0;
        let place = self.whole[start..]
            .windows(32)
            .position(|window| window == identity)
            .expect("it has an identity");
        for at in 0..32 {
            self.add(format!("identity {at}"), |bytes| bytes[start + place + at] ^= 1 << (at % 8));
        }
    }

    /// Which field begins there.
    fn tag(&self, at: usize) -> u64 {
        Elf(self.whole).number::<2>(at)
    }

    /// Where the fields of the manifest between two places begin, with the tag and the length of each.
    fn fields(&self, start: usize, end: usize) -> Vec<(usize, u64, usize)> {
        let elf = Elf(self.whole);
        let mut fields = Vec::new();
        let mut at = start;
        while at < end {
            let size = elf.number::<4>(at + 2) as usize;
            fields.push((at, elf.number::<2>(at), size));
            at += 6 + size;
        }
        assert_eq!(at, end, "the fields fill the manifest");
        fields
    }

    /// Changes anywhere. What they make of a plugin that fits may be one that can't be told from an honest one.
    fn anywhere(&mut self, count: usize) {
        let mut numbers = Numbers(15);
        let len = self.whole.len();
        for n in 0..count {
            let at = n * len / count;
            self.add(format!("flipped at {at}"), |bytes| bytes[at] ^= 1 << (n % 8));
            let at = numbers.below(len - 8) & !7;
            let far = FAR[n % FAR.len()].to_le_bytes();
            self.add(format!("far number at {at}"), |bytes| bytes[at..at + 8].copy_from_slice(&far));
            self.add(format!("many changes {n}"), |bytes| {
                for _ in 0..1 + numbers.below(30) {
                    // Half of them where the headers are.
                    let end = if numbers.next() & 1 == 0 { 1024 } else { len };
                    bytes[numbers.below(end)] = numbers.next() as u8;
                }
            });
        }
    }
}

/// The plugin that is spoilt.
fn whole() -> Vec<u8> {
    std::fs::read(victim()).expect("the victim is built")
}

/// Files of which each must be refused.
fn to_be_refused() -> Vec<Spoilt> {
    let fitting = whole();
    let mut first = Spoiler { whole: &fitting, made: Vec::new() };
    first.truncations();
    first.header();
    first.tables();
    first.manifest();
    let mut other = whole();
    forget_identity(&mut other);
    let mut second = Spoiler { whole: &other, made: Vec::new() };
    second.anywhere(200);
    first.made.extend(second.made);
    first.made
}

fn write_all(files: &[Spoilt], folder: &Path) {
    for (n, Spoilt { what, bytes }) in files.iter().enumerate() {
        std::fs::write(folder.join(format!("{n:04} {what}.so")), bytes).expect("the file can be written");
    }
}

// C15, E5
#[test]
fn a_thousand_malformed_files_are_refused_and_a_good_plugin_opens_afterwards() {
    let files = to_be_refused();
    assert!(files.len() >= 1000, "these are only {}", files.len());
    let folder = folder("malformed");
    write_all(&files, &folder);
    let good = hostile().plugin_file("good");
    let ran = host(&[&"open-each", &folder, &"open", &good, &"call", &"discover-each", &folder]);
    ran.says(&format!("refused {0} of {0}", files.len()))
        .does_not_say("victim ran")
        .does_not_say("left behind by")
        .says_in_order(["the constructor of good ran", "opened good", "f of good ran"])
        .says(&format!("discovered {0} of {0} as they open", files.len()));
    // Every kind of error is there, and none that comes from the system's loader.
    for kind in [
        "NotAnImage",
        "Truncated",
        "Malformed",
        "Manifest",
        "OtherMachine",
        "Other ",
        "PlainBuild",
        "Tables",
        "Mismatch",
    ] {
        ran.says(&format!("as {kind}"));
    }
    ran.does_not_say("as Map").does_not_say("unknown");
    // A file is read into memory once, and nothing is made room for that it only claims to be.
    for (what, limit) in [("kilobytes of addresses: ", 8192), ("kilobytes of memory: ", 4096)] {
        let number = ran.stdout.lines().find_map(|line| line.strip_prefix(what)?.parse::<u32>().ok());
        assert!(number.is_some_and(|number| number < limit), "{what}{number:?}, and {limit} is the limit");
    }
}

// C15
#[test]
fn check_and_inspect_survive_malformed_files() {
    let whole = whole();
    let mut files = to_be_refused();
    let mut spoiler = Spoiler { whole: &whole, made: Vec::new() };
    spoiler.anywhere(200);
    files.extend(spoiler.made);
    let folder = folder("malformed for the tool");
    write_all(&files, &folder);
    let with_files = |call: Call| {
        let mut paths: Vec<_> =
            std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        paths.sort();
        paths.iter().fold(call, |call, path| call.arg(path)).go()
    };
    let check = hostile().bare_tool().args(["check", "--json", "--host"]).arg(hostile().library());
    for (ran, verb) in [
        (with_files(check), "check"),
        (with_files(hostile().bare_tool().args(["inspect", "--json"])), "inspect"),
        (with_files(hostile().bare_tool().args(["inspect"])), "inspect for people"),
    ] {
        ran.fails_with(1).does_not_say("panicked");
        if verb != "inspect for people" {
            assert_eq!(ran.stdout.lines().count(), files.len(), "{verb} says one thing of each file");
        }
    }
}

// C15
#[test]
fn a_plugin_that_is_cut_off_at_any_length_is_an_error() {
    let whole = whole();
    assert!(Image::parse(&whole).and_then(|image| image.manifest()).is_ok_and(|manifest| manifest.is_some()));
    for length in 0..whole.len() {
        let error = Image::parse(&whole[..length]).map(drop).expect_err("it is not whole");
        assert!(!error.to_string().is_empty());
    }
}

// C15
#[test]
fn a_plugin_with_any_byte_flipped_is_read_without_a_panic() {
    let whole = whole();
    let mut bytes = whole.clone();
    for at in 0..whole.len() {
        bytes[at] ^= 1 << (at % 8);
        if let Ok(image) = Image::parse(&bytes) {
            let _ = image.manifest();
            let _ = image.defined_symbols().filter(Result::is_ok).count();
        }
        bytes[at] = whole[at];
    }
}

// C15
#[test]
fn a_plugin_that_lost_its_tables_is_refused() {
    // Nobody would find its exports, and its init would not run, without a word.
    let whole = whole();
    let elf = Elf(&whole);
    let folder = folder("without tables");
    let without = |what: &str, change: &dyn Fn(&mut Vec<u8>)| {
        let mut bytes = whole.clone();
        change(&mut bytes);
        let path = folder.join(what);
        std::fs::write(&path, bytes).expect("the file can be written");
        host(&[&"open", &path]).says("refused as Tables").does_not_say("victim ran");
        for verb in ["inspect", "check"] {
            let call = hostile().bare_tool().arg(verb).arg(&path);
            let ran = match verb {
                "check" => call.arg("--host").arg(hostile().library()).go(),
                _ => call.go(),
            };
            ran.says("the section `dp_").says("entries and should have");
        }
    };
    // What some tools that strip do.
    without("without sections", &|bytes| {
        bytes[40..48].fill(0);
        bytes[60..64].fill(0);
    });
    for name in ["dp_sym", "dp_init"] {
        let header = elf.section(name);
        without(&format!("{name} has no name"), &|bytes| bytes[header..header + 4].fill(0));
        without(&format!("{name} is empty"), &|bytes| bytes[header + 32..header + 40].fill(0));
    }
    // What is left agrees with itself: that there was more is said by the manifest alone.
    let all = ["dp_exp", "dp_sym", "dp_init"];
    without("no table has a name", &|bytes| {
        all.map(|name| elf.section(name)).into_iter().for_each(|header| bytes[header..header + 4].fill(0));
    });
    without("all tables are empty", &|bytes| {
        all.map(|name| elf.section(name))
            .into_iter()
            .for_each(|header| bytes[header + 32..header + 40].fill(0));
    });
}
