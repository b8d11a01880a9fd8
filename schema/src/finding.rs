//! What was found out about an engine by trying it, for people.

use std::fmt;

/// How a trial went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Verdict {
    /// As Reelpin wants it.
    Works,
    /// It is not there, and Reelpin does without, at the price that the words tell.
    Missing,
    /// Reelpin cannot work so.
    Broken,
}

/// One capability of an engine, tried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What was tried, in a few words.
    pub what: &'static str,
    /// How it went.
    pub verdict: Verdict,
    /// What was seen, and, unless it works, what that means or what to do.
    pub words: String,
}

impl Finding {
    /// It works.
    pub fn works(what: &'static str, words: impl Into<String>) -> Self {
        Self { what, verdict: Verdict::Works, words: words.into() }
    }

    /// It is missing, and that costs something.
    pub fn missing(what: &'static str, words: impl Into<String>) -> Self {
        Self { what, verdict: Verdict::Missing, words: words.into() }
    }

    /// Reelpin cannot work so.
    pub fn broken(what: &'static str, words: impl Into<String>) -> Self {
        Self { what, verdict: Verdict::Broken, words: words.into() }
    }
}

/// An error with its causes, which the SDK's own words leave out.
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut words = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        let next = inner.to_string();
        if !words.contains(&next) {
            words = format!("{words}: {next}");
        }
        cause = inner.source();
    }
    words
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Works => "works",
            Self::Missing => "missing",
            Self::Broken => "broken",
        })
    }
}
