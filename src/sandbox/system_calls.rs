//! Seccomp: system calls that a server has no use for, and that an attacker would have, fail with EPERM.
//!
//! A list of what is denied, not of what is allowed: libraries may change what they call. Invariant: nothing that is denied
//! is called in ordinary operation, and a denied call is an error to its caller, never the process's end.

use super::Closed;
use seccompiler::{BpfProgram, SeccompAction, SeccompFilter, TargetArch};
use std::collections::BTreeMap;

/// Programs, other processes, mounts and namespaces, kernel modules and programs, keys, clocks, the machine.
const DENIED: [libc::c_long; 44] = [
    libc::SYS_execve,
    libc::SYS_execveat,
    libc::SYS_ptrace,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_process_madvise,
    libc::SYS_pidfd_getfd,
    libc::SYS_kcmp,
    libc::SYS_mount,
    libc::SYS_umount2,
    libc::SYS_mount_setattr,
    libc::SYS_move_mount,
    libc::SYS_open_tree,
    libc::SYS_fsopen,
    libc::SYS_fsmount,
    libc::SYS_fspick,
    libc::SYS_pivot_root,
    libc::SYS_chroot,
    libc::SYS_setns,
    libc::SYS_unshare,
    libc::SYS_open_by_handle_at,
    libc::SYS_name_to_handle_at,
    libc::SYS_quotactl,
    libc::SYS_init_module,
    libc::SYS_finit_module,
    libc::SYS_delete_module,
    libc::SYS_kexec_load,
    libc::SYS_bpf,
    libc::SYS_perf_event_open,
    libc::SYS_userfaultfd,
    libc::SYS_io_uring_setup,
    libc::SYS_io_uring_enter,
    libc::SYS_io_uring_register,
    libc::SYS_add_key,
    libc::SYS_request_key,
    libc::SYS_keyctl,
    libc::SYS_settimeofday,
    libc::SYS_clock_settime,
    libc::SYS_adjtimex,
    libc::SYS_reboot,
    libc::SYS_swapon,
    libc::SYS_swapoff,
    libc::SYS_acct,
    libc::SYS_syslog,
];

/// EPERM.
const EPERM: u32 = 1;

pub(super) fn close() -> Closed {
    let build = || -> Result<BpfProgram, seccompiler::Error> {
        let rules: BTreeMap<i64, _> = DENIED.iter().map(|&call| (call, Vec::new())).collect();
        let architecture: TargetArch = std::env::consts::ARCH.try_into()?;
        let filter = SeccompFilter::new(rules, SeccompAction::Allow, SeccompAction::Errno(EPERM), architecture)?;
        Ok(filter.try_into()?)
    };
    let program = build().map_err(|error| error.to_string())?;
    // Sets "no new privileges" first.
    seccompiler::apply_filter(&program).map_err(|error| error.to_string())?;
    Ok("limited by seccomp, without new privileges")
}
