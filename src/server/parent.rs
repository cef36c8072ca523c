//! The editor's process: when it is gone, so is the server.

use std::future::pending;

/// Waits until the process `id` has ended. Waits for ever where that cannot be told; the end of standard input then
/// has to do.
#[cfg(target_os = "linux")]
pub(super) async fn gone(id: u32) {
    use rustix::process::{Pid, PidfdFlags, pidfd_open};
    let Some(pid) = i32::try_from(id).ok().and_then(Pid::from_raw) else { return pending().await };
    let handle = match pidfd_open(pid, PidfdFlags::empty()) {
        Ok(handle) => handle,
        Err(rustix::io::Errno::SRCH) => return,
        // A system without such handles.
        Err(_) => return poll(id).await,
    };
    let (ended, wait) = tokio::sync::oneshot::channel();
    // A thread that sleeps until the process ends: no idle wake-ups. It is left behind when the server ends first.
    let watcher = std::thread::Builder::new().name("parent".to_owned()).stack_size(64 * 1024).spawn(move || {
        use rustix::event::{PollFd, PollFlags, poll};
        let mut handles = [PollFd::new(&handle, PollFlags::IN)];
        while let Err(rustix::io::Errno::INTR) = poll(&mut handles, None) {}
        // The server may have ended.
        let _ = ended.send(());
    });
    if watcher.is_err() || wait.await.is_err() {
        poll(id).await;
    }
}

/// As above, by asking twice a second.
#[cfg(all(unix, not(target_os = "linux")))]
pub(super) async fn gone(id: u32) {
    poll(id).await;
}

#[cfg(unix)]
async fn poll(id: u32) {
    use rustix::io::Errno;
    use rustix::process::{Pid, test_kill_process};
    let Some(pid) = i32::try_from(id).ok().and_then(Pid::from_raw) else { return pending().await };
    while test_kill_process(pid) != Err(Errno::SRCH) {
        tokio::time::sleep(std::time::Duration::from_millis(500)).await;
    }
}

/// Waits for ever: the end of standard input has to do.
#[cfg(not(unix))]
pub(super) async fn gone(_id: u32) {
    pending().await
}
