//! What a child can reach: files, network, other programs, the worker's own things.

use std::{
    net::{TcpListener, UdpSocket},
    os::unix::{fs::symlink, net::UnixListener},
};

use reelpin_transcoder::confine::{ConfineError, Step};
use tempfile::TempDir;

use super::{Bench, all};

/// Any protocol and any path, so that only the confinement is left to refuse.
const LAX: &str = "-nostdin -v error -protocol_whitelist file,pipe,concat,subfile,data,tcp,udp,unix,async,cache,crypto";

fn refused(result: Result<impl std::fmt::Debug, ConfineError>) {
    let error = result.unwrap_err();
    let ConfineError::NonZero { report, .. } = &error else { panic!("{error:?}") };
    let said = &report.stderr;
    assert!(said.contains("Permission denied") || said.contains("not permitted"), "{said}");
}

#[tokio::test]
async fn encodes_through_three_pipes() {
    let mut bench = Bench::real();
    bench.pipes = 3;
    let out = |n| {
        format!(
            "-map 0:v -c:v libx264 -preset ultrafast -f mp4 -movflags +cmaf+empty_moov pipe:{n}"
        )
    };
    let args = format!(
        "-nostdin -v error -f lavfi -i testsrc2=size=320x180:rate=24:duration=2 {} {} {}",
        out(3),
        out(4),
        out(5)
    );
    let mut child = bench.start(&super::split(&args)).await.unwrap();
    let mut pipes: Vec<_> = (0..3).map(|i| child.take_pipe(i).unwrap()).collect();
    let [mut a, mut b, mut c] = [Vec::new(), Vec::new(), Vec::new()];
    let [pa, pb, pc] = pipes.as_mut_slice() else { unreachable!() };
    use tokio::io::AsyncReadExt;
    let (end, ra, rb, rc) = tokio::join!(
        child.wait(),
        pa.read_to_end(&mut a),
        pb.read_to_end(&mut b),
        pc.read_to_end(&mut c)
    );
    let report = end.unwrap();
    ra.and(rb).and(rc).unwrap();
    assert_eq!(report.stderr, "");
    assert!(report.cpu.as_millis() > 10 && report.max_rss_bytes > 1 << 20, "{report:?}");
    for bytes in [a, b, c] {
        assert_eq!(&bytes[4..8], b"ftyp");
        assert!(bytes.windows(4).any(|w| w == b"mdat"));
    }
}

/// The same job with and without leave to read the file.
#[tokio::test]
async fn reads_only_what_it_was_given() {
    let mut bench = Bench::real();
    bench.pipes = 1;
    for url in ["/etc/passwd", "file:/etc/passwd", "concat:/etc/passwd", "async:file:/etc/passwd"] {
        let args = format!("{LAX} -f data -i {url} -map 0 -c copy -f data pipe:3");
        bench.readable.clear();
        refused(bench.run(&args).await);
        bench.readable.push("/etc/passwd".into());
        let mut child = bench.start(&super::split(&args)).await.unwrap();
        assert_eq!(all(&mut child, 0).await, std::fs::read("/etc/passwd").unwrap(), "{url}");
        child.wait().await.unwrap();
    }
}

#[tokio::test]
async fn a_playlist_leads_nowhere() {
    let bench = Bench::real();
    bench.write("list.txt", "ffconcat version 1.0\nfile /etc/passwd\n");
    refused(bench.run(&format!("{LAX} -f concat -safe 0 -i list.txt -f null -")).await);
}

#[tokio::test]
async fn a_link_leads_nowhere() {
    let mut bench = Bench::real();
    bench.pipes = 1;
    let elsewhere = TempDir::new().unwrap();
    let secret = elsewhere.path().join("secret");
    std::fs::write(&secret, "secret").unwrap();
    symlink(&secret, bench.work.path().join("link")).unwrap();
    bench.write("plain", "plain");
    let args = |name| format!("{LAX} -f data -i {name} -map 0 -c copy -f data pipe:3");
    refused(bench.run(&args("link")).await);
    let mut child = bench.start(&super::split(&args("plain"))).await.unwrap();
    assert_eq!(all(&mut child, 0).await, b"plain");
}

#[tokio::test]
async fn writes_only_into_its_work_folder() {
    let mut bench = Bench::real();
    let elsewhere = TempDir::new().unwrap();
    bench.readable.push(elsewhere.path().into());
    let args = |to: String| {
        format!("{LAX} -f lavfi -i testsrc2=duration=0.1:size=64x64 -c:v mpeg4 -f mp4 -y {to}")
    };
    let outside = elsewhere.path().join("out.mp4");
    refused(bench.run(&args(outside.display().to_string())).await);
    assert!(!outside.exists());
    bench.run(&args("out.mp4".to_owned())).await.unwrap();
    let written = bench.work.path().join("out.mp4").metadata().unwrap();
    assert_eq!(std::os::unix::fs::MetadataExt::mode(&written) & 0o777, 0o600);
}

/// Without a port seccomp refuses the socket; with another port landlock refuses to connect.
#[tokio::test]
async fn connects_to_one_port_at_most() {
    let mut bench = Bench::real();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let port = listener.local_addr().unwrap().port();
    let args = format!("{LAX} -f data -i tcp://127.0.0.1:{port}?timeout=1000000 -f null -");
    refused(bench.run(&args).await);
    bench.connect_port = Some(port ^ 1);
    refused(bench.run(&args).await);
    assert!(listener.accept().is_err(), "something connected");
    bench.connect_port = Some(port);
    let _ = bench.run(&args).await;
    listener.accept().expect("the port that was allowed");
}

#[tokio::test]
async fn sends_no_datagram_and_uses_no_local_socket() {
    let mut bench = Bench::real();
    let udp = UdpSocket::bind("127.0.0.1:0").unwrap();
    udp.set_nonblocking(true).unwrap();
    let port = udp.local_addr().unwrap().port();
    let unix = bench.work.path().join("socket");
    let local = UnixListener::bind(&unix).unwrap();
    local.set_nonblocking(true).unwrap();
    for allowed in [None, Some(port)] {
        bench.connect_port = allowed;
        for to in [format!("udp://127.0.0.1:{port}"), format!("unix:{}", unix.display())] {
            let source = "-f lavfi -i testsrc2=duration=0.1:size=64x64";
            let args = format!("{LAX} {source} -c:v mpeg2video -f mpegts {to}");
            assert!(bench.run(&args).await.is_err(), "{to}");
        }
    }
    assert!(udp.recv(&mut [0; 1]).is_err(), "a datagram came");
    assert!(local.accept().is_err(), "something connected");
}

#[tokio::test]
async fn the_real_programs_may_not_start_others() {
    // No helpers: the shell stands for an ffmpeg that somebody took over.
    let sh = std::path::Path::new("/bin/sh").canonicalize().unwrap();
    let bench = Bench::new(reelpin_transcoder::confine::Toolbox::with(sh.clone(), sh));
    for script in ["(exit 0)", "exec /usr/bin/true"] {
        assert!(bench.script(script).await.wait().await.is_err(), "{script}");
    }
    bench.script("true").await.wait().await.unwrap();
}

/// Descriptors, environment, capabilities and privileges of the worker stay with it.
#[tokio::test]
async fn inherits_nothing() {
    let mut bench = Bench::shell();
    bench.capture_stdout = true;
    bench.pipes = 2;
    bench.readable.push("/proc".into());
    // A descriptor that would pass through exec.
    let null = std::fs::File::open("/dev/null").unwrap();
    // SAFETY: duplicates a descriptor that is open; the copy is closed below.
    let leaky = unsafe { libc::dup(std::os::fd::AsRawFd::as_raw_fd(&null)) };
    assert!(leaky > 2);
    let report = bench
        .script("exec ls /proc/self/fd") // Its own look at the folder is one more.
        .await
        .wait()
        .await
        .unwrap();
    // SAFETY: ours, from above, and used by nobody else.
    unsafe { libc::close(leaky) };
    assert_eq!(String::from_utf8(report.stdout).unwrap(), "0\n1\n2\n3\n4\n5\n");

    let report = bench.script("exec env").await.wait().await.unwrap();
    let mut names: Vec<_> = String::from_utf8(report.stdout)
        .unwrap()
        .lines()
        .map(|line| line.split_once('=').unwrap().0.to_owned())
        .collect();
    names.sort();
    // PWD is the shell's own.
    let all = "AV_LOG_FORCE_NOCOLOR GLIBC_TUNABLES HOME LANG MALLOC_ARENA_MAX PATH PWD TMPDIR";
    assert_eq!(names.join(" "), all);

    let status = bench.script("exec cat /proc/self/status").await.wait().await.unwrap().stdout;
    let status = String::from_utf8(status).unwrap();
    for line in ["CapPrm:\t0000000000000000", "CapEff:\t0000000000000000", "NoNewPrivs:\t1"] {
        assert!(status.contains(line), "{line} in {status}");
    }
    for line in ["SigBlk:\t0000000000000000", "Seccomp:\t2"] {
        assert!(status.contains(line), "{line} in {status}");
    }
    let ignored = status.split("SigIgn:\t").nth(1).unwrap().lines().next().unwrap();
    // Rust ignores SIGPIPE. Numbers 32 and 33 are the C library's.
    assert_eq!(u64::from_str_radix(ignored, 16).unwrap() & 0x7fff_ffff, 0);
}

/// Processes of the same user, one of them with an address in memory to read.
#[tokio::test]
async fn leaves_other_processes_alone() {
    let mut bench = Bench::shell();
    bench.readable.push("/proc".into());
    let mut other = std::process::Command::new("sleep").arg("1000000").spawn().unwrap();
    let pid = other.id();
    for script in [
        format!("kill -0 {pid}"),
        format!("exec cat /proc/{pid}/environ"),
        format!("exec prlimit --pid {pid} --nofile=10"),
    ] {
        refused(bench.script(&script).await.wait().await);
    }
    bench.script("kill -0 $$").await.wait().await.unwrap();
    other.kill().unwrap();
    other.wait().unwrap();
}

/// What landlock leaves open, and a tree too deep for whoever removes it.
#[tokio::test]
async fn changes_no_modes_and_makes_no_folders() {
    let bench = Bench::shell();
    let elsewhere = TempDir::new().unwrap();
    let file = elsewhere.path().join("file");
    std::fs::write(&file, "x").unwrap();
    let before = file.metadata().unwrap();
    let file = file.display();
    for script in [
        format!("exec chmod 777 {file}"),
        format!("exec touch {file}"),
        "exec mkdir sub".to_owned(),
        "exec ln -s / link".to_owned(),
        "exec mkfifo fifo".to_owned(),
        "exec ipcmk -M 4096".to_owned(),
    ] {
        refused(bench.script(&script).await.wait().await);
    }
    let after = elsewhere.path().join("file").metadata().unwrap();
    assert_eq!(after.permissions(), before.permissions());
    assert_eq!(after.modified().unwrap(), before.modified().unwrap());
}

#[tokio::test]
async fn says_which_path_is_missing() {
    let mut bench = Bench::real();
    bench.readable.push("/no/such/original".into());
    let error = bench.run("-version").await.unwrap_err();
    assert!(matches!(&error, ConfineError::Path { path, .. } if path.ends_with("original")));
    bench.readable.clear();
    let mut toolbox = super::toolbox();
    toolbox.ffmpeg = "/etc/ld.so.cache".into();
    let error = Bench::new(toolbox).run("-version").await.unwrap_err();
    assert!(matches!(&error, ConfineError::Spawn { step: Step::Exec, .. }), "{error:?}");
    let nul = bench.start(&["a\0b".to_owned()]).await.unwrap_err();
    assert!(matches!(nul, ConfineError::Argument { index: 1 }));
}
