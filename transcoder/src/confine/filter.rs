//! Refused system calls (seccomp), for what landlock does not cover: UDP and local sockets, modes
//! and owners of files, processes that leave the group, and calls that reach into other processes
//! or deep into the kernel.

use libc::sock_filter;

/// `AUDIT_ARCH_*` of linux/audit.h; both little-endian, which `low_word` relies on.
#[cfg(target_arch = "x86_64")]
const ARCHITECTURE: Option<u32> = Some(0xC000_003E);
#[cfg(target_arch = "aarch64")]
const ARCHITECTURE: Option<u32> = Some(0xC000_00B7);
#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
const ARCHITECTURE: Option<u32> = None;

/// First number that is refused unseen, as if the kernel were older: whoever calls has a fallback.
/// From 424 on numbers are the same everywhere; 452 (fchmodat2) came with Linux 6.6. On x86-64 this
/// refuses the x32 numbers too.
const UNKNOWN: u32 = 452;

/// Refused with EPERM, whatever their arguments. Neither ffmpeg nor its libraries need one.
const REFUSED: &[libc::c_long] = &[
    // Leaving the process group that is killed as a whole.
    libc::SYS_setsid,
    libc::SYS_setpgid,
    // Other processes of this user.
    libc::SYS_ptrace,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_process_madvise,
    libc::SYS_pidfd_getfd,
    libc::SYS_kcmp,
    libc::SYS_move_pages,
    libc::SYS_migrate_pages,
    libc::SYS_setpriority,
    libc::SYS_ioprio_set,
    libc::SYS_sched_setaffinity,
    libc::SYS_sched_setattr,
    libc::SYS_sched_setparam,
    libc::SYS_sched_setscheduler,
    // Modes, owners, attributes and times of files, wherever they are.
    libc::SYS_fchmod,
    libc::SYS_fchmodat,
    libc::SYS_fchown,
    libc::SYS_fchownat,
    libc::SYS_setxattr,
    libc::SYS_lsetxattr,
    libc::SYS_fsetxattr,
    libc::SYS_removexattr,
    libc::SYS_lremovexattr,
    libc::SYS_fremovexattr,
    libc::SYS_utimensat,
    // Shared memory, semaphores and queues of this user; a database may have some.
    libc::SYS_shmget,
    libc::SYS_shmat,
    libc::SYS_shmctl,
    libc::SYS_semget,
    libc::SYS_semctl,
    libc::SYS_semop,
    libc::SYS_semtimedop,
    libc::SYS_msgget,
    libc::SYS_msgctl,
    libc::SYS_msgrcv,
    libc::SYS_msgsnd,
    libc::SYS_mq_open,
    libc::SYS_mq_unlink,
    // Sockets by another door.
    libc::SYS_io_uring_setup,
    // Much kernel code, of no use to a decoder.
    libc::SYS_bpf,
    libc::SYS_perf_event_open,
    libc::SYS_userfaultfd,
    libc::SYS_add_key,
    libc::SYS_request_key,
    libc::SYS_keyctl,
    libc::SYS_unshare,
    libc::SYS_setns,
    libc::SYS_mount,
    libc::SYS_umount2,
    libc::SYS_pivot_root,
    libc::SYS_chroot,
    libc::SYS_fsopen,
    libc::SYS_open_tree,
    libc::SYS_move_mount,
    libc::SYS_open_by_handle_at,
];

/// Older forms of some of them, which newer architectures lack.
#[cfg(target_arch = "x86_64")]
const REFUSED_OLD: &[libc::c_long] = &[
    libc::SYS_chmod,
    libc::SYS_chown,
    libc::SYS_lchown,
    libc::SYS_utime,
    libc::SYS_utimes,
    libc::SYS_futimesat,
];
#[cfg(not(target_arch = "x86_64"))]
const REFUSED_OLD: &[libc::c_long] = &[];

/// Whether the kernel takes filters and we know its numbers.
pub(super) fn available() -> bool {
    let action = libc::SECCOMP_RET_KILL_PROCESS;
    // SAFETY: only asks whether the action, which outlives the call, is known.
    let known = unsafe {
        libc::syscall(libc::SYS_seccomp, libc::SECCOMP_GET_ACTION_AVAIL, 0u32, &raw const action)
    };
    ARCHITECTURE.is_some() && known == 0
}

/// The program for the kernel's filter machine. `fork`: the child may start others (tests do).
/// `tcp`: it may make TCP sockets; which port is landlock's to say.
pub(super) fn program(fork: bool, tcp: bool) -> Vec<sock_filter> {
    let mut p = Vec::with_capacity(256);
    // `seccomp_data`: nr at 0, arch at 4, instruction pointer at 8, args from 16.
    p.push(load(4));
    p.push(jump(libc::BPF_JEQ, ARCHITECTURE.unwrap_or_default(), 1, 0));
    p.push(verdict(libc::SECCOMP_RET_KILL_PROCESS));
    p.push(load(0));
    p.push(jump(libc::BPF_JGE, UNKNOWN, 0, 1));
    p.push(errno(libc::ENOSYS));
    for &call in REFUSED.iter().chain(REFUSED_OLD) {
        p.extend(on(call, &[errno(libc::EPERM)]));
    }

    // Sockets. The low word holds the whole int that the kernel looks at.
    let tcp_only = [
        load(low_word(0)),
        jump(libc::BPF_JEQ, libc::AF_INET as u32, 1, 0),
        errno(libc::EACCES),
        load(low_word(1)),
        and(0xf), // Without SOCK_CLOEXEC and SOCK_NONBLOCK.
        jump(libc::BPF_JEQ, libc::SOCK_STREAM as u32, 1, 0),
        errno(libc::EACCES),
        load(low_word(2)), // Not MPTCP, SCTP or SMC, which landlock does not see.
        jump(libc::BPF_JEQ, libc::IPPROTO_TCP as u32, 2, 0),
        jump(libc::BPF_JEQ, 0, 1, 0),
        errno(libc::EACCES),
        verdict(libc::SECCOMP_RET_ALLOW),
    ];
    let none = [errno(libc::EACCES)];
    p.extend(on(libc::SYS_socket, if tcp { &tcp_only } else { &none }));

    // Limits of other processes: pid 0 is the caller.
    p.extend(on(
        libc::SYS_prlimit64,
        &[
            load(low_word(0)),
            jump(libc::BPF_JEQ, 0, 1, 0),
            errno(libc::EPERM),
            verdict(libc::SECCOMP_RET_ALLOW),
        ],
    ));

    // Its death with the worker is not its own to call off.
    p.extend(on(
        libc::SYS_prctl,
        &[
            load(low_word(0)),
            jump(libc::BPF_JEQ, libc::PR_SET_PDEATHSIG as u32, 0, 1),
            errno(libc::EPERM),
            verdict(libc::SECCOMP_RET_ALLOW),
        ],
    ));

    // Threads yes, processes no. clone3's flags are behind a pointer: as if it did not exist, and
    // the C library takes clone.
    p.extend(on(libc::SYS_clone3, &[errno(libc::ENOSYS)]));
    if !fork {
        p.extend(on(
            libc::SYS_clone,
            &[
                load(low_word(0)),
                jump(libc::BPF_JSET, libc::CLONE_THREAD as u32, 1, 0),
                errno(libc::EPERM),
                verdict(libc::SECCOMP_RET_ALLOW),
            ],
        ));
        #[cfg(target_arch = "x86_64")]
        for call in [libc::SYS_fork, libc::SYS_vfork] {
            p.extend(on(call, &[errno(libc::EPERM)]));
        }
    }
    p.push(verdict(libc::SECCOMP_RET_ALLOW));
    p
}

/// `body` when the call's number is `call`; every path through it ends in a verdict, so the number
/// stays loaded for what follows.
fn on(call: libc::c_long, body: &[sock_filter]) -> Vec<sock_filter> {
    // Numbers are below 2^30 and bodies below 256 instructions, here and by the table above.
    let mut all = vec![jump(libc::BPF_JEQ, call as u32, 0, body.len() as u8)];
    all.extend_from_slice(body);
    all
}

/// Offset of the low 32 bits of argument `n`.
const fn low_word(n: u32) -> u32 {
    16 + 8 * n
}

const fn load(offset: u32) -> sock_filter {
    statement(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, offset)
}

const fn and(mask: u32) -> sock_filter {
    statement(libc::BPF_ALU | libc::BPF_AND | libc::BPF_K, mask)
}

const fn verdict(action: u32) -> sock_filter {
    statement(libc::BPF_RET | libc::BPF_K, action)
}

const fn errno(errno: i32) -> sock_filter {
    verdict(libc::SECCOMP_RET_ERRNO | errno as u32)
}

const fn statement(code: u32, k: u32) -> sock_filter {
    sock_filter { code: code as u16, jt: 0, jf: 0, k }
}

/// Compares what is loaded with `k` and skips so many instructions.
const fn jump(test: u32, k: u32, if_true: u8, if_false: u8) -> sock_filter {
    sock_filter { code: (libc::BPF_JMP | test | libc::BPF_K) as u16, jt: if_true, jf: if_false, k }
}
