//! MP4s put together from stored segments, where all is well and where the bucket holds something else.

use reelpin_schema::cid::Checksum;
use reelpin_schema::transcode::Format;
use reelpin_schema::video::Status;
use reelpin_transcoder::confine::Toolbox;
use reelpin_transcoder::encoder::{Encoder as _, Ffmpeg, Hls};
use reelpin_transcoder::{Cause, TaskError};

use crate::studio::Studio;

/// Eight seconds: several segments of each rendition.
const FILM: &str = "-f lavfi -i testsrc2=s=640x360:r=25:d=8 -f lavfi -i sine=d=8 \
     -c:v libx264 -preset ultrafast -g 50 -bf 2 -c:a aac -shortest";

/// The picture and the sound of a film that is whole.
async fn made(studio: &Studio) -> (Hls, Hls) {
    let film = studio.clip("film.mp4", FILM);
    let id = studio.upload(&film).await;
    let worker = studio.worker();
    studio.until(id, "completed", |v| v.status == Status::Completed).await;
    worker.stop().await;
    let mut found = Vec::new();
    for row in studio.renditions(id).await.into_iter().filter(|row| row.format == Format::Hls) {
        let segments = studio.segments(&row).await;
        assert!(segments.len() > 2);
        found.push(Hls { row, segments });
    }
    found.sort_by_key(|hls| hls.row.is_audio());
    let [picture, sound] = <[Hls; 2]>::try_from(found).unwrap();
    (picture, sound)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_mp4_is_what_its_segments_are_or_nothing() {
    let studio = Studio::open().await;
    let bucket = &studio.bucket.client;
    let (picture, sound) = made(&studio).await;
    let toolbox = Toolbox::find(&std::env::var_os("PATH").unwrap()).unwrap();
    let encoder = Ffmpeg::start(toolbox, &studio.work().join("mp4")).unwrap();
    let both = async |key: &str| encoder.mp4(bucket, Some(&picture), Some(&sound), key).await;

    let first = both("media/t/a.mp4").await.unwrap().unwrap();
    let bytes = bucket.get_bytes("media/t/a.mp4", 1 << 30).await.unwrap();
    assert_eq!(Checksum::of(&bytes).file, first);
    // An earlier try whose answer was lost: the object is there, and the content id is known all the same.
    assert_eq!(both("media/t/a.mp4").await.unwrap().unwrap(), first);
    let alone = encoder.mp4(bucket, None, Some(&sound), "media/t/s.mp4").await.unwrap().unwrap();
    assert!(alone.size < first.size);

    let lost = &picture.segments[1].path;
    let kept = bucket.get_bytes(lost, 1 << 30).await.unwrap();
    let kind = "video/iso.segment";
    // As long as it was, and no film; shorter; absent.
    let garbled: Vec<u8> = kept.iter().map(|byte| !byte).collect();
    for (nth, bytes) in
        [Some(garbled), Some(kept[..kept.len() / 2].to_vec()), None].into_iter().enumerate()
    {
        bucket.delete(std::slice::from_ref(lost)).await.unwrap();
        if let Some(bytes) = bytes {
            bucket.put(lost, bytes.into(), kind).await.unwrap();
        }
        let key = format!("media/t/{nth}.mp4");
        let failed = both(&key).await.unwrap_err();
        let TaskError::Ours(cause) = &failed else { panic!("{failed}") };
        match nth {
            0 => assert!(matches!(cause, Cause::Fmp4(_)), "{cause}"),
            // Its tables are there, its film is not: only while it is sent does anybody see that.
            1 => assert!(matches!(cause, Cause::Row(_)), "{cause}"),
            _ => assert!(matches!(cause, Cause::Bucket(e) if e.is_missing()), "{cause}"),
        }
        assert_eq!(bucket.head(&key).await.unwrap(), None, "{key} was stored");
    }
    bucket.put(lost, kept, kind).await.unwrap();
    assert_eq!(both("media/t/b.mp4").await.unwrap().unwrap(), first);
    encoder.close().await;
}
