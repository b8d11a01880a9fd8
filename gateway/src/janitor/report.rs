//! What a janitor did, or would do.

use std::collections::BTreeMap;
use std::fmt;

use reelpin_schema::unpin::{LOOSE, Unpin};
use uuid::Uuid;

use super::{JanitorError, Mode};

/// Something that goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Thing {
    /// An object of the bucket.
    Object {
        /// Its key.
        key: String,
        /// Bytes.
        size: u64,
    },
    /// A pin of an IPFS node.
    Pin {
        /// Which node or service.
        target: String,
        /// The content id.
        cid: String,
    },
    /// Blocks of an IPFS node that no pin holds.
    Blocks {
        /// Which node.
        target: String,
    },
    /// The wait for an upload, of this video.
    Upload(Uuid),
    /// Finished tasks.
    Tasks {
        /// Their video.
        video: Uuid,
        /// How many.
        count: u64,
    },
    /// What tells a deleted video apart from one that never was.
    Tombstone(Uuid),
}

impl Thing {
    pub(super) fn of(unpin: &Unpin) -> Self {
        let target = unpin.target.clone();
        if unpin.cid == LOOSE {
            return Self::Blocks { target };
        }
        Self::Pin { target, cid: unpin.cid.clone() }
    }

    const fn plural(&self) -> &'static str {
        match self {
            Self::Object { .. } => "objects",
            Self::Pin { .. } => "pins",
            Self::Blocks { .. } => "nodes' loose blocks",
            Self::Upload(_) => "awaited uploads",
            Self::Tasks { .. } => "videos' tasks",
            Self::Tombstone(_) => "tombstones",
        }
    }
}

impl fmt::Display for Thing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Object { key, size } => write!(f, "object {key} ({size} bytes)"),
            Self::Pin { target, cid } => write!(f, "pin of {cid} at {target}"),
            Self::Blocks { target } => write!(f, "blocks of {target} that no pin holds"),
            Self::Upload(video) => write!(f, "awaited upload of {video}"),
            Self::Tasks { video, count } => write!(f, "{count} tasks of {video}"),
            Self::Tombstone(video) => write!(f, "tombstone of {video}"),
        }
    }
}

/// Something that goes, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// What.
    pub thing: Thing,
    /// Why.
    pub why: &'static str,
}

impl fmt::Display for Item {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.thing, self.why)
    }
}

/// What a round did, or would have done. A round is bounded, and so is this.
#[derive(Debug)]
pub struct Report {
    /// Whether it was done, or would be.
    pub mode: Mode,
    /// Whether this janitor is the one that works; a dry one never is.
    pub leading: bool,
    /// Whether this round ended a walk through everything.
    pub walked: bool,
    /// What went.
    pub items: Vec<Item>,
    /// What stood in its way first.
    pub trouble: Option<JanitorError>,
}

impl Report {
    pub(super) const fn new(mode: Mode) -> Self {
        Self { mode, leading: false, walked: false, items: Vec::new(), trouble: None }
    }

    pub(super) fn add(&mut self, thing: Thing, why: &'static str) {
        self.items.push(Item { thing, why });
    }

    /// Takes what went well; what did not is noted.
    pub(super) fn noted<T>(&mut self, result: Result<T, JanitorError>) -> Option<T> {
        match result {
            Ok(value) => Some(value),
            Err(trouble) => {
                self.trouble.get_or_insert(trouble);
                None
            }
        }
    }

    /// Logs it: a sentence for each kind of thing, and every thing for who wants to know all.
    pub(super) fn tell(&self) {
        let word = match self.mode {
            Mode::Wet => "removed",
            Mode::Dry => "would remove",
        };
        let mut kinds = BTreeMap::<_, Vec<&Thing>>::new();
        for item in &self.items {
            tracing::debug!("{word} {item}");
            kinds.entry((item.thing.plural(), item.why)).or_default().push(&item.thing);
        }
        for ((plural, why), things) in kinds {
            match things.as_slice() {
                [thing] => tracing::info!("{word} {thing}: {why}"),
                all => tracing::info!("{word} {} {plural}: {why}", all.len()),
            }
        }
    }
}
