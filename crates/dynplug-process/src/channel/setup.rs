//! What there is before the first call: two files in memory, a socket, a process, and the one message over the socket.

use super::{
    Error,
    layout::{Layout, MOST_SLOTS},
};
use rustix::{
    fs::{
        MemfdFlags, Mode, OFlags, SealFlags, fcntl_add_seals, fcntl_get_seals, fstat, ftruncate,
        memfd_create, open,
    },
    net::{
        AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
        SendAncillaryMessage, SendFlags, SocketFlags, SocketType, recvmsg, sendmsg, socketpair,
    },
    process::{Pid, PidfdFlags, pidfd_open},
};
use std::{
    io::{self, IoSlice, IoSliceMut},
    mem::MaybeUninit,
    os::fd::{AsFd, AsRawFd, OwnedFd},
    process::{Child, Command, Stdio},
};

/// What the message begins with. A change of the layout is another number.
const MAGIC: [u8; 8] = *b"dynplug\x01";
const MESSAGE: usize = 24;

const SEALS: SealFlags = SealFlags::SHRINK.union(SealFlags::GROW).union(SealFlags::SEAL);

pub(super) fn system<E: Into<io::Error>>(what: &'static str) -> impl FnOnce(E) -> Error {
    move |source| Error::System { what, source: source.into() }
}

#[derive(Debug)]
pub(super) struct Files {
    pub(super) requests: OwnedFd,
    pub(super) answers: OwnedFd,
}

impl Files {
    pub(super) fn new(layout: Layout) -> Result<Self, Error> {
        let make = |name| {
            let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
            let file = memfd_create(name, flags).map_err(system("make memory to be shared"))?;
            ftruncate(&file, layout.size() as u64).map_err(system("size memory to be shared"))?;
            fcntl_add_seals(&file, SEALS).map_err(system("seal memory to be shared"))?;
            Ok(file)
        };
        Ok(Files { requests: make("dynplug-requests")?, answers: make("dynplug-answers")? })
    }

    pub(super) fn send(&self, socket: &OwnedFd, layout: Layout) -> Result<(), Error> {
        // Opened anew for reading, the other process can never map it for writing. `F_SEAL_FUTURE_WRITE` would say the same, but
        // then the host couldn't give memory back. Where there is no `/proc`, it gets the file as it is: the host doesn't
        // read the requests, so what it would write there is its own trouble.
        let path = format!("/proc/self/fd/{}", self.requests.as_raw_fd());
        let read = open(path, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty()).ok();
        let requests = read.as_ref().unwrap_or(&self.requests);

        let mut message = [0; MESSAGE];
        message[..8].copy_from_slice(&MAGIC);
        message[8..16].copy_from_slice(&u64::from(layout.slots).to_ne_bytes());
        message[16..].copy_from_slice(&(layout.region as u64).to_ne_bytes());
        let files = [requests.as_fd(), self.answers.as_fd()];
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(2))];
        let mut control = SendAncillaryBuffer::new(&mut space);
        control.push(SendAncillaryMessage::ScmRights(&files));
        sendmsg(socket, &[IoSlice::new(&message)], &mut control, SendFlags::NOSIGNAL)
            .map_err(system("send the shared memory"))?;
        Ok(())
    }

    pub(super) fn receive(socket: &OwnedFd) -> Result<(Self, Layout), Error> {
        let mut message = [0; MESSAGE];
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(2))];
        let mut control = RecvAncillaryBuffer::new(&mut space);
        let received =
            recvmsg(socket, &mut [IoSliceMut::new(&mut message)], &mut control, RecvFlags::CMSG_CLOEXEC)
                .map_err(system("receive the shared memory"))?;
        let mut files = Vec::new();
        for part in control.drain() {
            if let RecvAncillaryMessage::ScmRights(some) = part {
                files.extend(some);
            }
        }
        let wrong = |what| Error::Handshake { what };
        if received.bytes != MESSAGE || message[..8] != MAGIC {
            return Err(wrong("another message"));
        }
        let Ok([requests, answers]) = <[OwnedFd; 2]>::try_from(files) else {
            return Err(wrong("not two files"));
        };
        let number = |at: usize| {
            let bytes = message[at..at + 8].try_into().expect("eight bytes");
            usize::try_from(u64::from_ne_bytes(bytes)).unwrap_or(usize::MAX)
        };
        let config = super::Config {
            slots: u32::try_from(number(8)).unwrap_or(MOST_SLOTS + 1),
            region: number(16),
            ..super::Config::default()
        };
        let layout = Layout::new(&config).map_err(|_| wrong("sizes that can't be"))?;
        for file in [&requests, &answers] {
            let sealed = fcntl_get_seals(file).map_err(system("look at the shared memory"))?.contains(SEALS);
            let size = fstat(file).map_err(system("look at the shared memory"))?.st_size;
            if !sealed || size as u64 != layout.size() as u64 {
                return Err(wrong("memory of another size"));
            }
        }
        Ok((Files { requests, answers }, layout))
    }
}

pub(super) fn sockets() -> Result<(OwnedFd, OwnedFd), Error> {
    // Messages keep their bounds, and the end of one side is seen on the other.
    socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)
        .map_err(system("make a socket"))
}

/// Starts the command with the socket as its standard input. What it gives is the process, and a descriptor that tells its end.
pub(super) fn spawn(command: &mut Command, socket: OwnedFd) -> Result<(Child, OwnedFd), Error> {
    command.stdin(Stdio::from(socket));
    let child = command.spawn();
    // The command must not keep the other side's end: then nobody would see it hang up.
    command.stdin(Stdio::null());
    let child = child.map_err(system("start the process"))?;
    // Nobody has waited for the process yet, so the number is still its own.
    let process = i32::try_from(child.id()).ok().and_then(Pid::from_raw).ok_or(rustix::io::Errno::SRCH);
    match process.and_then(|process| pidfd_open(process, PidfdFlags::empty())) {
        Ok(process) => Ok((child, process)),
        Err(error) => Err(give_up(child, system("watch the process")(error))),
    }
}

/// Ends a process that was started in vain.
pub(super) fn give_up(mut child: Child, error: Error) -> Error {
    let _ = child.kill();
    let _ = child.wait();
    error
}
