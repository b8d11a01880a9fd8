//! File and network rules (landlock), and what the running kernel leaves open.

use std::{
    io,
    os::fd::OwnedFd,
    path::{Path, PathBuf},
};

use landlock::{
    ABI, Access, AccessFs, AccessNet, BitFlags, NetPort, PathBeneath, Ruleset, RulesetAttr,
    RulesetCreated, RulesetCreatedAttr, Scope,
};
use rustix::{
    fs::{FileType, Mode, OFlags, fstat, open},
    process::{PidfdFlags, getpid, pidfd_open},
};

use super::{ConfineError, Toolbox, filter};

/// Newest rights asked for; what the kernel does not know is left out. All of them are refusals
/// unless a rule below grants them, so a kernel newer than the tests can only refuse more.
const NEWEST: ABI = ABI::V9;

/// What the programs read besides their libraries, found with strace (ffmpeg 5.1.9, Debian 12);
/// without `/sys` they count one processor less well, without the linker's cache they start slowly.
/// Nothing of `/proc`: it shows the command lines of other processes.
const SYSTEM: [&str; 5] = [
    "/etc/ld.so.cache",
    "/dev/urandom",
    "/dev/null",
    "/sys/devices/system/cpu",
    "/sys/devices/system/node",
];

/// What a child may touch.
pub(super) struct Reach<'a> {
    pub(super) toolbox: &'a Toolbox,
    pub(super) program: &'a Path,
    pub(super) work_dir: &'a OwnedFd,
    pub(super) readable: &'a [PathBuf],
    pub(super) connect_port: Option<u16>,
}

/// Makes the ruleset; `None` on a kernel without landlock.
pub(super) fn ruleset(reach: &Reach<'_>) -> Result<Option<OwnedFd>, ConfineError> {
    let read = AccessFs::ReadFile | AccessFs::ReadDir;
    let run = read | AccessFs::Execute;
    // No links, sockets, pipes or devices; nothing moved between folders; and no folders, since a
    // tree deep enough would take down whoever removes it.
    let work =
        read | AccessFs::WriteFile | AccessFs::Truncate | AccessFs::MakeReg | AccessFs::RemoveFile;

    let mut rules = Ruleset::default()
        .handle_access(AccessFs::from_all(NEWEST))?
        .handle_access(AccessNet::from_all(NEWEST))?
        .scope(Scope::from_all(NEWEST))?
        .create()?
        .add_rule(PathBeneath::new(reach.work_dir, work))?;
    rules = beneath(rules, reach.program, run)?;
    for path in reach.toolbox.libraries.iter().chain(&reach.toolbox.helpers) {
        rules = beneath(rules, path, run)?;
    }
    for path in reach.readable {
        rules = beneath(rules, path, read)?;
    }
    for path in SYSTEM.map(Path::new).into_iter().filter(|path| path.exists()) {
        rules = beneath(rules, path, read)?;
    }
    rules = beneath(rules, Path::new("/dev/null"), read | AccessFs::WriteFile)?;
    if let Some(port) = reach.connect_port {
        rules = rules.add_rule(NetPort::new(port, AccessNet::ConnectTcp))?;
    }
    Ok(rules.into())
}

/// Opens `path` (following links: it is ours) and allows `access` at and below it.
fn beneath(
    rules: RulesetCreated,
    path: &Path,
    access: BitFlags<AccessFs>,
) -> Result<RulesetCreated, ConfineError> {
    let failed =
        |e: rustix::io::Errno| ConfineError::Path { path: path.to_owned(), source: e.into() };
    let fd = open(path, OFlags::PATH | OFlags::CLOEXEC, Mode::empty()).map_err(failed)?;
    let folder = FileType::from_raw_mode(fstat(&fd).map_err(failed)?.st_mode).is_dir();
    // The kernel refuses a folder's rights on a file.
    let access = if folder { access } else { access & AccessFs::from_file(NEWEST) };
    Ok(rules.add_rule(PathBeneath::new(fd, access))?)
}

/// What this kernel can do, asked once.
#[derive(Debug, Clone, Copy)]
pub(super) struct Kernel {
    /// Landlock's version; 0 without it.
    landlock: i32,
    /// Filters of system calls, on an architecture that we have a table for.
    pub(super) seccomp: bool,
}

impl Kernel {
    /// Asks; an error where a child could not be held at all.
    pub(super) fn probe() -> Result<Self, ConfineError> {
        pidfd_open(getpid(), PidfdFlags::empty())
            .map_err(|e| ConfineError::Kernel { what: "open pidfds", source: e.into() })?;
        // SAFETY: a range without an open descriptor; nothing is changed.
        let closed = unsafe {
            libc::syscall(
                libc::SYS_close_range,
                u32::MAX,
                u32::MAX,
                libc::CLOSE_RANGE_CLOEXEC as libc::c_uint,
            )
        };
        if closed != 0 {
            let source = io::Error::last_os_error();
            return Err(ConfineError::Kernel { what: "mark descriptors for closing", source });
        }
        // SAFETY: with a null attribute and the version flag the call only returns a number.
        let landlock = unsafe {
            libc::syscall(libc::SYS_landlock_create_ruleset, std::ptr::null::<u8>(), 0usize, 1u32)
        };
        Ok(Self {
            landlock: i32::try_from(landlock).unwrap_or(0).max(0),
            seccomp: filter::available(),
        })
    }

    /// What stays open, one sentence each.
    pub(super) fn gaps(self) -> Vec<String> {
        // Landlock's versions: landlock(7), table of ABI versions.
        const SINCE: [(i32, &str, &str); 5] = [
            (1, "5.13", "ffmpeg can read and write every file that the worker can"),
            (3, "6.2", "ffmpeg can truncate files that the worker can write to"),
            (4, "6.7", "ffmpeg's TCP connections are not limited to a port"),
            (5, "6.10", "ffmpeg can send ioctls to devices that it may open"),
            (6, "6.12", "ffmpeg can signal the worker's other processes"),
        ];
        let mut gaps: Vec<String> = SINCE
            .iter()
            .filter(|(abi, ..)| self.landlock < *abi)
            .map(|(_, linux, gap)| format!("{gap} (landlock of Linux {linux} would prevent it)"))
            .collect();
        if !self.seccomp {
            gaps.push(
                "ffmpeg can use UDP and local sockets, change modes of the worker's files and start \
                 processes that outlive it (seccomp is not available here)"
                    .to_owned(),
            );
        }
        if rustix::process::geteuid().is_root() {
            gaps.push(
                "ffmpeg runs as root, though without capabilities, and without a bound on its \
                 threads: give the worker a user of its own"
                    .to_owned(),
            );
        }
        gaps.push(
            "memory is bounded per process and files one by one; the sum, and the work folder's \
             size, only by a control group and a quota"
                .to_owned(),
        );
        gaps
    }
}
