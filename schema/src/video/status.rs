//! The states of a video and who may leave them.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::db::DbError;

/// Where a video stands on its way from ticket to playback.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// A ticket was issued; nothing is stored yet.
    Pending,
    /// The original is stored.
    Uploaded,
    /// It was probed and planned; tasks are at work.
    Processing,
    /// Something can be watched.
    Playable,
    /// Every rendition, the poster and the final playlists are stored.
    Completed,
    /// It ended with a failure; what is stored stays playable.
    Failed,
    /// Someone stopped it.
    Cancelled,
    /// A tombstone.
    Deleted,
}

/// A step that the present state does not allow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a video that is {} cannot become {}", from.name(), to.name())]
pub struct BadStep {
    /// The present state.
    pub from: Status,
    /// The wanted state.
    pub to: Status,
}

/// `None`: already so, or past it; nothing to store and nothing to announce.
pub type Step = Result<Option<Status>, BadStep>;

impl Status {
    /// Every state.
    pub const ALL: [Self; 8] = [
        Self::Pending,
        Self::Uploaded,
        Self::Processing,
        Self::Playable,
        Self::Completed,
        Self::Failed,
        Self::Cancelled,
        Self::Deleted,
    ];

    /// The word in rows, messages and answers.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Uploaded => "uploaded",
            Self::Processing => "processing",
            Self::Playable => "playable",
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::Deleted => "deleted",
        }
    }

    /// Reads a stored word.
    ///
    /// # Errors
    /// [`DbError::Word`] when it is none of ours.
    pub fn from_name(word: &str) -> Result<Self, DbError> {
        Self::ALL
            .into_iter()
            .find(|s| s.name() == word)
            .ok_or_else(|| DbError::Word { what: "upload_status", word: word.to_owned() })
    }

    /// Whether tasks may still change it.
    pub const fn is_ended(self) -> bool {
        match self {
            Self::Completed | Self::Failed | Self::Cancelled | Self::Deleted => true,
            Self::Pending | Self::Uploaded | Self::Processing | Self::Playable => false,
        }
    }

    /// The original was found in the bucket.
    ///
    /// # Errors
    /// [`BadStep`] from an ended state.
    pub fn uploaded(self) -> Step {
        match self {
            Self::Pending => Ok(Some(Self::Uploaded)),
            Self::Uploaded | Self::Processing | Self::Playable | Self::Completed => Ok(None),
            Self::Failed | Self::Cancelled | Self::Deleted => {
                Err(BadStep { from: self, to: Self::Uploaded })
            }
        }
    }

    /// The probe's task planned it.
    ///
    /// # Errors
    /// [`BadStep`] unless it is uploaded, or already at work (a retry).
    pub fn planned(self) -> Step {
        match self {
            Self::Uploaded => Ok(Some(Self::Processing)),
            Self::Processing | Self::Playable => Ok(None),
            Self::Pending | Self::Completed | Self::Failed | Self::Cancelled | Self::Deleted => {
                Err(BadStep { from: self, to: Self::Processing })
            }
        }
    }

    /// One rung and the audio can be fetched.
    ///
    /// # Errors
    /// [`BadStep`] unless it is being processed.
    pub fn playable(self) -> Step {
        match self {
            Self::Processing => Ok(Some(Self::Playable)),
            Self::Playable | Self::Completed => Ok(None),
            Self::Pending | Self::Uploaded | Self::Failed | Self::Cancelled | Self::Deleted => {
                Err(BadStep { from: self, to: Self::Playable })
            }
        }
    }

    /// Everything planned is stored.
    ///
    /// # Errors
    /// [`BadStep`] unless it is being processed.
    pub fn completed(self) -> Step {
        match self {
            Self::Processing | Self::Playable => Ok(Some(Self::Completed)),
            Self::Completed => Ok(None),
            Self::Pending | Self::Uploaded | Self::Failed | Self::Cancelled | Self::Deleted => {
                Err(BadStep { from: self, to: Self::Completed })
            }
        }
    }

    /// It cannot be finished.
    ///
    /// # Errors
    /// [`BadStep`] from `completed`, `cancelled` and `deleted`.
    pub fn failed(self) -> Step {
        match self {
            Self::Pending | Self::Uploaded | Self::Processing | Self::Playable => {
                Ok(Some(Self::Failed))
            }
            Self::Failed => Ok(None),
            Self::Completed | Self::Cancelled | Self::Deleted => {
                Err(BadStep { from: self, to: Self::Failed })
            }
        }
    }

    /// Someone stops it.
    ///
    /// # Errors
    /// [`BadStep`] from `completed`, `failed` and `deleted`.
    pub fn cancelled(self) -> Step {
        match self {
            Self::Pending | Self::Uploaded | Self::Processing | Self::Playable => {
                Ok(Some(Self::Cancelled))
            }
            Self::Cancelled => Ok(None),
            Self::Completed | Self::Failed | Self::Deleted => {
                Err(BadStep { from: self, to: Self::Cancelled })
            }
        }
    }

    /// Someone asks for another try. To `processing`, or to `uploaded` when it was never planned; a
    /// completed one stays so while its poster or pins are tried again.
    ///
    /// # Errors
    /// [`BadStep`] unless it is completed, failed or was cancelled.
    pub fn retried(self, planned: bool) -> Step {
        let to = if planned { Self::Processing } else { Self::Uploaded };
        match self {
            Self::Failed | Self::Cancelled => Ok(Some(to)),
            Self::Completed => Ok(Some(Self::Completed)),
            Self::Pending | Self::Uploaded | Self::Processing | Self::Playable | Self::Deleted => {
                Err(BadStep { from: self, to })
            }
        }
    }

    /// Someone deletes it.
    ///
    /// # Errors
    /// None: every state may be left for `deleted`.
    pub fn deleted(self) -> Step {
        match self {
            Self::Deleted => Ok(None),
            Self::Pending
            | Self::Uploaded
            | Self::Processing
            | Self::Playable
            | Self::Completed
            | Self::Failed
            | Self::Cancelled => Ok(Some(Self::Deleted)),
        }
    }
}
