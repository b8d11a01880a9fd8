//! Videos that a worker leaves to others for a while: what it made of them does not fit what others made.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use reelpin_schema::task::Kind;
use uuid::Uuid;

/// How long others may have it: about as long as the stretch takes that they are at.
const LEFT: Duration = Duration::from_secs(60);

/// The most that are remembered.
const MANY: usize = 64;

/// A video, what was to be made of it, and since when it is left to others, by the process's clock.
type Left = (Uuid, Kind, Duration);

/// What is left to others.
#[derive(Debug, Default)]
pub(crate) struct Shunned(Mutex<VecDeque<Left>>);

impl Shunned {
    /// Leaves tasks of this kind of a video to others from `now` on.
    pub(crate) fn add(&self, video: Uuid, kind: Kind, now: Duration) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.push_back((video, kind, now));
        if all.len() > MANY {
            all.pop_front();
        }
    }

    /// The videos of which something of these kinds is left to others at `now`.
    pub(crate) fn at(&self, now: Duration, kinds: &[Kind]) -> Vec<Uuid> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|(_, _, since)| now.saturating_sub(*since) < LEFT);
        let left = all.iter().filter(|(_, kind, _)| kinds.contains(kind));
        left.map(|(video, ..)| *video).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn for_a_while_and_not_for_ever() {
        let (shunned, second) = (Shunned::default(), Duration::from_secs(1));
        let (one, other) = (Uuid::new_v4(), Uuid::new_v4());
        let kinds = [Kind::Encode];
        shunned.add(one, Kind::Encode, second);
        shunned.add(other, Kind::Encode, 50 * second);
        assert_eq!(shunned.at(50 * second, &kinds), vec![one, other]);
        assert!(shunned.at(50 * second, &[Kind::Audio]).is_empty());
        assert_eq!(shunned.at(61 * second, &kinds), vec![other]);
        assert!(shunned.at(110 * second, &kinds).is_empty());
        for _ in 0..=MANY {
            shunned.add(one, Kind::Encode, 110 * second);
        }
        assert_eq!(shunned.at(111 * second, &kinds).len(), MANY);
    }
}
