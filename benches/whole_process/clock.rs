//! One clock for the upstream's stamps and the editor's reads, and a guard against waiting for ever.

use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

static START: LazyLock<Instant> = LazyLock::new(Instant::now);
static DEADLINE: AtomicU64 = AtomicU64::new(0);

/// Nanoseconds since the bench began.
pub fn nanos() -> u64 {
    START.elapsed().as_nanos() as u64
}

/// Ends the bench with an error unless this is called again within `limit`.
pub fn expect_an_end_within(limit: Duration) {
    let first = DEADLINE.swap(nanos() + limit.as_nanos() as u64, Ordering::Relaxed) == 0;
    if first {
        std::thread::spawn(|| {
            loop {
                let left = DEADLINE.load(Ordering::Relaxed).saturating_sub(nanos());
                if left == 0 {
                    eprintln!("a figure took too long: something hangs");
                    std::process::exit(2);
                }
                std::thread::sleep(Duration::from_nanos(left));
            }
        });
    }
}
