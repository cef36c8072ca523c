//! What the operating system knows about processes. Where it does not say, the figure is left out.

use std::fs;

/// The load average, in its own words.
pub fn load_average() -> String {
    fs::read_to_string("/proc/loadavg").map_or("unknown".to_owned(), |text| text.trim().to_owned())
}

/// Resident memory in MB.
pub fn resident_mb(pid: u32) -> Option<f64> {
    let kib: f64 = status_line(&format!("/proc/{pid}/status"), "VmRSS:")?.parse().ok()?;
    Some(kib / 1024.0)
}

/// Processor time of all threads that live, in milliseconds: from the scheduler's count, exact to the nanosecond.
pub fn cpu_ms(pid: u32) -> Option<f64> {
    let of_thread = |path: &str| {
        let text = fs::read_to_string(format!("{path}/schedstat")).ok()?;
        text.split(' ').next()?.parse::<f64>().ok()
    };
    let exact: f64 = threads(pid)?.iter().filter_map(|path| of_thread(path)).sum();
    if exact > 0.0 { Some(exact / 1e6) } else { cpu_ticks(pid).map(|ticks| ticks * 10.0) }
}

/// The same in ticks of 10 ms, where the scheduler keeps no count.
fn cpu_ticks(pid: u32) -> Option<f64> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let mut fields = text.rsplit_once(')')?.1.split_whitespace().skip(11);
    let (user, system): (f64, f64) = (fields.next()?.parse().ok()?, fields.next()?.parse().ok()?);
    Some(user + system)
}

/// How often all threads gave up the processor: each is a wake-up later.
pub fn switches(pid: u32) -> Option<f64> {
    let of_thread = |path: &String| {
        let path = format!("{path}/status");
        let count = |name| status_line(&path, name)?.parse::<f64>().ok();
        Some(count("voluntary_ctxt_switches:")? + count("nonvoluntary_ctxt_switches:")?)
    };
    threads(pid)?.iter().map(of_thread).sum()
}

fn threads(pid: u32) -> Option<Vec<String>> {
    let entries = fs::read_dir(format!("/proc/{pid}/task")).ok()?;
    Some(entries.flatten().map(|entry| entry.path().to_string_lossy().into_owned()).collect())
}

fn status_line(path: &str, name: &str) -> Option<String> {
    let text = fs::read_to_string(path).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_whitespace().next().map(str::to_owned)
}
