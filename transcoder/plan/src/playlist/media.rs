//! Media playlists: the segments of one rendition.

use super::{START, VERSION};
use crate::TICKS;

/// EXTINF counts in 1/100000 s.
const UNITS: u64 = 100_000;

/// What a media playlist lists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Media<'a> {
    /// Of the plan: one for all renditions, for ever. Seconds.
    pub target_duration: u32,
    /// Name of the init segment, relative to the playlist.
    pub init: &'a str,
    /// Segments from sequence 0 on, without a hole.
    pub segments: &'a [Entry<'a>],
}

/// One segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry<'a> {
    /// Name, relative to the playlist.
    pub uri: &'a str,
    /// Ticks.
    pub duration: u64,
}

/// The final playlist.
pub fn media(media: &Media<'_>) -> String {
    let mut text = head(media, "VOD", "");
    list(&mut text, media.segments);
    text.push_str("#EXT-X-ENDLIST\n");
    text
}

/// The playlist while segments are added; `ended` when none will be, for whatever reason.
pub fn growing_media(media: &Media<'_>, ended: bool) -> String {
    let mut text = head(media, "EVENT", START);
    list(&mut text, media.segments);
    if ended {
        text.push_str("#EXT-X-ENDLIST\n");
    }
    text
}

fn head(media: &Media<'_>, kind: &str, start: &str) -> String {
    format!(
        "#EXTM3U\n{VERSION}#EXT-X-TARGETDURATION:{}\n#EXT-X-PLAYLIST-TYPE:{kind}\n{start}#EXT-X-MEDIA-SEQUENCE:0\n#EXT-X-INDEPENDENT-SEGMENTS\n#EXT-X-MAP:URI=\"{}\"\n",
        media.target_duration, media.init
    )
}

/// Durations are differences of rounded end times, so that no sum of them is off by more than one unit.
fn list(text: &mut String, segments: &[Entry<'_>]) {
    let (mut ticks, mut written) = (0u64, 0u64);
    for segment in segments {
        ticks = ticks.saturating_add(segment.duration);
        let end = u128::from(ticks) * u128::from(UNITS) + u128::from(TICKS / 2);
        let end = u64::try_from(end / u128::from(TICKS)).unwrap_or(u64::MAX);
        let duration = end - written;
        written = end;
        text.push_str(&format!(
            "#EXTINF:{}.{:05},\n{}\n",
            duration / UNITS,
            duration % UNITS,
            segment.uri
        ));
    }
}

#[cfg(test)]
mod tests {
    use expect_test::expect;
    use proptest::prelude::*;

    use super::*;

    const TWO: &[Entry<'_>] = &[
        Entry { uri: "00000-a1b2c3.m4s", duration: 180_180 },
        Entry { uri: "00001-a1b2c3.m4s", duration: 90_001 },
    ];
    const MEDIA: Media<'_> = Media { target_duration: 6, init: "init-a1b2c3.mp4", segments: TWO };

    #[test]
    fn final_form() {
        expect![[r##"
            #EXTM3U
            #EXT-X-VERSION:7
            #EXT-X-TARGETDURATION:6
            #EXT-X-PLAYLIST-TYPE:VOD
            #EXT-X-MEDIA-SEQUENCE:0
            #EXT-X-INDEPENDENT-SEGMENTS
            #EXT-X-MAP:URI="init-a1b2c3.mp4"
            #EXTINF:2.00200,
            00000-a1b2c3.m4s
            #EXTINF:1.00001,
            00001-a1b2c3.m4s
            #EXT-X-ENDLIST
        "##]]
        .assert_eq(&media(&MEDIA));
    }

    #[test]
    fn growing_form() {
        expect![[r##"
            #EXTM3U
            #EXT-X-VERSION:7
            #EXT-X-TARGETDURATION:6
            #EXT-X-PLAYLIST-TYPE:EVENT
            #EXT-X-START:TIME-OFFSET=0.001,PRECISE=YES
            #EXT-X-MEDIA-SEQUENCE:0
            #EXT-X-INDEPENDENT-SEGMENTS
            #EXT-X-MAP:URI="init-a1b2c3.mp4"
            #EXTINF:2.00200,
            00000-a1b2c3.m4s
            #EXTINF:1.00001,
            00001-a1b2c3.m4s
        "##]]
        .assert_eq(&growing_media(&MEDIA, false));
        assert!(growing_media(&MEDIA, true).ends_with("00001-a1b2c3.m4s\n#EXT-X-ENDLIST\n"));
    }

    proptest! {
        #![proptest_config(crate::same_cases(400))]

        #[test]
        fn sums_of_any_run_stay_true(durations in prop::collection::vec(1u64..600_000, 1..300)) {
            let entries: Vec<Entry<'_>> =
                durations.iter().map(|duration| Entry { uri: "x", duration: *duration }).collect();
            let text = media(&Media { segments: &entries, ..MEDIA });
            let shown: Vec<f64> = text
                .lines()
                .filter_map(|line| line.strip_prefix("#EXTINF:")?.strip_suffix(',')?.parse().ok())
                .collect();
            prop_assert_eq!(shown.len(), durations.len());
            for from in [0, durations.len() / 2] {
                let sum: f64 = shown[from..].iter().sum();
                let truth = durations[from..].iter().sum::<u64>() as f64 / TICKS as f64;
                prop_assert!((sum - truth).abs() < 2e-5);
            }
        }
    }
}
