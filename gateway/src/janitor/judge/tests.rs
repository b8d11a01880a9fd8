//! What is judged, as tables.

use expect_test::{Expect, expect};
use std::fmt::Write as _;

use super::*;

const VIDEO: Uuid = Uuid::from_u128(0x0192_0000_0000_7000_8000_0000_0000_0001);
const NOW: OffsetDateTime = OffsetDateTime::UNIX_EPOCH;

fn video(status: Status) -> Named {
    Named {
        id: VIDEO,
        status,
        original: format!("orig/{VIDEO}/u1"),
        uploaded: true,
        ticket_until: NOW - Duration::hours(30),
        attempts: vec![
            ("0000aa".to_owned(), None),
            ("0000bb".to_owned(), Some(NOW - Duration::minutes(50))),
            ("0000cc".to_owned(), Some(NOW - Duration::minutes(70))),
            // Two attempts may carry the same digits.
            ("0000dd".to_owned(), Some(NOW - Duration::days(3))),
            ("0000dd".to_owned(), None),
        ],
    }
}

/// Judges objects by their names below the video's folders and their ages in hours.
fn check(video: Option<Named>, named: &[&str], objects: &[(&str, i64)], want: &Expect) {
    let key = |name: &str| name.replace("ID", &VIDEO.to_string());
    let facts = Facts {
        now: NOW,
        videos: video.into_iter().map(|video| (VIDEO, video)).collect(),
        named: named.iter().map(|name| key(name)).collect(),
    };
    let mut table = String::new();
    for (name, hours) in objects {
        let modified = Some(NOW - Duration::hours(*hours));
        let object = Listed { key: key(name), size: 1, modified };
        let verdict = needless(&object, &facts).map_or("stays", Reason::words);
        writeln!(table, "{name} {hours} h: {verdict}").unwrap();
    }
    want.assert_eq(&table);
}

const MEDIA: &[(&str, i64)] = &[
    ("media/ID/480p/00001-0000aa.m4s", 99),
    ("media/ID/480p/00001-0000bb.m4s", 99),
    ("media/ID/480p/00001-0000cc.m4s", 0),
    ("media/ID/480p/00001-0000dd.m4s", 99),
    ("media/ID/480p/00001-0000ee.m4s", 23),
    ("media/ID/480p/00001-0000ee.m4s", 25),
    ("media/ID/480p/00002-0000cc.m4s", 99),
    ("media/ID/master-0000cc.m3u8", 99),
    ("media/ID/odd", 25),
];

#[test]
fn media_of_a_video() {
    check(
        Some(video(Status::Completed)),
        &["media/ID/480p/00002-0000cc.m4s"],
        MEDIA,
        &expect![[r#"
        media/ID/480p/00001-0000aa.m4s 99 h: stays
        media/ID/480p/00001-0000bb.m4s 99 h: stays
        media/ID/480p/00001-0000cc.m4s 0 h: its attempt ended without it
        media/ID/480p/00001-0000dd.m4s 99 h: stays
        media/ID/480p/00001-0000ee.m4s 23 h: stays
        media/ID/480p/00001-0000ee.m4s 25 h: nothing names it, nor who wrote it
        media/ID/480p/00002-0000cc.m4s 99 h: stays
        media/ID/master-0000cc.m3u8 99 h: its attempt ended without it
        media/ID/odd 25 h: nothing names it, nor who wrote it
    "#]],
    );
}

#[test]
fn media_of_a_deleted_video_whose_rows_still_stand() {
    check(
        Some(video(Status::Deleted)),
        &["media/ID/480p/00002-0000cc.m4s"],
        MEDIA,
        &expect![[r#"
        media/ID/480p/00001-0000aa.m4s 99 h: stays
        media/ID/480p/00001-0000bb.m4s 99 h: stays
        media/ID/480p/00001-0000cc.m4s 0 h: its video was deleted
        media/ID/480p/00001-0000dd.m4s 99 h: stays
        media/ID/480p/00001-0000ee.m4s 23 h: stays
        media/ID/480p/00001-0000ee.m4s 25 h: nothing names it, nor who wrote it
        media/ID/480p/00002-0000cc.m4s 99 h: stays
        media/ID/master-0000cc.m3u8 99 h: its video was deleted
        media/ID/odd 25 h: nothing names it, nor who wrote it
    "#]],
    );
}

#[test]
fn originals_by_state_and_by_the_time_since_the_ticket_ended() {
    let mut table = String::new();
    for status in Status::ALL {
        for uploaded in [true, false] {
            write!(table, "{:10} {uploaded:5}", status.name()).unwrap();
            for hours in [-1, 2, 4] {
                let ticket_until = NOW - Duration::hours(hours);
                let video = Named { uploaded, ticket_until, ..video(status) };
                let facts = Facts {
                    now: NOW,
                    videos: BTreeMap::from([(VIDEO, video)]),
                    named: BTreeSet::new(),
                };
                for name in ["u1", "u2"] {
                    let key = format!("orig/{VIDEO}/{name}");
                    let object = Listed { key, size: 1, modified: Some(NOW) };
                    let verdict = needless(&object, &facts)
                        .map_or("-".to_owned(), |reason| format!("{reason:?}"));
                    write!(table, " {hours}h {name} {verdict}").unwrap();
                }
            }
            table.push('\n');
        }
    }
    expect![[r#"
        pending    true  -1h u1 - -1h u2 - 2h u1 - 2h u2 - 4h u1 - 4h u2 -
        pending    false -1h u1 - -1h u2 - 2h u1 - 2h u2 - 4h u1 - 4h u2 -
        uploaded   true  -1h u1 - -1h u2 - 2h u1 - 2h u2 - 4h u1 - 4h u2 Copy
        uploaded   false -1h u1 - -1h u2 - 2h u1 - 2h u2 - 4h u1 - 4h u2 -
        processing true  -1h u1 - -1h u2 - 2h u1 - 2h u2 - 4h u1 - 4h u2 Copy
        processing false -1h u1 - -1h u2 - 2h u1 - 2h u2 - 4h u1 - 4h u2 -
        playable   true  -1h u1 - -1h u2 - 2h u1 - 2h u2 - 4h u1 - 4h u2 Copy
        playable   false -1h u1 - -1h u2 - 2h u1 - 2h u2 - 4h u1 - 4h u2 -
        completed  true  -1h u1 - -1h u2 - 2h u1 - 2h u2 - 4h u1 - 4h u2 Copy
        completed  false -1h u1 - -1h u2 - 2h u1 - 2h u2 - 4h u1 - 4h u2 -
        failed     true  -1h u1 - -1h u2 - 2h u1 - 2h u2 - 4h u1 - 4h u2 Copy
        failed     false -1h u1 - -1h u2 - 2h u1 - 2h u2 - 4h u1 Ended 4h u2 Ended
        cancelled  true  -1h u1 - -1h u2 - 2h u1 - 2h u2 - 4h u1 - 4h u2 Copy
        cancelled  false -1h u1 - -1h u2 - 2h u1 - 2h u2 - 4h u1 Ended 4h u2 Ended
        deleted    true  -1h u1 Deleted -1h u2 Deleted 2h u1 Deleted 2h u2 Deleted 4h u1 Deleted 4h u2 Deleted
        deleted    false -1h u1 Deleted -1h u2 Deleted 2h u1 Deleted 2h u2 Deleted 4h u1 Deleted 4h u2 Deleted
    "#]].assert_eq(&table);
}

#[test]
fn what_belongs_to_no_video_and_what_is_not_ours() {
    check(
        None,
        &[],
        &[
            ("media/ID/480p/00001-0000aa.m4s", 23),
            ("media/ID/480p/00001-0000aa.m4s", 25),
            ("orig/ID/u1", 23),
            ("orig/ID/u1", 25),
            ("scratch/x", 23),
            ("scratch/x", 25),
            ("backup/ID/u1", 999),
            ("orig/somebody/u1", 999),
            ("orig/ID", 999),
            ("orig/ID/", 999),
            ("scratches", 999),
        ],
        &expect![[r#"
        media/ID/480p/00001-0000aa.m4s 23 h: stays
        media/ID/480p/00001-0000aa.m4s 25 h: there is no such video
        orig/ID/u1 23 h: stays
        orig/ID/u1 25 h: there is no such video
        scratch/x 23 h: stays
        scratch/x 25 h: a trial that was not cleaned up
        backup/ID/u1 999 h: stays
        orig/somebody/u1 999 h: stays
        orig/ID 999 h: stays
        orig/ID/ 999 h: stays
        scratches 999 h: stays
    "#]],
    );
}

#[test]
fn without_an_age_nothing_goes_that_is_judged_by_it() {
    let facts = Facts { now: NOW, videos: BTreeMap::new(), named: BTreeSet::new() };
    let object = Listed { key: "scratch/x".to_owned(), size: 1, modified: None };
    assert_eq!(needless(&object, &facts), None);
}
