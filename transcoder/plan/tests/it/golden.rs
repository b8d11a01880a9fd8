//! What is decided and what will be run, as files that a review can read: ffprobe's answers in `probes/`, plans and
//! command lines in `golden/`.

use expect_test::{Expect, ExpectFile, expect, expect_file};
use reelpin_plan::index::Packet;
use reelpin_plan::{Index, Options, Plan, Probe, Rational, Run, argv};

fn answer(name: &str) -> String {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/probes");
    std::fs::read_to_string(format!("{folder}/{name}.json")).unwrap()
}

/// An index as the probed film would have it at a constant rate, with a key frame every 250 frames.
fn constant_index(probe: &Probe, frames: i64) -> Option<Index> {
    probe.indexable()?;
    let video = probe.video.as_ref()?;
    let rate = video.average_rate.unwrap_or(video.rate);
    let step =
        Rational::new(rate.den() * video.time_base.den(), rate.num() * video.time_base.num())?;
    Index::new((0..frames).map(|frame| Packet {
        pts: video.start_pts + step.scale(frame, 1),
        size: 0,
        key: frame % 250 == 0,
        discard: false,
    }))
}

fn render(plan: &Plan) -> String {
    let mut text = String::new();
    let mut line = |words: String| text.push_str(&(words + "\n"));
    line(format!(
        "start {} duration {} target {}",
        plan.start, plan.duration, plan.target_duration
    ));
    if let Some(video) = &plan.video {
        line(format!(
            "{} fps, keep 1 in {}, {:?}",
            video.frame_rate, video.keep_every, video.picture
        ));
        for rung in &video.rungs {
            line(format!("{rung:?}"));
        }
        let entries = [video.entries.first(), video.entries.get(1), video.entries.last()];
        line(format!(
            "{} segments, {entries:?}, joints {:?}",
            plan.grid.segments.len(),
            video.joints
        ));
        let starter = Run::starter(&plan.grid, video);
        if let Some(starter) = &starter {
            line(argv::encode(plan, starter, "original", 3).unwrap().to_string());
        }
        let stored = |rung| u32::from(rung == 0 && starter.is_some());
        if let Some(stretch) = video.stretches().next() {
            let rest = Run::rest(video, stretch, stored).unwrap();
            line(argv::encode(plan, &rest, "original", 3).unwrap().to_string());
        }
        line(format!("why not copied: {:?}", plan.why_not_copied));
        if let Some(copy) = argv::copy(plan, "original", 3) {
            line(copy.to_string());
        }
    }
    if let Some(sound) = argv::audio(plan, "original", 3, None) {
        line(format!("{:?}", plan.audio.as_ref().unwrap().language));
        line(sound.to_string());
    }
    if let Some(poster) = argv::poster(plan, "original", "poster.jpg") {
        line(poster.to_string());
    }
    text
}

/// `frames`: of the index; 0 for none.
#[track_caller]
fn check(name: &str, frames: i64, want: ExpectFile) {
    let probe = Probe::parse(&answer(name)).unwrap();
    let index = constant_index(&probe, frames);
    let plan = Plan::new(&probe, index.as_ref(), &Options::default()).unwrap();
    let text = render(&plan);
    let again = Plan::new(&probe, index.as_ref(), &Options::default()).unwrap();
    assert_eq!(render(&again), text, "the same facts give the same arguments");
    let stored: Plan = serde_json::from_str(&serde_json::to_string(&plan).unwrap()).unwrap();
    assert_eq!(stored, plan);
    want.assert_eq(&text);
}

macro_rules! golden {
    ($($test:ident($name:literal, $frames:literal);)*) => {
        $(#[test] fn $test() { check($name, $frames, expect_file![concat!("./golden/", $name, ".argv")]); })*
    };
}

golden! {
    ordinary("bbb_480p_30s", 720);
    phone("portrait_4k60", 18);
    turned_270("turned_270", 149);
    hlg("hlg10-color-test", 9);
    pq_in_av1("hdr10-av1", 127);
    bt601("bt601", 30);
    edit_list("sample_edit_list", 77);
    variable_rate("variable_rate", 512);
    webm("bbb_960x540_60fps_vp8", 60);
    transport_stream("bbb_2500ms", 0);
    avi("sample", 0);
    audiobook("audiobook", 0);
    long_low_rate("long_1080p_lowbitrate", 10_883);
    interlaced("interlaced", 25);
    anamorphic("anamorphic", 25);
    fast("fast_120", 120);
    before_zero("before_zero", 144);
    cover("cover", 0);
}

#[track_caller]
fn refuse(json: &str, want: Expect) {
    let refusal = Probe::parse(json).unwrap_err();
    want.assert_eq(&format!("{}: {refusal}; {}", refusal.code(), refusal.suggestion()));
}

#[test]
fn refusals_say_what_to_do() {
    let good = answer("bbb_480p_30s");
    let with = |from: &str, to: &str| {
        assert!(good.contains(from), "{from}");
        good.replace(from, to)
    };
    refuse(
        "",
        expect![
            "not_a_video: the file is not a video or audio file that can be read; upload an MP4, MOV, MKV, WebM, AVI or MPEG-TS file, or a sound file"
        ],
    );
    refuse(
        "{\n}",
        expect![
            "not_a_video: the file is not a video or audio file that can be read; upload an MP4, MOV, MKV, WebM, AVI or MPEG-TS file, or a sound file"
        ],
    );
    refuse(
        &answer("no_video"),
        expect![
            "not_a_video: the file is not a video or audio file that can be read; upload an MP4, MOV, MKV, WebM, AVI or MPEG-TS file, or a sound file"
        ],
    );
    refuse(
        &answer("unsupported_picture"),
        expect![
            "unsupported_codec: the file's picture is coded as ffv1, which is not supported; export the video as H.264 with AAC sound"
        ],
    );
    refuse(
        &with("\"width\": 854", "\"width\": 9000").replace("480,", "9000,"),
        expect![
            "too_many_pixels: the picture has more than 8192 x 4320 pixels; scale the video down to 4K and upload it again"
        ],
    );
    refuse(
        &with("\"width\": 854", "\"width\": 99999999999"),
        expect![
            "too_many_pixels: the picture has more than 8192 x 4320 pixels; scale the video down to 4K and upload it again"
        ],
    );
    refuse(
        &with("\"nb_streams\": 2", "\"nb_streams\": 61"),
        expect![
            "too_many_streams: the file holds 61 streams; at most 60 are taken; export the video with one picture and one sound track only"
        ],
    );
    refuse(
        &with("30.022000", "43201"),
        expect![
            "too_long: the video lasts 43201 s; at most 12 hours are taken; cut the video into parts of at most 12 hours"
        ],
    );
    refuse(
        &with("\"pix_fmt\"", "\"no\""),
        expect![
            "no_frames: the file announces a video but holds no frame that can be decoded; check that the file plays to its end and was copied whole, then upload it again"
        ],
    );
    let sound = answer("audiobook").replace("\"aac\"", "\"atrac9\"");
    refuse(
        &sound,
        expect![
            "unsupported_codec: the file's sound is coded as atrac9, which is not supported; export the video as H.264 with AAC sound"
        ],
    );
}

#[test]
fn sound_that_cannot_be_decoded_is_left_out_of_a_film() {
    let probe = Probe::parse(&answer("bbb_480p_30s").replace("\"aac\"", "\"atrac9\"")).unwrap();
    let plan = Plan::new(&probe, None, &Options::default()).unwrap();
    assert!(plan.audio.is_none());
    expect!["the sound is coded as atrac9, which is not supported"]
        .assert_eq(&plan.audio_left_out.unwrap());
}

#[test]
fn twelve_hours_at_sixty_frames() {
    let json = answer("bbb_480p_30s").replace("30.022000", "43200").replace("\"24/1\"", "\"60/1\"");
    let probe = Probe::parse(&json).unwrap();
    let index = constant_index(&probe, 12 * 3600 * 60).unwrap();
    let plan = Plan::new(&probe, Some(&index), &Options::default()).unwrap();
    let video = plan.video.as_ref().unwrap();
    assert_eq!(video.frames, Some(12 * 3600 * 60));
    let mut end = Some(0);
    for stretch in video.stretches() {
        assert_eq!(end, Some(stretch.first));
        end = stretch.end;
        let run = Run::rest(video, stretch, |_| 0).unwrap();
        let argv = argv::encode(&plan, &run, "original", 3).unwrap();
        let longest = argv.args.iter().map(String::len).max().unwrap();
        assert!(longest < 16 << 10, "one argument has {longest} bytes");
    }
    assert_eq!(end, Some(plan.grid.n_segments()));
    let stored = serde_json::to_string(&plan).unwrap().len();
    assert!(stored < 1 << 20, "{stored} bytes");
    expect!["432 stretches, 573033 bytes"]
        .assert_eq(&format!("{} stretches, {stored} bytes", video.joints.len()));
}

#[test]
fn reading_commands() {
    expect_file!["./golden/read.argv"].assert_eq(&format!(
        "{}\n{}\n{}",
        argv::probe("original"),
        argv::probe_further("original"),
        argv::packets("original", 1),
    ));
}
