//! What a service and the PostgreSQL under it take of the machine, and others of it, as Linux accounts for it in `/proc`.

use std::collections::BTreeMap;
use std::fs;

/// Of the clock in which `/proc/*/stat` counts (`USER_HZ`): a hundredth of a second on every Linux.
const TICK_US: u64 = 10_000;

/// Processor time since the processes began, of ended and waited-for children too, in microseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct ProcessorTime {
    pub service_us: u64,
    /// Of all that descends from the service.
    pub postgres_us: u64,
}

/// Time of all processors together since the machine began, in hundredths of a second, as `/proc/stat` counts it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct MachineTime {
    total: u64,
    /// Asked for, and given by the hypervisor to other machines instead.
    stolen: u64,
}

struct Process {
    parent: u32,
    processor_us: u64,
}

/// The processor time so far; none where there is no such process, or no `/proc`.
pub(super) fn processor_time(service: u32) -> Option<ProcessorTime> {
    let processes: BTreeMap<u32, Process> = fs::read_dir("/proc")
        .ok()?
        .flatten()
        .filter_map(|entry| {
            let pid = entry.file_name().to_str()?.parse().ok()?;
            // One that ended meanwhile is in its parent's account.
            let stat = fs::read_to_string(entry.path().join("stat")).ok()?;
            Some((pid, parse(&stat)?))
        })
        .collect();
    let own = processes.get(&service)?;
    let descends = |pid: &u32| {
        let parent = |pid: &u32| processes.get(pid).map(|process| process.parent);
        let mut above = std::iter::successors(parent(pid), parent);
        above.any(|ancestor| ancestor == service)
    };
    let below = processes.iter().filter(|(pid, _)| descends(pid));
    Some(ProcessorTime {
        service_us: own.processor_us,
        postgres_us: below.map(|(_, process)| process.processor_us).sum(),
    })
}

/// The most memory that a process has had so far, in KiB; none where there is no such process, or no `/proc`.
pub(super) fn memory_peak_kib(pid: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let peak = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    peak.split_whitespace().next()?.parse().ok()
}

/// What was stolen of all the time that passed in between. None where that is not told.
pub(super) fn stolen_percent(
    before: Option<MachineTime>,
    after: Option<MachineTime>,
) -> Option<f64> {
    let (before, after) = before.zip(after)?;
    let total = after.total.checked_sub(before.total)?;
    let stolen = after.stolen.checked_sub(before.stolen)?;
    (0 < total).then(|| 100.0 * stolen as f64 / total as f64)
}

impl MachineTime {
    /// None where there is no `/proc`.
    pub(super) fn now() -> Option<Self> {
        Self::parse(&fs::read_to_string("/proc/stat").ok()?)
    }

    /// The first line of `/proc/stat` (proc(5)): user, nice, system, idle, iowait, irq, softirq, steal. What guests took
    /// follows, and is in user and nice already.
    fn parse(stat: &str) -> Option<Self> {
        let times = stat.lines().next()?.strip_prefix("cpu ")?;
        let times = times.split_ascii_whitespace().take(8).map(str::parse);
        let times: Vec<u64> = times.collect::<Result<_, _>>().ok()?;
        Some(Self {
            total: times.iter().sum(),
            stolen: *times.get(7)?,
        })
    }
}

/// Parent and times of `/proc/<pid>/stat` (proc(5)), whose second field may hold anything.
fn parse(stat: &str) -> Option<Process> {
    let (_, rest) = stat.rsplit_once(") ")?;
    let fields: Vec<&str> = rest.split_ascii_whitespace().collect();
    let field = |number: usize| fields.get(number.checked_sub(3)?)?.parse::<u64>().ok();
    let ticks = [14, 15, 16, 17].into_iter().map(field);
    Some(Process {
        parent: u32::try_from(field(4)?).ok()?,
        processor_us: ticks.sum::<Option<u64>>()?.saturating_mul(TICK_US),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parent_and_times_are_read_past_any_name() {
        let stat = "17 (a) b (c) S 5 17 17 0 -1 4194560 1 2 3 4 10 20 30 40 20 0 1 0 99";
        let process = parse(stat).expect("a process");
        assert_eq!(process.parent, 5);
        assert_eq!(process.processor_us, 100 * TICK_US);
    }

    #[test]
    fn what_was_stolen_is_of_all_time_that_passed() {
        let before = MachineTime::parse("cpu  10 0 10 70 0 0 0 10 5 0\ncpu0 1 2");
        let after = MachineTime::parse("cpu  30 0 30 90 0 0 0 50 9 0\ncpu0 1 2");
        assert_eq!(stolen_percent(before, after), Some(40.0));
        assert_eq!(stolen_percent(after, after), None, "no time has passed");
        assert_eq!(stolen_percent(None, after), None, "it was not told");
        assert_eq!(MachineTime::parse("cpu  10 0 10 70"), None);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn this_process_has_used_processor_and_memory() {
        let own = processor_time(std::process::id());
        assert!(own.is_some());
        assert_eq!(processor_time(0), None, "there is no process 0");
        assert!(MachineTime::now().is_some());
        assert!(memory_peak_kib(std::process::id()).is_some_and(|peak_kib| 0 < peak_kib));
    }
}
