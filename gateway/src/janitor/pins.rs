//! Telling the IPFS node and the pinning services what to let go of: the protocol of
//! `reelpin_schema::unpin`.

use std::time::Duration;

use futures_util::future::join_all;
use reelpin_schema::cid::Cid;
use reelpin_schema::ipfs::PIN;
use reelpin_schema::pin::NODE;
use reelpin_schema::unpin::{self, LOOSE, SENT, Unpin};
use reelpin_schema::{db::DbError, lease};
use uuid::Uuid;

use super::fence::before;
use super::patrol::Place;
use super::report::{Report, Thing};
use super::{Janitor, JanitorError, LEASE, NAME};

/// The most that is let go of in one round, all at once.
const ROUND: i64 = 8;

impl Janitor {
    /// Takes or prolongs the lease, and lets go of what is due. Returns whether this janitor leads.
    pub(super) async fn release(&mut self, report: &mut Report) -> Result<bool, JanitorError> {
        let (token, call) = (self.token, self.engines.ambient.uuid());
        let targets = self.targets();
        let sent = self.engines.ambient.now();
        let lead = self
            .engines
            .db
            .run_tx("janitor.lead", async move |tx| {
                if !lease::hold(tx, NAME, token, LEASE).await? {
                    return Ok::<_, DbError>(None);
                }
                let given_up = unpin::give_up(tx, &targets).await?;
                let taken = unpin::take(tx, call, &targets, ROUND).await?;
                Ok(Some((taken, given_up, lease::note(tx, NAME).await?)))
            })
            .await?;
        let Some((taken, given_up, note)) = lead else { return Ok(false) };
        self.place.get_or_insert_with(|| Place::read(note.as_deref()));
        for Unpin { target, cid } in given_up {
            tracing::warn!(
                "{target} goes on keeping {cid}: REELPIN_PIN_SERVICES has named no such service for a \
                 week, so nobody can tell it"
            );
        }
        let done = self.call(taken, sent, report).await;
        let stored = self.released(done, call).await;
        for unpin in report.noted(stored).unwrap_or_default() {
            report.add(Thing::of(&unpin), "no video that is there needs it");
        }
        Ok(true)
    }

    /// Who can be told.
    fn targets(&self) -> Vec<String> {
        let node = self.engines.node.iter().map(|_| NODE);
        node.chain(self.engines.services.names()).map(str::to_owned).collect()
    }

    /// Makes the calls; returns what was answered to.
    async fn call(&self, taken: Vec<Unpin>, sent: Duration, report: &mut Report) -> Vec<Unpin> {
        let (loose, pins): (Vec<_>, Vec<_>) =
            taken.into_iter().partition(|unpin| unpin.cid == LOOSE);
        let calls = pins.iter().map(|unpin| self.let_go(unpin, sent + SENT));
        let answers = join_all(calls).await;
        let mut done = Vec::new();
        for (unpin, answer) in pins.into_iter().zip(answers) {
            if report.noted(answer).is_some() {
                done.push(unpin);
            }
        }
        let Some(node) = &self.engines.node else { return done };
        for unpin in loose {
            let collected =
                before(sent + SENT + PIN, &self.engines.ambient, node.collect_garbage()).await;
            let answer = match collected {
                Some(answer) => answer.map_err(JanitorError::from),
                None => Err(JanitorError::Late),
            };
            if report.noted(answer).is_some() {
                done.push(unpin);
            }
        }
        done
    }

    async fn let_go(&self, unpin: &Unpin, until: Duration) -> Result<(), JanitorError> {
        let Ok(cid) = unpin.cid.parse::<Cid>() else {
            // Nobody can have pinned it.
            tracing::warn!(cid = unpin.cid, "what is to be unpinned is no content id");
            return Ok(());
        };
        let (node, services) = (&self.engines.node, &self.engines.services);
        let telling = async {
            match (unpin.target.as_str(), node, services.get(&unpin.target)) {
                (NODE, Some(node), _) => Ok(node.unpin(cid).await?),
                (_, _, Some(service)) => Ok(service.release(cid).await?),
                // `targets` names none such.
                (_, _, None) => Err(JanitorError::Late),
            }
        };
        before(until, &self.engines.ambient, telling).await.unwrap_or(Err(JanitorError::Late))
    }

    async fn released(&self, done: Vec<Unpin>, call: Uuid) -> Result<Vec<Unpin>, JanitorError> {
        if done.is_empty() {
            return Ok(done);
        }
        let (token, own_node) = (self.token, self.engines.own_node);
        let stored = self
            .engines
            .db
            .run_tx("janitor.released", async move |tx| {
                let mut stored = Vec::new();
                // Another janitor takes what is left, once no call of ours can arrive.
                if !lease::hold(tx, NAME, token, LEASE).await? {
                    return Ok::<_, DbError>(stored);
                }
                for unpin in &done {
                    if unpin::released(tx, unpin, call).await? {
                        stored.push(unpin.clone());
                    }
                }
                let left = |unpin: &Unpin| unpin.target == NODE && unpin.cid != LOOSE;
                if own_node && stored.iter().any(left) {
                    unpin::loosened(tx, NODE).await?;
                }
                Ok(stored)
            })
            .await?;
        Ok(stored)
    }

    /// Reports what [`Janitor::release`] would let go of.
    pub(super) async fn would_release(&self, report: &mut Report) -> Result<(), JanitorError> {
        let targets = self.targets();
        let due = self
            .engines
            .db
            .run_tx("janitor.due", async move |tx| unpin::due(tx, &targets, ROUND).await)
            .await?;
        for (unpin, in_use) in due {
            if !in_use {
                report.add(Thing::of(&unpin), "no video that is there needs it");
            }
        }
        Ok(())
    }
}
