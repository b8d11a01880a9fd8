//! A worker with real engines around it: PostgreSQL, an S3 server, ffmpeg.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use reelpin_schema::ambient::Ambient;
use reelpin_schema::db::{Db, DbError};
use reelpin_schema::event::{self, Numbered};
use reelpin_schema::ipfs::Node;
use reelpin_schema::keys;
use reelpin_schema::pinning::Services;
use reelpin_schema::queue::Queue;
use reelpin_schema::segment::{self, Segment};
use reelpin_schema::transcode::{self, Transcode};
use reelpin_schema::video::{self, NewVideo, Video};
use reelpin_testing::{TestBucket, bucket, database};
use reelpin_transcoder::confine::Toolbox;
use reelpin_transcoder::{Collaborators, RunError};
use tempfile::TempDir;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// The longest that a test waits for anything: a slow machine with other tests beside it.
const PATIENCE: Duration = Duration::from_secs(120);

pub(crate) struct Studio {
    pub(crate) db: Db,
    pub(crate) bucket: TestBucket,
    queue: Queue,
    folder: TempDir,
}

/// A worker at work. Dropped, it dies as a killed process does: at whatever await it stands.
pub(crate) struct Worker {
    running: JoinSet<Result<(), RunError>>,
    stop: CancellationToken,
}

impl Worker {
    /// Asks it to stop, and waits until it has.
    pub(crate) async fn stop(mut self) {
        self.stop.cancel();
        while let Some(ended) = self.running.join_next().await {
            ended.unwrap().unwrap();
        }
    }

    /// Kills it.
    pub(crate) async fn kill(mut self) {
        self.running.shutdown().await;
    }
}

impl Studio {
    pub(crate) async fn open() -> Self {
        Self {
            db: database().await.unwrap(),
            bucket: bucket().await.unwrap(),
            queue: Queue::in_process(),
            folder: tempfile::Builder::new().prefix("rp-studio-").tempdir().unwrap(),
        }
    }

    /// Makes a clip by ffmpeg from these words.
    pub(crate) fn clip(&self, name: &str, words: &str) -> PathBuf {
        let path = self.folder.path().join(name);
        let made = Command::new("ffmpeg")
            .args(["-nostdin", "-v", "error", "-y"])
            .args(words.split_whitespace())
            .arg(&path)
            .status()
            .unwrap();
        assert!(made.success());
        path
    }

    /// Stores an original as a finished upload would.
    pub(crate) async fn upload(&self, file: &Path) -> Uuid {
        let (id, file_id) = (Uuid::now_v7(), Uuid::now_v7());
        let key = keys::original(id, file_id);
        let bytes = std::fs::read(file).unwrap().into();
        self.bucket.client.put(&key, bytes, "application/octet-stream").await.unwrap();
        let etag = self.bucket.client.head(&key).await.unwrap().unwrap().etag;
        let new = NewVideo {
            id,
            file_id,
            title: "film".to_owned(),
            description: String::new(),
            filename: "film.mp4".to_owned(),
            file_path: key,
            file_size: file.metadata().unwrap().len(),
            ticket: time::Duration::hours(1),
            look_after: time::Duration::hours(1),
        };
        self.db.run_tx("test.ticket", async move |tx| video::insert(tx, &new).await).await.unwrap();
        self.db
            .run_tx("test.uploaded", async move |tx| video::uploaded(tx, id, &etag).await)
            .await
            .unwrap();
        id
    }

    /// Starts a worker.
    pub(crate) fn worker(&self) -> Worker {
        self.worker_with(None, Services::default())
    }

    /// Starts a worker that pins the folders of what it publishes.
    pub(crate) fn worker_with(&self, node: Option<Node>, services: Services) -> Worker {
        let engines = Collaborators {
            services,
            db: self.db.clone(),
            bucket: self.bucket.client.clone(),
            node,
            pin_original: false,
            own_node: false,
            queue: self.queue.clone(),
            ambient: Ambient::system(),
        };
        let toolbox = Toolbox::find(&std::env::var_os("PATH").unwrap()).unwrap();
        let (stop, work) = (CancellationToken::new(), self.work());
        let mut running = JoinSet::new();
        let token = stop.clone();
        running.spawn(async move {
            reelpin_transcoder::run(engines, toolbox, work, "test".to_owned(), token).await
        });
        Worker { running, stop }
    }

    /// Where workers have their work folders.
    pub(crate) fn work(&self) -> PathBuf {
        self.folder.path().join("work")
    }

    pub(crate) async fn video(&self, id: Uuid) -> Video {
        let found = self.db.run_tx("test.get", async move |tx| video::get(tx, id).await).await;
        found.unwrap().unwrap()
    }

    pub(crate) async fn events(&self, id: Uuid) -> Vec<Numbered> {
        self.db
            .run_tx("test.events", async move |tx| event::since(tx, id, 0, 1000).await)
            .await
            .unwrap()
    }

    pub(crate) async fn renditions(&self, id: Uuid) -> Vec<Transcode> {
        self.db
            .run_tx("test.renditions", async move |tx| transcode::of_video(tx, id).await)
            .await
            .unwrap()
    }

    pub(crate) async fn segments(&self, row: &Transcode) -> Vec<Segment> {
        let id = row.id;
        self.db
            .run_tx("test.segments", async move |tx| segment::of_transcode(tx, id, 0, 1000).await)
            .await
            .unwrap()
    }

    /// Waits until the video is as wanted.
    pub(crate) async fn until(&self, id: Uuid, what: &str, is: impl Fn(&Video) -> bool) -> Video {
        let waited = async {
            loop {
                let video = self.video(id).await;
                if is(&video) {
                    return video;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        match tokio::time::timeout(PATIENCE, waited).await {
            Ok(video) => video,
            Err(_) => panic!("not {what} in time: {:?}", self.video(id).await),
        }
    }

    /// Waits until some segments of the picture are stored, but not all is done.
    pub(crate) async fn until_segments(&self, id: Uuid, at_least: i64) {
        let waited = async {
            loop {
                let counts = self
                    .db
                    .run_tx("test.counts", async move |tx| segment::counts(tx, id).await)
                    .await
                    .unwrap();
                if counts.iter().any(|(name, n)| name != transcode::AUDIO && *n >= at_least) {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(PATIENCE, waited).await.expect("no segment was stored in time");
    }

    /// Waits until so many stretches are being encoded.
    pub(crate) async fn until_encodes(&self, id: Uuid, at_least: i64) {
        let waited = async {
            loop {
                let running = async move |tx: &reelpin_schema::db::Tx| {
                    let row = tx
                        .opt(
                            "SELECT count(*) AS n FROM tasks WHERE video_id = $1
                                AND kind = 'encode' AND state = 'running'",
                            &[&id],
                        )
                        .await?;
                    Ok::<i64, DbError>(row.map_or(0, |row| row.get("n")))
                };
                if self.db.run_tx("test.running", running).await.unwrap() >= at_least {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(PATIENCE, waited).await.expect("nobody took a stretch over");
    }

    /// Lets the time of every lease pass.
    pub(crate) async fn expire_leases(&self) {
        self.db
            .run_tx("test.expire", async move |tx| {
                tx.exec(
                    "UPDATE tasks SET lease_until = now() - interval '1 s' WHERE state = 'running'",
                    &[],
                )
                .await
            })
            .await
            .unwrap();
    }

    /// How often each kind of task was tried.
    pub(crate) async fn attempts(&self, id: Uuid) -> Vec<(String, i64)> {
        self.db
            .run_tx("test.attempts", async move |tx| {
                let rows = tx
                    .all(
                        "SELECT kind, attempt FROM tasks WHERE video_id = $1 ORDER BY kind",
                        &[&id],
                    )
                    .await?;
                Ok::<_, DbError>(rows.iter().map(|r| (r.get("kind"), r.get("attempt"))).collect())
            })
            .await
            .unwrap()
    }
}
