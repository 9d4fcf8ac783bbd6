//! The calls to the operating system that std does not offer: all unsafe code of this module.

use std::ffi::CStr;
use std::io;
use std::mem::MaybeUninit;
use std::os::unix::process::CommandExt;
use std::panic;
use std::process::{self, Command};
use std::ptr;

use tokio::task;

/// An entry of the user database that passes for a buffer of this size; real ones take some hundred bytes.
const USER_ENTRY_BYTES_MAX: usize = 16 * 1024;

/// Runs blocking work on a thread of its own. It runs to its end even when the caller is cancelled.
pub(super) async fn off_the_runtime<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> T {
    match task::spawn_blocking(work).await {
        Ok(answer) => answer,
        Err(failure) => match failure.try_into_panic() {
            Ok(payload) => panic::resume_unwind(payload),
            Err(_) => unreachable!("blocking work is never cancelled once it is awaited"),
        },
    }
}

#[expect(unsafe_code, reason = "std cannot tell the effective user")]
pub(super) fn effective_uid() -> u32 {
    // SAFETY: geteuid takes nothing, changes nothing and cannot fail.
    unsafe { libc::geteuid() }
}

/// The user's id and main group's id, if there is such a user.
#[expect(unsafe_code, reason = "std cannot read the user database")]
pub(super) fn user_and_group(name: &CStr) -> Option<(u32, u32)> {
    let mut entry = MaybeUninit::<libc::passwd>::uninit();
    let mut buffer = vec![0; USER_ENTRY_BYTES_MAX];
    let mut found = ptr::null_mut();
    // SAFETY: every pointer is to a live local of the size passed along; `name` ends in a NUL.
    let code = unsafe {
        libc::getpwnam_r(
            name.as_ptr(),
            entry.as_mut_ptr(),
            buffer.as_mut_ptr(),
            buffer.len(),
            &raw mut found,
        )
    };
    if code != 0 || found.is_null() {
        return None;
    }
    // SAFETY: a non-null result says that the entry was filled in.
    let entry = unsafe { entry.assume_init() };
    Some((entry.pw_uid, entry.pw_gid))
}

#[expect(
    unsafe_code,
    reason = "std sends no signal but SIGKILL, and only to its own children"
)]
pub(crate) fn signal(pid: u32, signal: i32) -> io::Result<()> {
    let pid = libc::pid_t::try_from(pid).map_err(io::Error::other)?;
    if pid < 1 {
        // To kill(2), zero is our own process group.
        return Err(io::Error::from(io::ErrorKind::InvalidInput));
    }
    // SAFETY: kill touches no memory of ours.
    match unsafe { libc::kill(pid, signal) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

pub(super) fn is_alive(pid: u32) -> bool {
    match signal(pid, 0) {
        Ok(()) => true,
        // It lives and belongs to somebody else.
        Err(error) => error.raw_os_error() == Some(libc::EPERM),
    }
}

/// Waits until the child has ended, leaving it a zombie, so that its pid still cannot be anybody else's.
#[expect(unsafe_code, reason = "std waits and reaps in one step")]
pub(super) fn wait_without_reaping(pid: u32) {
    let mut info = MaybeUninit::<libc::siginfo_t>::uninit();
    loop {
        // SAFETY: `info` is a live local that waitid may write to; it is not read.
        let code = unsafe {
            libc::waitid(
                libc::P_PID,
                pid,
                info.as_mut_ptr(),
                libc::WEXITED | libc::WNOWAIT,
            )
        };
        if code == 0 || io::Error::last_os_error().kind() != io::ErrorKind::Interrupted {
            return;
        }
    }
}

/// Has the kernel send `signal` to the command's process when this one dies, however it dies.
///
/// Linux sends it when the *thread* that started the child ends, so that thread must live as long as the child.
#[cfg(target_os = "linux")]
#[expect(
    unsafe_code,
    reason = "PDEATHSIG can only be set between fork and exec"
)]
pub(crate) fn end_with_parent(command: &mut Command, signal: i32) {
    let parent = process::id();
    let tie = move || {
        // SAFETY: prctl with PR_SET_PDEATHSIG and getppid touch no memory.
        let (code, parent_now) = unsafe {
            let code = libc::prctl(libc::PR_SET_PDEATHSIG, signal);
            (code, libc::getppid())
        };
        if code != 0 {
            return Err(io::Error::last_os_error());
        }
        // A parent that died before the prctl will not die again.
        if u32::try_from(parent_now) != Ok(parent) {
            return Err(io::Error::from_raw_os_error(libc::ESRCH));
        }
        Ok(())
    };
    // std runs this after it has changed user and group, which is needed: changing them clears the setting.
    // SAFETY: the closure only makes async-signal-safe calls and does not allocate.
    unsafe { command.pre_exec(tie) };
}

/// Other systems have nothing like it: there the next start stops a server that was left behind.
#[cfg(not(target_os = "linux"))]
pub(crate) fn end_with_parent(_command: &mut Command, _signal: i32) {}
