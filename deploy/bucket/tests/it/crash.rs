//! A process that is killed in the middle of its writes: what it acknowledged is there and whole,
//! nothing is torn, and the next start leaves no draft.
use std::collections::HashMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use reelpin_bucket::Bucket;

use super::request::{NAME, head, put, put_in_parts};

const FOLDER: &str = "REELPIN_BUCKET_CRASH_FOLDER";
const ROUND: &str = "REELPIN_BUCKET_CRASH_ROUND";
const ROUNDS: u32 = 12;
const WRITERS: u32 = 4;

/// The bytes of a generation: they begin with what they are, so that any file can be judged alone.
fn content(seed: u32) -> Vec<u8> {
    let size = 8 + seed.wrapping_mul(2_654_435_761) % 3_000_000;
    let mut bytes = seed.to_le_bytes().to_vec();
    bytes.extend(size.to_le_bytes());
    bytes.extend((8..size).map(|n| ((n ^ seed).wrapping_mul(2_654_435_761) >> 24) as u8));
    bytes
}

fn seed(bytes: &[u8]) -> Option<u32> {
    let seed = u32::from_le_bytes(bytes.get(..4)?.try_into().ok()?);
    (content(seed) == bytes).then_some(seed)
}

/// The process that is killed; run by the test below and by nobody else.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "the child of another test"]
async fn writer() {
    let Some(folder) = std::env::var_os(FOLDER) else { return };
    let round: u32 = std::env::var_os(ROUND).unwrap().into_string().unwrap().parse().unwrap();
    let bucket = Bucket::open(Path::new(&folder), NAME).unwrap();
    let writing = (0..WRITERS).map(async |writer| {
        for n in 0.. {
            let seed = (round * WRITERS + writer) * 10_000 + n;
            // New objects in new folders, and one that is replaced again and again.
            let key = match n % 3 {
                0 => format!("same/{writer}"),
                _ => format!("new/{round}-{writer}/{}/{n}", n % 7),
            };
            if n % 10 == 9 {
                let mut first = content(seed);
                first.resize(5 << 20, 7);
                put_in_parts(&bucket, &format!("parts/{writer}"), [first, vec![7; 9]])
                    .await
                    .unwrap();
            }
            put(&bucket, &key, content(seed)).await.unwrap();
            writeln!(std::io::stdout().lock(), "stored {key} {seed}").unwrap();
        }
    });
    futures_util::future::join_all(writing).await;
}

/// Runs the writer until it is killed after `life`; gives what it acknowledged.
fn killed(folder: &Path, round: u32, life: Duration) -> HashMap<String, u32> {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", "crash::writer", "--nocapture"])
        .env(FOLDER, folder)
        .env(ROUND, round.to_string())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap());
    let reading = std::thread::spawn(move || {
        let mut stored = HashMap::new();
        for line in lines.lines() {
            let line = line.unwrap();
            // The harness writes its own words before the first.
            let Some((_, line)) = line.split_once("stored ") else { continue };
            // The last line may be torn; its object counts as not acknowledged.
            if let Some((key, seed)) = line.split_once(' ')
                && let Ok(seed) = seed.parse()
            {
                stored.insert(key.to_owned(), seed);
            }
        }
        stored
    });
    std::thread::sleep(life);
    child.kill().unwrap();
    child.wait().unwrap();
    reading.join().unwrap()
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found
}

#[tokio::test]
async fn what_was_acknowledged_is_whole() {
    let folder = tempfile::tempdir().unwrap();
    let mut acknowledged: HashMap<String, u32> = HashMap::new();
    let mut left = 0;
    for round in 0..ROUNDS {
        let life = Duration::from_millis(400 + u64::from(round * 37 % 11) * 70);
        acknowledged.extend(killed(folder.path(), round, life));
        left += files(&folder.path().join(".reelpin/drafts")).len();
        let bucket = Bucket::open(folder.path(), NAME).unwrap();
        assert_eq!(files(&folder.path().join(".reelpin/drafts")), Vec::<PathBuf>::new());
        let objects = folder.path().join(NAME);
        for path in files(&objects) {
            let key = path.strip_prefix(&objects).unwrap().to_str().unwrap().to_owned();
            let bytes = std::fs::read(&path).unwrap();
            let about = head(&bucket, &key).await.unwrap();
            assert_eq!(about.content_length, i64::try_from(bytes.len()).ok(), "{key}");
            let tag = about.e_tag.unwrap().into_value();
            if key.starts_with("parts/") {
                assert_eq!(bytes.len(), (5 << 20) + 9, "{key}");
                assert!(tag.ends_with("-2"), "{key}: {tag}");
                continue;
            }
            let seed = seed(&bytes).unwrap_or_else(|| panic!("{key} is torn"));
            // The record is that of these bytes, not of others with this key.
            assert_eq!(about.content_type.as_deref(), Some("video/mp4"), "{key}");
            assert_eq!(tag, md5(&bytes), "{key}");
            if let Some(last) = acknowledged.remove(&key) {
                assert!(seed >= last, "{key}: {last} was acknowledged, {seed} is there");
                acknowledged.insert(key, last);
            }
        }
        for key in acknowledged.keys() {
            assert!(objects.join(key).is_file(), "{key} was acknowledged and is not there");
        }
    }
    println!("{} acknowledged, {left} drafts were left by {ROUNDS} crashes", acknowledged.len());
    assert!(acknowledged.len() > 20);
}

fn md5(bytes: &[u8]) -> String {
    use md5::Digest as _;
    data_encoding::HEXLOWER.encode(&md5::Md5::digest(bytes))
}
