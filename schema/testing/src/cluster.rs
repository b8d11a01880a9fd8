//! A PostgreSQL cluster for one test run: made in a temporary folder, without a network address,
//! stopped and removed when the test process ends, however it ends.

use std::io::Read as _;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::process::{ChildStdin, Command, Stdio};
use std::sync::{Mutex, OnceLock};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};

/// How long PostgreSQL may take to start on a busy machine.
const START: Duration = Duration::from_secs(60);

/// Runs the server until its own standard input ends, which is when the test process is gone; then
/// stops it and removes the folder.
const KEEPER: &str = r#"
trap '' INT TERM HUP
folder=$1; shift
"$@" </dev/null >"$folder/log" 2>&1 &
server=$!
read -r _
kill -INT $server 2>/dev/null
wait $server
rm -rf "$folder"
"#;

static CLUSTER: OnceLock<Result<Cluster, String>> = OnceLock::new();

/// A running cluster.
pub(crate) struct Cluster {
    folder: PathBuf,
    /// Held open as long as the process lives.
    _life: Mutex<ChildStdin>,
}

impl Cluster {
    /// The cluster of this process; started by the first who asks.
    pub(crate) fn start() -> anyhow::Result<&'static Self> {
        match CLUSTER
            .get_or_init(|| Self::new(&[], &["listen_addresses="]).map_err(|e| format!("{e:#}")))
        {
            Ok(cluster) => Ok(cluster),
            Err(e) => bail!("PostgreSQL for the tests: {e}"),
        }
    }

    /// With these files (names and contents) in its data folder, and these settings.
    pub(crate) fn new(files: &[(&str, String)], settings: &[&str]) -> anyhow::Result<Self> {
        let bin = programs()?;
        let folder = tempfile::Builder::new().prefix("rp-pg-").tempdir()?.keep();
        // The server's user has to get in.
        std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o777))?;
        let data = folder.join("data");
        let initdb = bin.join("initdb");
        let made = as_server(&initdb)
            .args(["-N", "-A", "trust", "-U", "postgres", "-E", "UTF8", "--no-locale", "-D"])
            .arg(&data)
            .output()
            .with_context(|| format!("running {}", initdb.display()))?;
        if !made.status.success() {
            bail!("initdb: {}", String::from_utf8_lossy(&made.stderr));
        }
        for (name, content) in files {
            let (path, owner) = (data.join(name), std::fs::metadata(&data)?);
            std::fs::write(&path, content)?;
            // PostgreSQL wants its key to be its own.
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600))?;
            std::os::unix::fs::chown(&path, Some(owner.uid()), Some(owner.gid()))?;
        }
        let server = as_server(&bin.join("postgres"));
        let mut keeper = Command::new("sh");
        keeper.args(["-c", KEEPER, "keeper"]).arg(&folder);
        keeper.arg(server.get_program()).args(server.get_args()).arg("-D").arg(&data);
        keeper.arg("-k").arg(&folder);
        for setting in [
            "fsync=off",
            "synchronous_commit=off",
            "full_page_writes=off",
            "max_connections=300",
            "shared_buffers=64MB",
        ]
        .iter()
        .chain(settings)
        {
            keeper.args(["-c", setting]);
        }
        keeper.current_dir(&folder).stdin(Stdio::piped());
        let mut child = keeper.spawn().context("starting PostgreSQL")?;
        let life = child.stdin.take().context("the keeper has no standard input")?;
        let cluster = Self { folder, _life: Mutex::new(life) };
        cluster.wait()?;
        Ok(cluster)
    }

    /// Waits until the server answers on its socket.
    fn wait(&self) -> anyhow::Result<()> {
        let began = Instant::now();

        // It is written once the sockets are there.
        while !(self.log().contains("ready to accept connections")) {
            if began.elapsed() > START {
                bail!("it did not start: {}", self.log());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }

    fn log(&self) -> String {
        let mut text = String::new();
        if let Ok(mut file) = std::fs::File::open(self.folder.join("log")) {
            let _ = file.read_to_string(&mut text);
        }
        text
    }

    /// The URL of one of its databases.
    pub(crate) fn url(&self, database: &str) -> String {
        self.url_at(5432, database)
    }

    /// The same of one that has another port in its socket's name.
    pub(crate) fn url_at(&self, port: u16, database: &str) -> String {
        let folder = self.folder.to_string_lossy().replace('/', "%2F");
        format!("postgresql://postgres@{folder}:{port}/{database}")
    }
}

/// A command as the server's user: PostgreSQL refuses to run as root.
fn as_server(program: &Path) -> Command {
    if !rustix::process::geteuid().is_root() {
        return Command::new(program);
    }
    let mut command = Command::new("setpriv");
    command.args(["--reuid=postgres", "--regid=postgres", "--clear-groups", "--"]).arg(program);
    command
}

/// Where Debian and Ubuntu put the newest server, or where `pg_config` says.
fn programs() -> anyhow::Result<PathBuf> {
    let version = |path: &PathBuf| -> Option<u32> { path.file_name()?.to_str()?.parse().ok() };
    let mut versions: Vec<PathBuf> = std::fs::read_dir("/usr/lib/postgresql")
        .map(|entries| entries.filter_map(|entry| Some(entry.ok()?.path())).collect())
        .unwrap_or_default();
    versions.sort_by_key(|path| version(path));
    if let Some(newest) = versions.last() {
        return Ok(newest.join("bin"));
    }
    let told = Command::new("pg_config").arg("--bindir").output();
    let told = told.context("PostgreSQL is not installed (apt install postgresql)")?;
    Ok(PathBuf::from(String::from_utf8_lossy(&told.stdout).trim()))
}
