//! The task `pin_service`: has a pinning service keep what the node has by now, and believes that it is
//! kept when the service says so of our content id.
//!
//! A service takes minutes or hours: the task never waits for it, but is put off and looks again. The
//! request's id is in the pin's row. One whose answer was lost, or that was made by a worker which died
//! before it could store it, is found among the service's requests for the content.

use reelpin_schema::cid::Cid;
use reelpin_schema::event::{self, Event};
use reelpin_schema::failure::Failure;
use reelpin_schema::pin::{self, NODE, Pin, State};
use reelpin_schema::pinning::{Fault, Request, Service, ServiceError, Status, dialable};
use reelpin_schema::task::{self, Lease};

use super::pin::is_clear;
use crate::error::{Cause, TaskError};
use crate::work::Work;

/// The shortest pause between two looks at a request.
const SOON: time::Duration = time::Duration::seconds(10);

/// The longest.
const LATE: time::Duration = time::Duration::minutes(10);

/// The longest pause while the node pins the content.
const NODE_DONE: time::Duration = time::Duration::minutes(1);

/// How often a task whose settings are wrong is tried: a token may be refused by mistake once.
const SETTINGS: i64 = 5;

/// What a task stands before.
struct Begun {
    pin: Pin,
    /// How long it is since the pin's state or request changed.
    age: time::Duration,
    /// Where the node's own pin of the same content stands.
    node: Option<State>,
}

pub(super) async fn run(work: &Work, lease: &Lease) -> Result<(), TaskError> {
    let begun = begin(work, lease).await?;
    let done = go_on(work, lease, &begun).await;
    let Err(TaskError::Ours(Cause::Service(error))) = done else { return done };
    note(work, lease, &error).await?;
    match error.fault() {
        Fault::Later(wait) => {
            let wait = wait.and_then(|wait| time::Duration::try_from(wait).ok());
            tracing::info!(video.id = %lease.video(), "{error}; it is asked again later");
            Err(TaskError::Later(wait.unwrap_or_else(|| pause(begun.age)).max(SOON)))
        }
        Fault::Settings if lease.failures() + 1 >= SETTINGS => {
            tracing::error!(video.id = %lease.video(), "{error}");
            Err(TaskError::Theirs(Failure::new(
                "pin_settings",
                error.to_string(),
                "Correct the settings of the pinning service, restart, and retry the video.",
            )))
        }
        Fault::Settings | Fault::Service => Err(error.into()),
    }
}

/// The next step of a pin.
async fn go_on(work: &Work, lease: &Lease, begun: &Begun) -> Result<(), TaskError> {
    let (pin, services) = (&begun.pin, &work.engines.services);
    // Whoever has waited for long waits longer: a thousand that wait for a slow service ask seldom.
    let Some(turn) = services.turn(&pin.target)? else {
        return Err(TaskError::Later(pause(begun.age)));
    };
    match begun.node {
        Some(State::Pinned) => {}
        // The node's task makes this one ready when it is done, but not while it runs.
        Some(State::Queued | State::Pinning) => {
            return Err(TaskError::Later(pause(begun.age).min(NODE_DONE)));
        }
        Some(State::Failed) | None => {
            return Err(Cause::Row("the node has not pinned what a service is to fetch").into());
        }
    }
    let service = &turn.service;
    let cid: Cid = pin.cid.parse()?;
    let standing = match found(service, pin, cid).await? {
        Some(request) => request,
        None => ask(work, service, pin, cid).await?,
    };
    let known = pin.request.as_deref() == Some(standing.id.as_str());
    if !known || pin.error.is_some() {
        store(work, lease, pin, Some(standing.id.clone())).await?;
    }
    match standing.status {
        Status::Pinned => finish(work, lease, pin).await,
        Status::Queued | Status::Pinning => {
            meet(work, service, &standing).await;
            let fresh = pin.request.is_none();
            Err(TaskError::Later(if fresh { SOON } else { pause(begun.age) }))
        }
        Status::Failed => {
            // Then the next attempt finds none, and asks anew.
            service.remove(&standing.id).await?;
            store(work, lease, pin, None).await?;
            let said = standing.details().unwrap_or_default();
            Err(ServiceError::Failed { service: service.name().into(), said }.into())
        }
    }
}

/// Reads the task's pin, and notes that it is being made.
async fn begin(work: &Work, lease: &Lease) -> Result<Begun, TaskError> {
    let held = lease.clone();
    let found = work
        .db()
        .run_tx("pin_service.begin", async move |tx| {
            task::guard(tx, &held).await?;
            let pins = pin::of_video(tx, held.video()).await?;
            let Some(pin) = pins.iter().find(|pin| pin.is_of(held.kind(), held.place())) else {
                return Ok(None);
            };
            is_clear(tx, pin).await?;
            let node = pins.iter().find(|at| at.target == NODE && at.cid == pin.cid);
            let begun = Begun {
                pin: pin.clone(),
                age: tx.now() - pin.updated_at,
                node: node.map(|node| node.state),
            };
            if pin.state != State::Pinned {
                pin::set_state(tx, held.video(), pin, State::Pinning).await?;
            }
            Ok::<_, TaskError>(Some(begun))
        })
        .await?;
    Ok(found.ok_or(Cause::Row("the task's pin is gone"))?)
}

/// Our request for the pin at the service: the one that its row names, or one of which the row never
/// heard.
async fn found(service: &Service, pin: &Pin, cid: Cid) -> Result<Option<Request>, ServiceError> {
    if let Some(id) = &pin.request {
        let standing = service.look(id, cid).await?;
        if standing.is_some() {
            return Ok(standing);
        }
    }
    Ok(service.find(cid).await?.into_iter().next())
}

/// Makes a request; the service is told where the node can be dialled, as far as the node knows it.
async fn ask(work: &Work, service: &Service, pin: &Pin, cid: Cid) -> Result<Request, TaskError> {
    let node = work.engines.node.as_ref().ok_or(Cause::Row("no IPFS node is configured"))?;
    let known = node.addresses().await.unwrap_or_else(|error| {
        tracing::warn!("the node does not tell its addresses to {}: {error}", service.name());
        Vec::new()
    });
    Ok(service.add(cid, pin.role, &dialable(&known, service.is_near())).await?)
}

/// Connects the node to the service's nodes, as far as it can: they may not be able to dial it. A
/// service elsewhere names no address of this network.
async fn meet(work: &Work, service: &Service, request: &Request) {
    let Some(node) = &work.engines.node else { return };
    let named: Vec<String> = request.delegates().map(str::to_owned).collect();
    let peers = dialable(&named, service.is_near());
    let calls = peers.iter().map(|peer| async move { (peer, node.connect(peer).await) });
    for (peer, met) in futures_util::future::join_all(calls).await {
        if let Err(error) = met {
            tracing::debug!(peer, "the node does not reach a service's node: {error}");
        }
    }
}

/// Stores the id of the request that stands, if any.
async fn store(
    work: &Work,
    lease: &Lease,
    pin: &Pin,
    request: Option<String>,
) -> Result<(), TaskError> {
    let (held, pin) = (lease.clone(), pin.clone());
    let stored = work.db().run_tx("pin_service.request", async move |tx| {
        pin::request(tx, &held, &pin, request.as_deref()).await
    });
    Ok(stored.await?)
}

/// Records that the service keeps the pin.
async fn finish(work: &Work, lease: &Lease, pin: &Pin) -> Result<(), TaskError> {
    let (held, pin) = (lease.clone(), pin.clone());
    work.db()
        .run_tx("pin_service.finish", async move |tx| {
            task::finish(tx, &held).await?;
            is_clear(tx, &pin).await?;
            pin::pinned(tx, held.video(), &pin).await?;
            let pinned = Event::Pinned { target: pin.target.clone(), cid: pin.cid.clone() };
            event::append(tx, held.video(), &pinned).await?;
            Ok(())
        })
        .await
}

/// Notes what stands in the way, for whoever looks at the video.
async fn note(work: &Work, lease: &Lease, error: &ServiceError) -> Result<(), TaskError> {
    let (held, words) = (lease.clone(), error.to_string());
    let noted = work.db().run_tx("pin_service.note", async move |tx| {
        task::guard(tx, &held).await?;
        pin::note(tx, held.video(), held.kind(), held.place(), &words).await
    });
    Ok(noted.await?)
}

/// How long to wait for what has been under way for so long: half as long again.
fn pause(age: time::Duration) -> time::Duration {
    time::Duration::clamp(age / 2, SOON, LATE)
}
