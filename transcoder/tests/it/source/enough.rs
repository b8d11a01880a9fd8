//! An encode of which nobody wants the rest.

use futures_util::future::join;
use reelpin_plan::{Options, Plan, Run};
use reelpin_transcoder::confine::Toolbox;
use reelpin_transcoder::encoder::{Encoder as _, Ffmpeg, Made};
use tokio::sync::mpsc;

use super::programs::made;
use super::stand::Stand;

/// One rung waits for its taker, another is within a segment: what the program makes of its broken pipes is no error.
#[tokio::test(flavor = "multi_thread")]
async fn an_encode_that_nobody_takes_ends_well_wherever_its_rungs_are() {
    let stand = Stand::open().await;
    let words = "-f lavfi -i testsrc2=s=1280x720:r=25:d=60 -c:v libx264 -preset ultrafast -pix_fmt yuv420p -g 300";
    let film = made(stand.folder.path(), "film.mp4", words);
    let video = stand.original(std::fs::read(film).unwrap()).await;
    let toolbox = Toolbox::find(&std::env::var_os("PATH").unwrap()).unwrap();
    let encoder = Ffmpeg::start(toolbox, &stand.folder.path().join("encoder")).unwrap();
    let bucket = &stand.bucket.client;
    let probed = encoder.probe(bucket, &video).await.unwrap();
    let plan = Plan::new(&probed.probe, probed.index.as_ref(), &Options::default()).unwrap();
    let picture = plan.video.as_ref().unwrap();
    let run = Run::rest(picture, picture.stretches().next().unwrap(), |_| 0).unwrap();
    assert_eq!(run.parts.len(), 2);

    let (full, waiting) = mpsc::channel(1);
    let (out, mut made) = mpsc::channel(1);
    let taken = async move {
        assert!(matches!(made.recv().await, Some(Made::Init { .. })));
        assert!(matches!(made.recv().await, Some(Made::Segment(_))));
        drop((waiting, made));
    };
    let (ended, ()) =
        join(encoder.encode(bucket, &video, &plan, &run, vec![full, out]), taken).await;
    ended.unwrap();
    encoder.close().await;
}
