//! What the operating system knows about a process.

/// Resident memory in KiB, where the system says it.
pub fn resident_kib(pid: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.split_whitespace().next()?.parse().ok()
}

/// The largest resident memory there ever was, in KiB, where the system says it.
pub fn peak_resident_kib(pid: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.split_whitespace().next()?.parse().ok()
}

/// A process that does nothing and ends when the test says so, or with the test.
#[cfg(unix)]
pub struct Bystander(std::process::Child);

#[cfg(unix)]
impl Bystander {
    /// Starts it.
    pub fn start() -> Self {
        let null = std::process::Stdio::null;
        let mut command = std::process::Command::new("sleep");
        Self(command.arg("1000").stdin(null()).stdout(null()).stderr(null()).spawn().expect("sleep"))
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.0.id()
    }

    /// Ends it and waits until it is gone.
    pub fn end(mut self) {
        self.0.kill().expect("a process that can be killed");
        self.0.wait().expect("its end");
    }
}

#[cfg(unix)]
impl Drop for Bystander {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
