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
    if let Ok(fd) = std::io::stdin().as_fd().try_clone_to_owned() {
        match kind(&fd) {
            Kind::Pipe => {
                if let Ok(pipe) = tokio::net::unix::pipe::Receiver::from_owned_fd(fd) {
                    return Box::new(pipe);
                }
            }
            Kind::Socket => {
                if let Some(socket) = socket(fd) {
                    return Box::new(socket);
                }
            }
            Kind::Other => {}
        }
    }
    Box::new(tokio::io::stdin())
}

#[cfg(unix)]
pub(super) fn output() -> Output {
    use std::os::fd::AsFd;
    if let Ok(fd) = std::io::stdout().as_fd().try_clone_to_owned() {
        match kind(&fd) {
            Kind::Pipe => {
                if let Ok(pipe) = tokio::net::unix::pipe::Sender::from_owned_fd(fd) {
                    return Box::new(pipe);
                }
            }
            Kind::Socket => {
                if let Some(socket) = socket(fd) {
                    return Box::new(socket);
                }
            }
            Kind::Other => {}
        }
    }
    Box::new(tokio::io::stdout())
}

#[cfg(unix)]
enum Kind {
    Pipe,
    Socket,
    Other,
}

#[cfg(unix)]
fn kind(fd: &std::os::fd::OwnedFd) -> Kind {
    use rustix::fs::{FileType, fstat};
    match fstat(fd).map(|stat| FileType::from_raw_mode(stat.st_mode)) {
        Ok(FileType::Fifo) => Kind::Pipe,
        Ok(FileType::Socket) => Kind::Socket,
        _ => Kind::Other,
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
