//! A client that does not read.

use reelpin_schema::event::{self, Event};
use reelpin_schema::failure::Failure;

use crate::scaffold::{Film, Socket, Stage};

/// More than loopback's buffers hold, in few events.
const EVENTS: usize = 24;

#[tokio::test]
async fn is_cut_while_others_hear_everything() -> anyhow::Result<()> {
    let stage = Stage::new().await?;
    let film = Film::planned(&stage).await?;
    let mut slow = Socket::open(&stage, &format!("?video_id={}", film.id)).await?;
    assert_eq!(slow.brief().await?, "snapshot 3 processing");
    let id = film.id;
    for _ in 0..EVENTS {
        let big = Event::Failed(Failure::new("big", "x".repeat(1 << 20), "none"));
        let step = async move |tx: &reelpin_schema::db::Tx| event::append(tx, id, &big).await;
        stage.db.run_tx("test.big", step).await?;
    }
    stage.queue.video_changed(id).await;
    let mut quick = Socket::open(&stage, &format!("?video_id={id}&since=3")).await?;
    assert_eq!(quick.briefs(1 + EVENTS).await?.last().map(String::as_str), Some("event 27 failed"));
    // The time itself is what is tested: nothing is read for longer than a message may wait, 10 s.
    // What is heard afterwards ends early, with the code where it still fits.
    tokio::time::sleep(std::time::Duration::from_secs(14)).await;
    let mut heard = 0;
    let end = loop {
        match slow.brief().await {
            Ok(_) => heard += 1,
            Err(_) => break slow.closed().await?,
        }
    };
    assert!(heard < EVENTS, "heard {heard}");
    assert!(matches!(end, None | Some(4408)), "{end:?}");
    Ok(())
}
