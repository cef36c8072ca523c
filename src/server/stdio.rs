//! Standard input and output as asynchronous streams.
//!
//! Editors connect pipes or, on Unix with Node, sockets; both are read and written without a thread in between, which
//! is what keeps the added latency small. Files and terminals go through tokio's own threads.

use tokio::io::{AsyncRead, AsyncWrite};

/// What messages are read from.
pub(super) type Input = Box<dyn AsyncRead + Send + Unpin>;
/// What messages are written to. The transport's one writer is its only user.
pub(super) type Output = Box<dyn AsyncWrite + Send + Unpin>;

#[cfg(unix)]
pub(super) fn input() -> Input {
    use std::os::fd::AsFd;
    match Channel::of(std::io::stdin().as_fd()) {
        Channel::Pipe(fd) => match tokio::net::unix::pipe::Receiver::from_owned_fd(fd) {
            Ok(pipe) => Box::new(pipe),
            Err(_) => Box::new(tokio::io::stdin()),
        },
        Channel::Socket(socket) => Box::new(socket),
        Channel::Other => Box::new(tokio::io::stdin()),
    }
}

#[cfg(unix)]
pub(super) fn output() -> Output {
    use std::os::fd::AsFd;
    match Channel::of(std::io::stdout().as_fd()) {
        Channel::Pipe(fd) => match tokio::net::unix::pipe::Sender::from_owned_fd(fd) {
            Ok(pipe) => Box::new(pipe),
            Err(_) => Box::new(tokio::io::stdout()),
        },
        Channel::Socket(socket) => Box::new(socket),
        Channel::Other => Box::new(tokio::io::stdout()),
    }
}

/// What standard input or output is connected to.
#[cfg(unix)]
enum Channel {
    Pipe(std::os::fd::OwnedFd),
    Socket(tokio::net::UnixStream),
    Other,
}

#[cfg(unix)]
impl Channel {
    fn of(fd: std::os::fd::BorrowedFd<'_>) -> Self {
        use rustix::fs::{FileType, fstat};
        let Ok(own) = fd.try_clone_to_owned() else { return Self::Other };
        match fstat(&own).map(|stat| FileType::from_raw_mode(stat.st_mode)) {
            Ok(FileType::Fifo) => Self::Pipe(own),
            Ok(FileType::Socket) => socket(own).map_or(Self::Other, Self::Socket),
            _ => Self::Other,
        }
    }
}

#[cfg(unix)]
fn socket(fd: std::os::fd::OwnedFd) -> Option<tokio::net::UnixStream> {
    let socket = std::os::unix::net::UnixStream::from(fd);
    socket.set_nonblocking(true).ok()?;
    tokio::net::UnixStream::from_std(socket).ok()
}

#[cfg(not(unix))]
pub(super) fn input() -> Input {
    Box::new(tokio::io::stdin())
}

#[cfg(not(unix))]
pub(super) fn output() -> Output {
    Box::new(tokio::io::stdout())
}
