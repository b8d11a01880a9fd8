//! A script: a world's parameters and the operations on it, as they are recorded, shrunk, kept and
//! replayed. An operation that does not apply any more is skipped.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Everything that one run needs to happen again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Script {
    /// What the world is like.
    pub world: World,
    /// What happens in it, in order. Then it settles.
    pub ops: Vec<Op>,
}

/// Parameters of a world.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct World {
    /// Where the actors' random bytes begin.
    pub seed: u64,
    /// Films that clients may upload: parameters of their originals.
    pub films: Vec<Film>,
    /// How many workers, 2 or more.
    pub workers: usize,
    /// How many gateways, each with a relay and a janitor of its own.
    pub gateways: usize,
    /// Whether presigned addresses take one PUT only.
    pub once: bool,
    /// Keys of a page of a listing.
    pub page: usize,
    /// Whether it runs until tombstones are gone.
    pub tombstones: bool,
}

/// What an original is like.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Film {
    /// Films of the same number have the same bytes.
    pub number: u32,
    /// Seconds.
    pub seconds: u32,
    /// 1 or 2.
    pub rungs: u32,
    /// Whether it has sound.
    pub sound: bool,
    /// What is wrong with it.
    pub flaw: Flaw,
}

/// What is wrong with a film.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Flaw {
    /// Nothing.
    None,
    /// It is refused when it is probed.
    Refused,
    /// Its encode always fails, for a cause of ours.
    Broken,
    /// Its sound is not what its tables say: where it is copied, that fails in the middle.
    Sound,
    /// Its poster fails in the world's first half hour, and can be made when it is tried again.
    Poster,
}

/// What an operation does with an effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// Nothing: it happens.
    None,
    /// It does not happen, and its caller hears an error.
    Fail,
    /// It happens, and its caller hears an error.
    Lost,
    /// Its caller hears an error, and it happens later.
    Late,
    /// A transaction meets 40001 first.
    Conflict,
}

/// What a client does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Wish {
    /// Uploads a film.
    Upload {
        /// Which.
        film: usize,
        /// What it sends.
        sends: Sends,
        /// How often it says that it is complete.
        completes: u32,
    },
    /// Deletes a video.
    Delete(usize),
    /// Cancels a video.
    Cancel(usize),
    /// Retries a video.
    Retry(usize),
    /// Follows a video by its name.
    Follow(usize),
    /// Follows all videos.
    FollowAll,
}

/// What a client sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sends {
    /// The film.
    Film,
    /// The film, after a while.
    Late,
    /// Something of the same size that is no film.
    Noise,
    /// Nothing.
    Nothing,
}

/// One operation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Op {
    /// An effect of an actor has its turn: the `nth` that waits.
    Step {
        /// Who.
        actor: usize,
        /// Which of those that wait.
        nth: usize,
        /// What becomes of it.
        fault: Fault,
    },
    /// An actor dies, with its memory.
    Kill(usize),
    /// An actor that died begins anew.
    Start(usize),
    /// Time passes, in milliseconds.
    Pass(u64),
    /// A message arrives at every process.
    Deliver {
        /// Which of those under way.
        nth: usize,
        /// Whether it arrives another time too.
        twice: bool,
    },
    /// A message is lost.
    Drop(usize),
    /// Something that is under way happens.
    Land(usize),
    /// A client begins, at a gateway.
    Client {
        /// What it does.
        wish: Wish,
        /// Which gateway.
        gateway: usize,
    },
    /// A follower loses its connection; it comes back by itself, at another gateway.
    Disconnect(usize),
}

impl fmt::Display for Op {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&serde_json::to_string(self).map_err(|_| fmt::Error)?)
    }
}

impl fmt::Display for Script {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let world = serde_json::to_string(&self.world).map_err(|_| fmt::Error)?;
        writeln!(f, "{world}")?;
        self.ops.iter().try_for_each(|op| writeln!(f, "{op}"))
    }
}

impl std::str::FromStr for Script {
    type Err = serde_json::Error;

    /// Reads what `Display` wrote: the world's line, then one line for each operation.
    fn from_str(text: &str) -> Result<Self, serde_json::Error> {
        let mut lines = text.lines().filter(|line| !line.starts_with('#'));
        let world = serde_json::from_str(lines.next().unwrap_or_default())?;
        let ops = lines.filter(|line| !line.is_empty()).map(serde_json::from_str);
        Ok(Self { world, ops: ops.collect::<Result<_, _>>()? })
    }
}
