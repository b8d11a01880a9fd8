//! The walk through the bucket and the table of videos, a page at a time.

use std::collections::BTreeMap;

use reelpin_schema::bucket::Listed;
use reelpin_schema::db::DbError;
use reelpin_schema::keys::AREAS;
use reelpin_schema::{lease, video};

use super::judge::{self, Facts};
use super::report::{Report, Thing};
use super::{Janitor, JanitorError, LEASE, Mode, NAME};

/// How far a walk has come. The areas of the bucket come first, then the table of videos.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Place {
    area: usize,
    /// The last key or video that was looked at.
    after: Option<String>,
}

impl Place {
    /// Reads a note; the beginning when it is none of this version.
    pub(super) fn read(note: Option<&str>) -> Self {
        let read = || {
            let (area, after) = note?.split_once(' ')?;
            let area = area.parse().ok().filter(|area| *area <= AREAS.len())?;
            Some(Self { area, after: Some(after.to_owned()).filter(|after| !after.is_empty()) })
        };
        read().unwrap_or_default()
    }

    fn note(&self) -> String {
        format!("{} {}", self.area, self.after.as_deref().unwrap_or_default())
    }

    fn next_area(&mut self) {
        *self = Self { area: self.area + 1, after: None };
    }
}

impl Janitor {
    /// Looks at the next page that holds anything. Returns whether everything was looked at.
    pub(super) async fn patrol(&mut self, report: &mut Report) -> Result<bool, JanitorError> {
        let mut place = self.place.clone().unwrap_or_default();
        while let Some(area) = AREAS.get(place.area) {
            let page = self.engines.bucket.list(area, place.after.as_deref()).await?;
            let Some(last) = page.last().map(|last| last.key.clone()) else {
                place.next_area();
                continue;
            };
            self.look_at(&page, report).await?;
            place.after = Some(last);
            self.note(place).await?;
            return Ok(false);
        }
        let last = self.look_at_videos(place.after.as_deref(), report).await?;
        let walked = last.is_none();
        if walked {
            // Last, so that what follows from it is the next walk's.
            let expired = self.expire_uploads(report).await;
            report.noted(expired);
        }
        let place = last.map_or_else(Place::default, |last| Place { after: Some(last), ..place });
        self.note(place).await?;
        Ok(walked)
    }

    /// Removes what nobody needs of a page of objects. The rows are read after the listing.
    async fn look_at(&self, page: &[Listed], report: &mut Report) -> Result<(), JanitorError> {
        let (videos, keys) = (judge::videos(page), page.iter().map(|o| o.key.clone()).collect());
        let facts = self.facts(videos, keys).await?;
        let mut needless = Vec::new();
        for object in page {
            if let Some(reason) = judge::needless(object, &facts) {
                needless.push((object, reason));
            }
        }
        if needless.is_empty() {
            return Ok(());
        }
        if self.mode == Mode::Wet {
            let keys: Vec<String> = needless.iter().map(|(object, _)| object.key.clone()).collect();
            self.engines.bucket.delete(&keys).await?;
        }
        for (object, reason) in needless {
            report
                .add(Thing::Object { key: object.key.clone(), size: object.size }, reason.words());
        }
        Ok(())
    }

    async fn facts(&self, ids: Vec<uuid::Uuid>, keys: Vec<String>) -> Result<Facts, DbError> {
        let facts = self
            .engines
            .db
            .run_tx("janitor.facts", async move |tx| {
                let (videos, named) = video::named(tx, &ids, &keys).await?;
                let videos: BTreeMap<_, _> =
                    videos.into_iter().map(|video| (video.id, video)).collect();
                Ok::<_, DbError>(Facts { now: tx.now(), videos, named })
            })
            .await?;
        #[cfg(feature = "planted")]
        let facts = facts.planted();
        Ok(facts)
    }

    /// Notes how far the walk has come.
    async fn note(&mut self, place: Place) -> Result<(), JanitorError> {
        if self.mode == Mode::Wet {
            let (token, note) = (self.token, place.note());
            self.engines
                .db
                .run_tx("janitor.note", async move |tx| {
                    if lease::hold(tx, NAME, token, LEASE).await? {
                        lease::set_note(tx, NAME, token, Some(&note)).await?;
                    }
                    Ok::<_, DbError>(())
                })
                .await?;
        }
        self.place = Some(place);
        Ok(())
    }
}

#[cfg(feature = "planted")]
impl Facts {
    /// The fault of a janitor that takes attempts for closed that are open.
    fn planted(mut self) -> Self {
        use reelpin_schema::planted::{Bug, is};

        if is(Bug::OpenKeys) {
            let long_ago = self.now - time::Duration::days(1);
            for attempt in self.videos.values_mut().flat_map(|video| &mut video.attempts) {
                attempt.1 = Some(long_ago);
            }
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_read_as_it_was_noted() {
        let place = Place { area: 1, after: Some("orig/a/b".to_owned()) };
        assert_eq!(Place::read(Some(&place.note())), place);
        let next = Place { area: 2, after: None };
        assert_eq!(Place::read(Some(&next.note())), next);
        for bad in [None, Some(""), Some("media/"), Some("9 x"), Some("-1 x")] {
            assert_eq!(Place::read(bad), Place::default());
        }
    }
}
