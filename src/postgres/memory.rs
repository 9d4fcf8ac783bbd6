//! How much of the machine's memory the cluster may keep pages in.

use sysinfo::{ProcessRefreshKind, ProcessesToUpdate, System};

const MIB: u64 = 1024 * 1024;
const SHARED_BUFFERS_MIN: u64 = 128;
const SHARED_BUFFERS_MAX: u64 = 8 * 1024;

/// For `shared_buffers`, in MiB: a quarter of the memory, as PostgreSQL's manual has it for a server of its own
/// (<https://www.postgresql.org/docs/current/runtime-config-resource.html>). It is taken page by page, as data comes.
pub(super) fn shared_buffers() -> u64 {
    quarter(total())
}

/// What PostgreSQL itself begins with where the memory is unknown.
fn quarter(total: Option<u64>) -> u64 {
    total.map_or(SHARED_BUFFERS_MIN, |bytes| {
        (bytes / 4 / MIB).clamp(SHARED_BUFFERS_MIN, SHARED_BUFFERS_MAX)
    })
}

/// The machine's memory, or less where a control group leaves this process less, in bytes.
fn total() -> Option<u64> {
    let mut system = System::new().ok()?;
    system.refresh_memory();
    let own = sysinfo::get_current_pid().ok()?;
    system.refresh_processes_specifics(
        ProcessesToUpdate::Some(&[own]),
        false,
        ProcessRefreshKind::nothing(),
    );
    let limits = [
        system.cgroup_limits(),
        system
            .process(own)
            .and_then(sysinfo::Process::cgroup_limits),
    ];
    limits
        .into_iter()
        .flatten()
        .map(|limits| limits.total_memory)
        .chain([system.total_memory()])
        .filter(|&bytes| bytes > 0)
        .min()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quarter_within_bounds() {
        assert_eq!(quarter(None), 128);
        assert_eq!(quarter(Some(256 * MIB)), 128);
        assert_eq!(quarter(Some(4096 * MIB)), 1024);
        assert_eq!(quarter(Some(1 << 40)), 8192);
    }

    #[test]
    fn the_machine_tells_its_memory() {
        let total = total().expect("known here");
        assert!((64 * MIB..1 << 50).contains(&total), "{total}");
    }
}
