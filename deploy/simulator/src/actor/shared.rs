//! What clients know, which outlives every process.

use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use uuid::Uuid;

use super::follower::{Follower, Line};
use crate::model;
use crate::script::Film;

/// What all clients of a world know.
pub struct Shared {
    originals: Vec<Bytes>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    videos: Vec<Uuid>,
    followers: Vec<Follower>,
    walks: u64,
}

impl Shared {
    /// Clients that have these films.
    pub fn new(films: &[Film]) -> Self {
        Self { originals: films.iter().map(model::original).collect(), state: Mutex::default() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A janitor has looked at everything once.
    pub fn walked(&self) {
        self.state().walks += 1;
    }

    /// How often one did.
    pub fn walks(&self) -> u64 {
        self.state().walks
    }

    /// The bytes of a film.
    pub fn original(&self, film: usize) -> Option<Bytes> {
        self.originals.get(film % self.originals.len().max(1)).cloned()
    }

    /// A ticket's video.
    pub fn know(&self, video: Uuid) {
        self.state().videos.push(video);
    }

    /// One of the videos.
    pub fn video(&self, nth: usize) -> Option<Uuid> {
        let state = self.state();
        (!state.videos.is_empty()).then(|| state.videos[nth % state.videos.len()])
    }

    /// How many videos there are.
    pub fn videos(&self) -> usize {
        self.state().videos.len()
    }

    /// A new follower.
    pub fn follow(&self, follower: Follower) {
        self.state().followers.push(follower);
    }

    /// A follower loses its connection and turns to the next gateway.
    pub fn disconnect(&self, nth: usize) -> bool {
        let mut state = self.state();
        let count = state.followers.len();
        if count == 0 {
            return false;
        }
        let follower = &mut state.followers[nth % count];
        let (Line::Open(gateway) | Line::Wanted(gateway)) = follower.line;
        follower.line = Line::Wanted(gateway + 1);
        true
    }

    /// A gateway's followers turn to the next.
    pub fn gateway_died(&self, gateway: usize) {
        for follower in &mut self.state().followers {
            if follower.line == Line::Open(gateway) {
                follower.line = Line::Wanted(gateway + 1);
            }
        }
    }

    /// Followers that want this one of so many gateways, by their numbers.
    pub fn wanting(&self, gateway: usize, gateways: usize) -> Vec<usize> {
        let state = self.state();
        let wants = |follower: &Follower| match follower.line {
            Line::Wanted(wanted) => wanted % gateways.max(1) == gateway,
            Line::Open(_) => false,
        };
        let all = state.followers.iter().enumerate();
        all.filter(|(_, follower)| wants(follower)).map(|(number, _)| number).collect()
    }

    /// Looks at a follower, or changes it.
    pub fn follower<T>(&self, number: usize, look: impl FnOnce(&mut Follower) -> T) -> Option<T> {
        self.state().followers.get_mut(number).map(look)
    }

    /// Every follower as it is.
    pub fn followers(&self) -> Vec<Follower> {
        self.state().followers.clone()
    }
}
