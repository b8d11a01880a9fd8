//! The kinds of tasks, their states and their bounds.

use crate::db::DbError;

/// What a task does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Reads the original's facts and plans what to make of it.
    Probe,
    /// Encodes the first segment of the lowest rung and of the sound, so that playback can begin.
    Starter,
    /// Encodes one stretch; its place is the sequence of the stretch's first segment.
    Encode,
    /// Copies the picture of a conforming original as the top rung.
    Copy,
    /// Encodes the sound.
    Audio,
    /// Takes a still picture.
    Poster,
    /// Computes checksum and content id of the original.
    Digest,
    /// Writes playlists and MP4s, and computes the published folder.
    Package,
    /// Brings a content id to an IPFS node; its place is that of the pin.
    Pin,
    /// Has a pinning service keep a content id; its place is that of the pin.
    PinService,
    /// Removes everything of a deleted video but its tombstone.
    Delete,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 11] = [
        Self::Probe,
        Self::Starter,
        Self::Encode,
        Self::Copy,
        Self::Audio,
        Self::Poster,
        Self::Digest,
        Self::Package,
        Self::Pin,
        Self::PinService,
        Self::Delete,
    ];

    /// The word in rows and logs.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Probe => "probe",
            Self::Starter => "starter",
            Self::Encode => "encode",
            Self::Copy => "copy",
            Self::Audio => "audio",
            Self::Poster => "poster",
            Self::Digest => "digest",
            Self::Package => "package",
            Self::Pin => "pin",
            Self::PinService => "pin_service",
            Self::Delete => "delete",
        }
    }

    /// Reads a stored word.
    ///
    /// # Errors
    /// [`DbError::Word`] when it is none of ours.
    pub fn from_name(word: &str) -> Result<Self, DbError> {
        Self::ALL
            .into_iter()
            .find(|k| k.name() == word)
            .ok_or_else(|| DbError::Word { what: "task kind", word: word.to_owned() })
    }

    /// How many attempts it gets before it is dead-lettered; those that met an engine that was away
    /// do not count. A starter that fails twice makes way for the stretch, which makes the same. A
    /// pin's last about a day with back-off. A deletion is never given up, since nobody could ask
    /// for it again.
    pub const fn max_attempts(self) -> i64 {
        match self {
            Self::Starter => 2,
            Self::Probe
            | Self::Encode
            | Self::Copy
            | Self::Audio
            | Self::Poster
            | Self::Digest
            | Self::Package => 5,
            Self::Pin | Self::PinService => 100,
            Self::Delete => i64::MAX / 2,
        }
    }

    /// Whether the video fails when this task is dead-lettered. A poster and a pin delay nothing, and
    /// what a starter makes, its stretch makes too.
    pub const fn fails_video(self) -> bool {
        match self {
            Self::Probe
            | Self::Encode
            | Self::Copy
            | Self::Audio
            | Self::Digest
            | Self::Package => true,
            Self::Starter | Self::Poster | Self::Pin | Self::PinService | Self::Delete => false,
        }
    }

    /// Whether a completed video can lack what this task makes.
    pub const fn is_extra(self) -> bool {
        matches!(self, Self::Poster | Self::Pin | Self::PinService)
    }
}

/// Where a task stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum State {
    /// Others must be done first.
    Waiting,
    /// Anyone may claim it from `ready_at` on.
    Ready,
    /// Someone holds its lease.
    Running,
    /// Finished.
    Done,
    /// Dead-lettered: out of attempts, or refused. Someone can look and retry.
    Dead,
    /// Its video was cancelled or deleted.
    Cancelled,
}

impl State {
    /// The word in rows.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Ready => "ready",
            Self::Running => "running",
            Self::Done => "done",
            Self::Dead => "dead",
            Self::Cancelled => "cancelled",
        }
    }

    /// An attempt ended without success, for a cause that another attempt may not meet.
    #[must_use]
    pub const fn missed(self, attempt: i64, max_attempts: i64) -> Self {
        match self {
            Self::Running if attempt < max_attempts => Self::Ready,
            Self::Running => Self::Dead,
            Self::Waiting | Self::Ready | Self::Done | Self::Dead | Self::Cancelled => self,
        }
    }
}
