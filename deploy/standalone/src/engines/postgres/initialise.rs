//! Makes the cluster, whole or not at all: `initdb` works in a draft folder that is then renamed.
use std::fs::{self, DirBuilder, File};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::place::Place;
use super::programs::Programs;
use super::{NAME, PostgresError};
use crate::engines::{Secret, secret};

/// Takes 1 to 3 s on an idle machine.
const INITDB_WITHIN: Duration = Duration::from_secs(300);
const DRAFT: &str = "draft-";

/// Runs `initdb` and puts its result where the place wants it.
pub(super) async fn make(
    programs: &Programs,
    place: &Place,
    password: &Secret,
) -> Result<(), PostgresError> {
    remove_drafts(place);
    let name = secret::random_hex(6).map_err(PostgresError::storage("name", place.cluster()))?;
    let draft = Draft {
        cluster: place.beside(&format!("{DRAFT}{name}")),
        password: place.beside(&format!("{DRAFT}{name}.password")),
    };
    DirBuilder::new()
        .mode(0o700)
        .create(&draft.cluster)
        .and_then(|()| place.owner.take(&draft.cluster))
        .map_err(PostgresError::storage("make", &draft.cluster))?;
    secret::write_whole(&draft.password, password.expose().as_bytes())
        .and_then(|()| place.owner.take(&draft.password))
        .map_err(PostgresError::storage("write", &draft.password))?;
    run(programs, place, &draft).await?;
    persist(&draft.cluster).map_err(PostgresError::storage("sync", &draft.cluster))?;
    fs::rename(&draft.cluster, place.cluster())
        .and_then(|()| File::open(place.beside("."))?.sync_all())
        .map_err(PostgresError::storage("put in place", place.cluster()))
}

async fn run(programs: &Programs, place: &Place, draft: &Draft) -> Result<(), PostgresError> {
    let mut command = tokio::process::Command::from(programs.initdb(place.owner));
    command
        .arg("-D")
        .arg(&draft.cluster)
        .args(["-U", NAME, "-E", "UTF8", "--locale=C", "--auth=scram-sha-256"])
        // We sync the file system once instead of each of a thousand files.
        .args(["--no-sync", "--no-instructions", "--data-checksums"])
        .arg("--pwfile")
        .arg(&draft.password)
        .kill_on_drop(true);
    let program = PathBuf::from(command.as_std().get_program());
    let output = tokio::time::timeout(INITDB_WITHIN, command.output())
        .await
        .map_err(|_| PostgresError::NotReady(INITDB_WITHIN))?
        .map_err(|source| PostgresError::Run { program, source })?;
    if output.status.success() {
        return Ok(());
    }
    let mut text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.push_str(&String::from_utf8_lossy(&output.stderr));
    let output = super::ready::last_lines(&text);
    Err(PostgresError::Initdb { output })
}

fn persist(folder: &Path) -> std::io::Result<()> {
    Ok(rustix::fs::syncfs(File::open(folder)?)?)
}

/// Removes what killed runs left behind; whatever cannot be removed harms nobody.
fn remove_drafts(place: &Place) {
    let entries = fs::read_dir(place.beside(".")).into_iter().flatten().flatten();
    for entry in entries.filter(|e| e.file_name().to_string_lossy().starts_with(DRAFT)) {
        let _ = fs::remove_dir_all(entry.path());
        let _ = fs::remove_file(entry.path());
    }
}

/// What is removed again unless it was put in place.
struct Draft {
    cluster: PathBuf,
    password: PathBuf,
}

impl Drop for Draft {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.password);
        let _ = fs::remove_dir_all(&self.cluster);
    }
}
