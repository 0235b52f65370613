//! What memory a process has and had.

/// A figure of the system about a process, in KiB: VmHWM is the most memory it ever held, VmRSS what it holds.
pub(crate) fn kib(pid: u32, figure: &str) -> u64 {
    let text = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix(figure)).unwrap();
    line.trim_matches([':', '\t', ' ', 'k', 'B']).parse().unwrap()
}
