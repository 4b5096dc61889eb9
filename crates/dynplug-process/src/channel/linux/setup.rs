//! What there is before the first call: two files in memory, a socket, a process, and the one message over the socket.

use super::super::{
    Config, Error,
    layout::{Layout, MOST_SLOTS},
    watch::Woken,
};
use rustix::{
    event::{EventfdFlags, PollFd, PollFlags, Timespec, eventfd, poll},
    fs::{
        MemfdFlags, Mode, OFlags, SealFlags, fcntl_add_seals, fcntl_get_seals, fstat, ftruncate,
        memfd_create, open,
    },
    io::{Errno, fcntl_dupfd_cloexec, read, write},
    net::{
        AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
        SendAncillaryMessage, SendFlags, Shutdown, SocketFlags, SocketType, recvmsg, sendmsg, shutdown,
        socketpair,
    },
    pipe::{PipeFlags, pipe_with},
    process::{Pid, PidfdFlags, pidfd_open},
    stdio::{dup2_stdin, stdin},
};
use std::{
    io::{IoSlice, IoSliceMut},
    mem::MaybeUninit,
    os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd},
    process::{Child, Command, Stdio},
    time::Duration,
};

/// What the message begins with. A change of the layout is another number.
const MAGIC: [u8; 8] = *b"dynplug\x02";
const MESSAGE: usize = 32;

const SEALS: SealFlags = SealFlags::SHRINK.union(SealFlags::GROW).union(SealFlags::SEAL);

pub(in crate::channel) type File = OwnedFd;

#[derive(Debug)]
pub(in crate::channel) struct Files {
    pub(in crate::channel) requests: File,
    pub(in crate::channel) answers: File,
}

impl Files {
    pub(in crate::channel) fn new(layout: Layout) -> Result<Self, Error> {
        let make = |name| {
            let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
            let file = memfd_create(name, flags).map_err(Error::system("make memory to be shared"))?;
            ftruncate(&file, layout.size() as u64).map_err(Error::system("size memory to be shared"))?;
            fcntl_add_seals(&file, SEALS).map_err(Error::system("seal memory to be shared"))?;
            Ok(file)
        };
        Ok(Files { requests: make("dynplug-requests")?, answers: make("dynplug-answers")? })
    }
}

/// One end of the socket. After the one message nothing is read from it; its end is what counts.
#[derive(Debug)]
pub(in crate::channel) struct Socket(OwnedFd);

impl Socket {
    /// The host's end, and the other process's.
    pub(in crate::channel) fn pair() -> Result<(Self, Self), Error> {
        // Messages keep their bounds, and the end of one side is seen on the other.
        socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)
            .map(|(ours, theirs)| (Socket(ours), Socket(theirs)))
            .map_err(Error::system("make a socket"))
    }

    /// What was put in place of the standard input, where an empty one is put.
    pub(in crate::channel) fn from_stdin() -> Result<Self, Error> {
        let socket = fcntl_dupfd_cloexec(stdin(), 3).map_err(Error::system("take the socket"))?;
        // Nobody writes there. A process that is confined could not open `/dev/null`.
        let (empty, _) = pipe_with(PipeFlags::CLOEXEC).map_err(Error::system("make a pipe"))?;
        dup2_stdin(&empty).map_err(Error::system("give up the standard input"))?;
        Ok(Socket(socket))
    }

    /// Sends the files, how they are laid out, and for how long the other side looks before it sleeps.
    pub(in crate::channel) fn send(
        &self,
        files: &Files,
        layout: Layout,
        spin: Duration,
    ) -> Result<(), Error> {
        // Opened anew for reading, the other process can never map it for writing. `F_SEAL_FUTURE_WRITE` would say the same, but
        // then the host couldn't give memory back. Where there is no `/proc`, it gets the file as it is: the host doesn't
        // read the requests, so what it would write there is its own trouble.
        let path = format!("/proc/self/fd/{}", files.requests.as_raw_fd());
        let read = open(path, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty()).ok();
        let requests = read.as_ref().unwrap_or(&files.requests);

        let mut message = [0; MESSAGE];
        message[..8].copy_from_slice(&MAGIC);
        message[8..16].copy_from_slice(&u64::from(layout.slots).to_ne_bytes());
        message[16..24].copy_from_slice(&(layout.region as u64).to_ne_bytes());
        message[24..].copy_from_slice(&u64::try_from(spin.as_nanos()).unwrap_or(u64::MAX).to_ne_bytes());
        send(&self.0, &message, &[requests.as_fd(), files.answers.as_fd()])
    }

    /// Sends files that the process takes out before it takes the channel.
    pub(in crate::channel) fn send_luggage(&self, files: &[BorrowedFd<'_>]) -> Result<(), Error> {
        if files.len() > MOST_FILES {
            return Err(Error::Config { field: "files", have: files.len() as u64, most: MOST_FILES as u64 });
        }
        send(&self.0, &LUGGAGE, files)
    }

    /// What [`send`](Self::send) sent.
    pub(in crate::channel) fn receive(&self) -> Result<(Files, Layout, Duration), Error> {
        let mut message = [0; MESSAGE];
        let (bytes, files) = receive(&self.0, &mut message)?;
        let wrong = |what| Error::Handshake { what };
        if bytes != MESSAGE || message[..8] != MAGIC {
            return Err(wrong("another message"));
        }
        let Ok([requests, answers]) = <[OwnedFd; 2]>::try_from(files) else {
            return Err(wrong("not two files"));
        };
        let number = |at: usize| {
            let bytes = message[at..at + 8].try_into().expect("eight bytes");
            u64::from_ne_bytes(bytes)
        };
        let config = Config {
            slots: u32::try_from(number(8)).unwrap_or(MOST_SLOTS + 1),
            region: usize::try_from(number(16)).unwrap_or(usize::MAX),
            ..Config::default()
        };
        let layout = Layout::new(&config).map_err(|_| wrong("sizes that can't be"))?;
        for file in [&requests, &answers] {
            let sealed =
                fcntl_get_seals(file).map_err(Error::system("look at the shared memory"))?.contains(SEALS);
            let size = fstat(file).map_err(Error::system("look at the shared memory"))?.st_size;
            if !sealed || size as u64 != layout.size() as u64 {
                return Err(wrong("memory of another size"));
            }
        }
        Ok((Files { requests, answers }, layout, Duration::from_nanos(number(24))))
    }

    /// Both ends see the end.
    pub(in crate::channel) fn hang_up(&self) {
        let _ = shutdown(&self.0, Shutdown::Both);
    }

    /// Sleeps until somebody hung up, or the process has ended, or the alarm rings, or that time has passed. Says which of it.
    pub(in crate::channel) fn wait_for_end(
        &self,
        process: Option<&Process>,
        alarm: Option<&Alarm>,
        most: Option<Duration>,
    ) -> Woken {
        // Of the socket only its end is asked for, which needs no flag: what the other side sends there is never read.
        let socket = PollFd::new(&self.0, PollFlags::empty());
        let mut files = vec![socket];
        files.extend(process.map(|process| PollFd::new(&process.0, PollFlags::IN)));
        let ends = files.len();
        files.extend(alarm.map(|alarm| PollFd::new(&alarm.0, PollFlags::IN)));
        let most = most.and_then(|most| Timespec::try_from(most).ok());
        let found = loop {
            match poll(&mut files, most.as_ref()) {
                Err(Errno::INTR) => {}
                found => break found,
            }
        };
        if found.is_ok() && files[..ends].iter().all(|file| file.revents().is_empty()) {
            match alarm.filter(|_| files[ends..].iter().any(|file| !file.revents().is_empty())) {
                Some(alarm) => {
                    let _ = read(&alarm.0, &mut [0; 8]);
                    Woken::Alarm
                }
                None => Woken::Time,
            }
        } else {
            Woken::End
        }
    }
}

/// Wakes who waits for the end.
#[derive(Debug)]
pub(in crate::channel) struct Alarm(OwnedFd);

impl Alarm {
    pub(in crate::channel) fn new() -> Result<Self, Error> {
        let flags = EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK;
        eventfd(0, flags).map(Alarm).map_err(Error::system("make an event"))
    }

    pub(in crate::channel) fn ring(&self) {
        let _ = write(&self.0, &1u64.to_ne_bytes());
    }
}

/// How many files one message carries at most.
const MOST_FILES: usize = 250;

/// What the message begins with that brings files for whoever is started, before the channel's own.
const LUGGAGE: [u8; 8] = *b"dynplug+";

fn send(socket: &OwnedFd, message: &[u8], files: &[BorrowedFd<'_>]) -> Result<(), Error> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MOST_FILES))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    control.push(SendAncillaryMessage::ScmRights(files));
    sendmsg(socket, &[IoSlice::new(message)], &mut control, SendFlags::NOSIGNAL)
        .map_err(Error::system("send files to the process"))?;
    Ok(())
}

/// How long the next message is, and the files that come with it.
fn receive(socket: impl AsFd, message: &mut [u8]) -> Result<(usize, Vec<OwnedFd>), Error> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MOST_FILES))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let received = recvmsg(socket, &mut [IoSliceMut::new(message)], &mut control, RecvFlags::CMSG_CLOEXEC)
        .map_err(Error::system("receive files from the host"))?;
    let mut files = Vec::new();
    for part in control.drain() {
        if let RecvAncillaryMessage::ScmRights(some) = part {
            files.extend(some);
        }
    }
    Ok((received.bytes, files))
}

/// The files that the host has sent along.
pub(in crate::channel) fn luggage() -> Result<Vec<OwnedFd>, Error> {
    let mut message = [0; LUGGAGE.len()];
    let (bytes, files) = receive(stdin(), &mut message)?;
    if bytes != LUGGAGE.len() || message != LUGGAGE {
        return Err(Error::Handshake { what: "no files came before the channel" });
    }
    Ok(files)
}

/// Tells the end of a process.
#[derive(Debug)]
pub(in crate::channel) struct Process(OwnedFd);

/// Starts the command with the socket as its standard input.
pub(in crate::channel) fn spawn(command: &mut Command, socket: Socket) -> Result<(Child, Process), Error> {
    command.stdin(Stdio::from(socket.0));
    let child = command.spawn();
    // The command must not keep the other side's end: then nobody would see it hang up.
    command.stdin(Stdio::null());
    let child = child.map_err(Error::system("start the process"))?;
    // Nobody has waited for the process yet, so the number is still its own.
    let process = i32::try_from(child.id()).ok().and_then(Pid::from_raw).ok_or(Errno::SRCH);
    match process.and_then(|process| pidfd_open(process, PidfdFlags::empty())) {
        Ok(process) => Ok((child, Process(process))),
        Err(error) => Err(give_up(child, Error::system("watch the process")(error))),
    }
}

/// Ends a process that was started in vain.
pub(in crate::channel) fn give_up(mut child: Child, error: Error) -> Error {
    let _ = child.kill();
    let _ = child.wait();
    error
}
