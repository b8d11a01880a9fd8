//! The index from a container's tables against ffprobe's packets: times, flags and sizes must be the same.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;

use reelpin_plan::container::{MAX_READ, Step, Walk};
use reelpin_plan::index::Packet;
use reelpin_plan::{Index, Probe, argv};

use crate::run::{ffprobe, run};

/// What a walk took.
#[derive(Debug, Default)]
pub(crate) struct Cost {
    pub reads: u32,
    pub bytes: u64,
}

fn probe(path: &Path) -> Probe {
    Probe::parse(&run(&argv::probe(path.to_str().unwrap())).stdout).unwrap()
}

/// Walks through a file; `None`: nothing is read of this container.
fn walk(path: &Path, probe: &Probe) -> Option<(Option<Index>, Cost)> {
    let file = File::open(path).unwrap();
    let size = file.metadata().unwrap().len();
    let mut walk = Walk::new(probe, size)?;
    let mut cost = Cost::default();
    let mut step = walk.start();
    loop {
        match step {
            Step::Done(index) => return Some((index, cost)),
            Step::Read { offset, length } => {
                assert!((1..=MAX_READ).contains(&length) && offset + length <= size);
                let mut bytes = vec![0; length as usize];
                file.read_exact_at(&mut bytes, offset).unwrap();
                cost.reads += 1;
                cost.bytes += length;
                step = walk.next(&bytes);
            }
        }
    }
}

/// What ffprobe tells of the same.
fn told(path: &Path, probe: &Probe) -> Option<Index> {
    let stream = probe.video.as_ref()?.stream.to_string();
    let lines = ffprobe("packet=pts,size,flags", &stream, path);
    let packets: Option<Vec<Packet>> = lines.iter().map(|line| {
        let mut fields = line.split(',');
        let pts = fields.next()?.parse().ok()?;
        let size = fields.next()?.parse().ok()?;
        let flags = fields.next()?;
        let has = |flag| flags.contains(flag);
        (!has('C')).then(|| Packet { pts, size, key: has('K'), discard: has('D') })
    }).collect();
    Index::new(packets?)
}

/// Compares; gives whether there is an index, and what it took.
#[track_caller]
fn same(path: &Path) -> Option<Cost> {
    let probe = probe(path);
    let (index, cost) = walk(path, &probe)?;
    let index = index?;
    let told = told(path, &probe);
    let name = path.file_name().unwrap().display();
    let told = told.unwrap_or_else(|| panic!("{name}: ffprobe gives no index"));
    let both = index.pts().iter().zip(told.pts()).position(|(one, other)| one != other);
    assert_eq!(
        (index.frames(), both, index.discards()),
        (told.frames(), None, told.discards()),
        "{name}: {:?} {:?}", &index.pts()[..5.min(index.frames())], &told.pts()[..5.min(told.frames())]
    );
    assert_eq!(index.groups(), told.groups(), "{name}");
    Some(cost)
}

#[test]
fn tmp_real() {
    for entry in std::fs::read_dir(std::env::var("REELPIN_TEST_MEDIA").unwrap()).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|e| e != "md") {
            let r = std::panic::catch_unwind(|| same(&path));
            println!("{} {r:?}", path.display());
        }
    }
}
