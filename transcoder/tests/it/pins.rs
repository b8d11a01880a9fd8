//! A video kept by a node and by pinning services, each for itself.

mod shelf;

use std::time::Duration;

use reelpin_schema::db::DbError;
use reelpin_schema::ipfs::Node;
use reelpin_schema::pin::{self, Pin, State};
use reelpin_schema::pinning::{Config, Limits, Services};
use reelpin_schema::secret::Secret;
use reelpin_schema::video::{self, Status};
use reelpin_testing::{DELEGATE, Mood, PinningService, TOKEN, pinning_service};
use uuid::Uuid;

use crate::studio::Studio;
use shelf::{ADDRESS, Shelf};

/// The longest that a test waits for a pin.
const PATIENCE: Duration = Duration::from_secs(90);

fn services(named: &[(&str, &PinningService)]) -> Services {
    let configs: Vec<_> = named
        .iter()
        .map(|(name, remote)| Config {
            name: (*name).to_owned(),
            endpoint: remote.endpoint.clone(),
            token: Secret::new(TOKEN),
            original: false,
        })
        .collect();
    Services::new(&configs, Limits::default()).unwrap()
}

async fn a_sound(studio: &Studio) -> Uuid {
    studio.upload(&studio.clip("film.m4a", "-f lavfi -i sine=d=5 -c:a aac")).await
}

async fn pins(studio: &Studio, id: Uuid) -> Vec<Pin> {
    studio.db.run_tx("test.pins", async move |tx| pin::of_video(tx, id).await).await.unwrap()
}

/// Lets the pauses between two looks pass, until the pins are as wanted.
async fn until(studio: &Studio, id: Uuid, what: &str, is: impl Fn(&[Pin]) -> bool) -> Vec<Pin> {
    let waited = async {
        loop {
            let pins = pins(studio, id).await;
            if is(&pins) {
                return pins;
            }
            let hurry = async move |tx: &reelpin_schema::db::Tx| {
                tx.exec(
                    "UPDATE tasks SET ready_at = now() WHERE kind = 'pin_service'
                        AND state = 'ready' AND ready_at > now()",
                    &[],
                )
                .await
            };
            // A worker may be at it just now.
            let _: Result<u64, DbError> = studio.db.run_tx("test.hurry", hurry).await;
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    match tokio::time::timeout(PATIENCE, waited).await {
        Ok(pins) => pins,
        Err(_) => panic!("not {what} in time: {:?}", pins(studio, id).await),
    }
}

fn state(pins: &[Pin], target: &str) -> Option<State> {
    pins.iter().find(|pin| pin.target == target).map(|pin| pin.state)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_refuses_keeps_nobody_waiting_and_can_be_tried_again() {
    let studio = Studio::open().await;
    let (attic, cellar) = (pinning_service().await.unwrap(), pinning_service().await.unwrap());
    cellar.mood(Mood::Forbids);
    let shelf = Shelf::default();
    let all = services(&[("attic", &attic), ("cellar", &cellar)]);
    let worker = studio.worker_with(Some(Node::over(shelf.shared(), "shelf")), all);
    let id = a_sound(&studio).await;
    let video = studio.until(id, "completed", |v| v.status == Status::Completed).await;
    until(&studio, id, "asked for", |_| !attic.held().is_empty()).await;
    let asked = &attic.held()[0];
    assert_eq!(Some(&asked.cid), video.root_cid.as_ref());
    assert_eq!(asked.pin["origins"], serde_json::json!([ADDRESS]));
    attic.become_all("pinned");
    let settled = until(&studio, id, "settled", |pins| {
        state(pins, "attic") == Some(State::Pinned) && state(pins, "cellar") == Some(State::Failed)
    })
    .await;
    assert_eq!(state(&settled, "node"), Some(State::Pinned));
    assert_eq!(shelf.met(), [DELEGATE]);
    let words: Vec<_> =
        settled.iter().map(|pin| (pin.target.as_str(), pin.error.clone())).collect();
    let refused =
        "the token of pinning service cellar is refused (401): UNAUTHORIZED: the token has expired";
    let told = [("node", None), ("attic", None), ("cellar", Some(refused.to_owned()))];
    assert_eq!(words, told);
    assert_eq!(studio.video(id).await.status, Status::Completed);

    cellar.mood(Mood::Well);
    cellar.begin("pinned");
    studio.db.run_tx("test.retry", async move |tx| video::retry(tx, id).await).await.unwrap();
    let settled = until(&studio, id, "pinned everywhere", |pins| {
        pins.iter().all(|pin| pin.state == State::Pinned)
    })
    .await;
    assert!(settled.len() == 3 && settled.iter().all(|pin| pin.error.is_none()));
    worker.stop().await;
    assert_eq!((attic.held().len(), cellar.held().len()), (1, 1));
    let events = studio.events(id).await;
    assert_eq!(events.iter().filter(|event| event.name == "pinned").count(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_is_never_made_twice_but_anew_when_the_service_gave_it_up() {
    let studio = Studio::open().await;
    let attic = pinning_service().await.unwrap();
    attic.mood(Mood::Dies);
    let node = || Some(Node::over(Shelf::default().shared(), "shelf"));
    let worker = studio.worker_with(node(), services(&[("attic", &attic)]));
    let id = a_sound(&studio).await;
    studio.until(id, "completed", |v| v.status == Status::Completed).await;
    until(&studio, id, "found again", |pins| pins.iter().any(|pin| pin.request.is_some())).await;
    attic.mood(Mood::Well);
    assert_eq!(attic.held().len(), 1, "{:?}", attic.calls());

    let first = attic.held()[0].id.clone();
    attic.become_all("failed");
    let named = |pins: &[Pin]| pins.iter().find_map(|pin| pin.request.clone());
    let other = |pins: &[Pin]| named(pins).is_some_and(|id| id != first);
    until(&studio, id, "asked anew", other).await;
    assert_eq!(attic.held().len(), 1);

    // It forgets what it was asked for.
    let second = attic.held()[0].id.clone();
    attic.forget();
    attic.begin("pinned");
    let kept = |pins: &[Pin]| state(pins, "attic") == Some(State::Pinned);
    let settled = until(&studio, id, "pinned", kept).await;
    assert_ne!(named(&settled), Some(second));
    assert_eq!(attic.held().len(), 1);
    worker.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_the_settings_no_longer_name_is_told_of() {
    let studio = Studio::open().await;
    let attic = pinning_service().await.unwrap();
    attic.mood(Mood::Busy(Some(30)));
    let node = Node::over(Shelf::default().shared(), "shelf");
    let worker = studio.worker_with(Some(node.clone()), services(&[("attic", &attic)]));
    let id = a_sound(&studio).await;
    studio.until(id, "completed", |v| v.status == Status::Completed).await;
    let busy = |pins: &[Pin]| pins.iter().any(|pin| pin.error.is_some());
    let pins = until(&studio, id, "put off", busy).await;
    assert_eq!(state(&pins, "attic"), Some(State::Pinning));
    worker.stop().await;

    let worker = studio.worker_with(Some(node), Services::default());
    let failed = |pins: &[Pin]| state(pins, "attic") == Some(State::Failed);
    let pins = until(&studio, id, "failed", failed).await;
    let said = pins.iter().find_map(|pin| pin.error.clone());
    assert_eq!(said.as_deref(), Some("REELPIN_PIN_SERVICES names no service attic any more"));
    assert_eq!(state(&pins, "node"), Some(State::Pinned));
    worker.stop().await;
}
