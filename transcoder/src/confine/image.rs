//! Everything a child needs, made before the fork: after it nothing may allocate.

use std::{
    ffi::{CString, OsStr, c_char},
    io,
    os::{
        fd::{AsRawFd, OwnedFd, RawFd},
        unix::ffi::OsStrExt,
    },
    path::{Path, PathBuf},
};

use libc::{rlimit, sock_filter, sock_fprog};
use rustix::{
    fs::{Mode, OFlags, open},
    io::fcntl_dupfd_cloexec,
};

use super::{
    ConfineError, Limits, MAX_PIPES, Program, Step, Toolbox, filter,
    rules::{Kernel, Reach, ruleset},
};

/// First descriptor that the child's own (0, 1, 2 and pipes) can never be: ours are moved up here,
/// so placing one cannot overwrite another.
const ABOVE: RawFd = 3 + MAX_PIPES as RawFd;

/// A job as it is sent to the launcher's thread: owned, checked, with its pipes' writing ends.
pub(super) struct Order {
    pub(super) program: Program,
    /// With the program's name at 0.
    pub(super) argv: Vec<CString>,
    pub(super) work_dir: PathBuf,
    pub(super) readable: Vec<PathBuf>,
    pub(super) connect_port: Option<u16>,
    pub(super) limits: Limits,
    pub(super) stdout: Option<OwnedFd>,
    pub(super) stderr: OwnedFd,
    pub(super) pipes: Vec<OwnedFd>,
}

/// What `exec` uses between fork and exec, as plain memory.
pub(super) struct Image {
    pub(super) path: CString,
    pub(super) argv: Pointers,
    pub(super) env: Pointers,
    pub(super) work_dir: OwnedFd,
    /// Ours, at `ABOVE` or higher; the index is the child's descriptor.
    pub(super) descriptors: Vec<OwnedFd>,
    pub(super) rlimits: Vec<(Resource, rlimit)>,
    pub(super) nice: libc::c_int,
    /// The same in digits.
    pub(super) nice_text: String,
    pub(super) ruleset: Option<OwnedFd>,
    pub(super) filter: Option<Filter>,
    pub(super) parent: libc::pid_t,
}

#[cfg(target_env = "gnu")]
pub(super) type Resource = libc::__rlimit_resource_t;
#[cfg(not(target_env = "gnu"))]
pub(super) type Resource = libc::c_int;

impl Image {
    pub(super) fn new(
        order: Order,
        toolbox: &Toolbox,
        kernel: Kernel,
    ) -> Result<Self, ConfineError> {
        let program = toolbox.path(order.program);
        let failed = |path: &Path, source| ConfineError::Path { path: path.to_owned(), source };
        let work_dir = order.work_dir.canonicalize().map_err(|e| failed(&order.work_dir, e))?;
        let work_fd = open(
            &work_dir,
            OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC,
            Mode::empty(),
        )
        .map_err(|e| failed(&work_dir, e.into()))?;
        // Entered after the child's own descriptors were placed.
        let work_fd = above(work_fd)?;
        let reach = Reach {
            toolbox,
            program,
            work_dir: &work_fd,
            readable: &order.readable,
            connect_port: order.connect_port,
        };
        let ruleset = ruleset(&reach)?.map(above).transpose()?;
        let filter = kernel.seccomp.then(|| {
            Filter::new(filter::program(!toolbox.helpers.is_empty(), order.connect_port.is_some()))
        });

        let null = |flags| {
            open("/dev/null", flags | OFlags::CLOEXEC, Mode::empty())
                .map_err(|e| failed(Path::new("/dev/null"), e.into()))
        };
        let stdout = match order.stdout {
            Some(pipe) => pipe,
            None => null(OFlags::WRONLY)?,
        };
        let descriptors = [null(OFlags::RDONLY)?, stdout, order.stderr]
            .into_iter()
            .chain(order.pipes)
            .map(above)
            .collect::<Result<_, _>>()?;

        Ok(Self {
            path: c_string(program.as_os_str())?,
            argv: Pointers::new(order.argv),
            env: environment(program, &work_dir)?,
            work_dir: work_fd,
            descriptors,
            rlimits: rlimits(&order.limits),
            nice: order.limits.nice.min(19).into(),
            nice_text: order.limits.nice.min(19).to_string(),
            ruleset,
            filter,
            parent: rustix::process::getpid().as_raw_nonzero().get(),
        })
    }
}

/// Moves a descriptor out of the child's way.
pub(super) fn above(fd: OwnedFd) -> Result<OwnedFd, ConfineError> {
    if fd.as_raw_fd() >= ABOVE {
        return Ok(fd);
    }
    fcntl_dupfd_cloexec(&fd, ABOVE)
        .map_err(|e| ConfineError::Spawn { step: Step::Descriptors, source: e.into() })
}

/// Nothing of the worker's own environment, where secrets may be.
fn environment(program: &Path, work_dir: &Path) -> Result<Pointers, ConfineError> {
    let folder = program.parent().unwrap_or(Path::new("/usr/bin"));
    let pair = |name: &str, value: &Path| {
        let mut pair = OsStr::new(name).to_owned();
        pair.push(value);
        c_string(&pair)
    };
    Ok(Pointers::new(vec![
        pair("PATH=", folder)?,
        pair("HOME=", work_dir)?,
        pair("TMPDIR=", work_dir)?,
        c"LANG=C".to_owned(),
        c"AV_LOG_FORCE_NOCOLOR=1".to_owned(),
        // glibc reserves 64 MiB of address space per arena and up to 8 arenas per processor; with
        // 4 an encode by 16 threads took 2.4 instead of 3.2 GiB, and no longer (ffmpeg 5.1.9).
        c"MALLOC_ARENA_MAX=4".to_owned(),
        // Huge pages where the kernel gives them on request, and frames' buffers kept instead of mapped anew: three
        // rungs of 30 s took 45.1 instead of 45.9 CPU s, and 577 instead of 499 MiB (ffmpeg 5.1.9, glibc 2.36).
        c"GLIBC_TUNABLES=glibc.malloc.hugetlb=1:glibc.malloc.mmap_threshold=33554432:glibc.malloc.trim_threshold=268435456"
            .to_owned(),
    ]))
}

fn c_string(text: &OsStr) -> Result<CString, ConfineError> {
    CString::new(text.as_bytes()).map_err(|_| ConfineError::Argument { index: 0 })
}

/// Soft and hard alike, so that none can be raised again; never above what we have ourselves.
fn rlimits(limits: &Limits) -> Vec<(Resource, rlimit)> {
    [
        // Equal, so that SIGKILL comes at once: ffmpeg takes the soft limit's SIGXCPU for a wish
        // to end early, writes its trailer and looks as if it had finished.
        (libc::RLIMIT_CPU, Some(limits.cpu_seconds)),
        (libc::RLIMIT_AS, Some(limits.address_space_bytes)),
        (libc::RLIMIT_FSIZE, Some(limits.file_size_bytes)),
        (libc::RLIMIT_NOFILE, Some(limits.open_files)),
        (libc::RLIMIT_NPROC, limits.processes),
        (libc::RLIMIT_CORE, Some(0)),
        (libc::RLIMIT_MSGQUEUE, Some(0)),
    ]
    .into_iter()
    .filter_map(|(resource, value)| Some((resource, value?)))
    .map(|(resource, value)| {
        let mut ours = rlimit { rlim_cur: 0, rlim_max: libc::RLIM_INFINITY };
        // SAFETY: `ours` is a valid place for the answer; on failure it keeps its value.
        unsafe { libc::getrlimit(resource, &raw mut ours) };
        let value = value.min(ours.rlim_max);
        (resource, rlimit { rlim_cur: value, rlim_max: value })
    })
    .collect()
}

/// A null-terminated array of strings, as exec wants it.
pub(super) struct Pointers {
    _strings: Vec<CString>,
    pointers: Vec<*const c_char>,
}

impl Pointers {
    fn new(strings: Vec<CString>) -> Self {
        // The bytes are on the heap and stay in place when `strings` moves.
        let pointers = strings.iter().map(|s| s.as_ptr()).chain([std::ptr::null()]).collect();
        Self { _strings: strings, pointers }
    }

    pub(super) fn as_ptr(&self) -> *const *const c_char {
        self.pointers.as_ptr()
    }
}

/// A filter and its header, as seccomp wants it.
pub(super) struct Filter {
    instructions: Vec<sock_filter>,
}

impl Filter {
    fn new(instructions: Vec<sock_filter>) -> Self {
        Self { instructions }
    }

    /// The header; valid as long as `self`.
    pub(super) fn header(&self) -> sock_fprog {
        sock_fprog {
            // The kernel's bound is 4096, ours is some 200.
            len: self.instructions.len() as libc::c_ushort,
            filter: self.instructions.as_ptr().cast_mut(),
        }
    }
}

/// Sets `O_NONBLOCK` on a reading end of ours.
pub(super) fn nonblocking(fd: &OwnedFd) -> io::Result<()> {
    let flags = rustix::fs::fcntl_getfl(fd)?;
    Ok(rustix::fs::fcntl_setfl(fd, flags | OFlags::NONBLOCK)?)
}
