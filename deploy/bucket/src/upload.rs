//! Uploads in parts, one folder each in `.reelpin/uploads`: `about.json`, and a file for each part that
//! is named `<number>-<time>-<md5>`. The latest of a number counts.
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use s3s::{S3Result, s3_error};
use serde::{Deserialize, Serialize};

use crate::assembly::Part;
use crate::digest::Hashed;
use crate::draft::Draft;
use crate::fault::ours;
use crate::key::Key;
use crate::record::{Said, mtime};
use crate::store::{Store, sync_folder};

const ABOUT: &str = "about.json";

/// What an upload is to become.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct About {
    /// The object's key.
    pub(crate) key: String,
    /// What the client says of the object.
    pub(crate) said: Said,
}

/// An upload that is open.
#[derive(Clone, Debug)]
pub(crate) struct Upload {
    /// Its id.
    pub(crate) id: String,
    /// What it is to become.
    pub(crate) about: About,
    /// When it was begun, in nanoseconds since 1970.
    pub(crate) begun: i128,
    folder: PathBuf,
}

impl Upload {
    /// Begins an upload under the given id; it is durable, and there as a whole or not at all.
    pub(crate) fn begin(store: &Store, id: &str, about: &About) -> S3Result<()> {
        let draft = store.draft_path();
        let made = (|| {
            fs::create_dir(&draft)?;
            let mut file = File::create(draft.join(ABOUT))?;
            file.write_all(&serde_json::to_vec(about)?)?;
            file.sync_all()?;
            sync_folder(&draft)?;
            fs::rename(&draft, store.uploads.join(id))?;
            sync_folder(&store.uploads)
        })();
        made.map_err(|error| {
            let _ = fs::remove_dir_all(&draft);
            ours(error)
        })
    }

    /// The open upload with this id, if it is to become the object of this key.
    pub(crate) fn open(store: &Store, id: &str, key: &Key) -> S3Result<Self> {
        let upload = Self::read(store, id)?.filter(|upload| upload.about.key == key.as_str());
        upload.ok_or_else(|| s3_error!(NoSuchUpload))
    }

    fn read(store: &Store, id: &str) -> S3Result<Option<Self>> {
        if id.is_empty() || !id.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Ok(None);
        }
        let folder = store.uploads.join(id);
        let read = (|| {
            let file = File::open(folder.join(ABOUT))?;
            let begun = mtime(&file.metadata()?);
            let about = serde_json::from_reader(io::BufReader::new(file))?;
            Ok(Self { id: id.to_owned(), about, begun, folder: folder.clone() })
        })();
        match read {
            Ok(upload) => Ok(Some(upload)),
            Err(error) if io::Error::kind(&error) == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(ours(error)),
        }
    }

    /// All open uploads, by key and id.
    pub(crate) fn all(store: &Store) -> S3Result<Vec<Self>> {
        let mut uploads = Vec::new();
        for entry in fs::read_dir(&store.uploads).map_err(ours)? {
            let name = entry.map_err(ours)?.file_name();
            if let Some(id) = name.to_str() {
                uploads.extend(Self::read(store, id)?);
            }
        }
        uploads.sort_by(|a, b| (&a.about.key, &a.id).cmp(&(&b.about.key, &b.id)));
        Ok(uploads)
    }

    /// Gives a complete draft to the upload, in place of an earlier part of that number; durable.
    pub(crate) fn take(
        &self,
        store: &Store,
        number: i32,
        draft: Draft,
        hashed: &Hashed,
    ) -> S3Result<Part> {
        let stamp = store.stamp(&draft.file).map_err(ours)?;
        draft.file.sync_all().map_err(ours)?;
        let part = Part { number, stamp, md5: hashed.md5, size: draft.size };
        fs::rename(&draft.path, self.path(&part)).map_err(gone)?;
        draft.named();
        sync_folder(&self.folder).map_err(gone)?;
        for other in self.stored()? {
            if other.number == number && other.stamp < stamp {
                let _ = fs::remove_file(self.path(&other));
            }
        }
        Ok(Part { stamp, ..part })
    }

    /// The parts that are there, by number; of each number the latest.
    pub(crate) fn parts(&self) -> S3Result<Vec<Part>> {
        let mut parts = self.stored()?;
        parts.sort_by_key(|part| (part.number, std::cmp::Reverse(part.stamp)));
        parts.dedup_by_key(|part| part.number);
        Ok(parts)
    }

    /// Where a part lies.
    pub(crate) fn path(&self, part: &Part) -> PathBuf {
        self.folder.join(part.name())
    }

    fn stored(&self) -> S3Result<Vec<Part>> {
        let mut parts = Vec::new();
        for entry in fs::read_dir(&self.folder).map_err(gone)? {
            let entry = entry.map_err(ours)?;
            let about = match entry.metadata() {
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                about => about.map_err(ours)?,
            };
            parts
                .extend(entry.file_name().to_str().and_then(|name| Part::named(name, about.len())));
        }
        Ok(parts)
    }

    /// Ends the upload, durably and in one step; its parts are removed.
    pub(crate) fn end(self, store: &Store) -> S3Result<()> {
        let grave = store.draft_path();
        fs::rename(&self.folder, &grave).map_err(gone)?;
        sync_folder(&store.uploads).map_err(ours)?;
        remove(&grave);
        Ok(())
    }
}

fn remove(folder: &Path) {
    if let Err(error) = fs::remove_dir_all(folder) {
        tracing::warn!(%error, "the parts of an ended upload stay until the next start");
    }
}

/// An upload that ended meanwhile is no error of ours.
fn gone(error: io::Error) -> s3s::S3Error {
    match error.kind() {
        io::ErrorKind::NotFound => s3_error!(NoSuchUpload),
        _ => ours(error),
    }
}
