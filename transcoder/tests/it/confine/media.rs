//! Every real clip at hand, confined and not: the same end.

use std::{path::PathBuf, process::Command};

use reelpin_transcoder::confine::{ConfineError, Program};
use tokio::io::AsyncReadExt;

use super::Bench;

/// Exit code 0, or the code it ended with.
fn code<T: std::fmt::Debug>(end: Result<T, ConfineError>) -> i32 {
    match end {
        Ok(_) => 0,
        Err(ConfineError::NonZero { code, .. }) => code,
        Err(error) => panic!("{error:?}"),
    }
}

#[tokio::test]
async fn real_clips_decode_as_they_do_unconfined() {
    let Some(folder) = std::env::var_os("REELPIN_TEST_MEDIA") else {
        eprintln!("not run: REELPIN_TEST_MEDIA names no folder of clips");
        return;
    };
    let mut clips: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|ext| ext != "md"))
        .collect();
    clips.sort();
    assert!(!clips.is_empty());
    let toolbox = super::toolbox();
    for clip in clips {
        let name = clip.display().to_string();
        let mut bench = Bench::real();
        bench.readable.push(clip.clone());

        bench.program = Program::Ffprobe;
        bench.capture_stdout = true;
        let args = format!("-v error -show_streams -show_format -of json {name}");
        let confined = bench.run(&args).await.unwrap();
        let plain = Command::new(&toolbox.ffprobe).args(super::split(&args)).output().unwrap();
        assert_eq!(confined.stdout, plain.stdout, "{name}");

        bench.program = Program::Ffmpeg;
        bench.capture_stdout = false;
        bench.pipes = 3;
        let args = |to: [&str; 3]| {
            let [a, b, c] = to;
            super::split(&format!(
                "-nostdin -v error -y -i {name} -filter_complex [0:v:0]scale=-2:144,format=yuv420p,split[a][b] \
                 -map [a] -t 1 -c:v libx264 -preset ultrafast -f mp4 -movflags +cmaf+empty_moov {a} \
                 -map [b] -t 1 -c:v libx265 -preset ultrafast -x265-params log-level=error -f mp4 \
                 -movflags +cmaf+empty_moov {b} \
                 -map 0:a? -t 1 -c:a aac -f matroska -map 0:v:0 -c:v mpeg4 {c}"
            ))
        };
        let mut child = bench.start(&args(["pipe:3", "pipe:4", "pipe:5"])).await.unwrap();
        let mut pipes: Vec<_> = (0..3).map(|i| child.take_pipe(i).unwrap()).collect();
        let mut sizes = [const { Vec::new() }; 3];
        let ([a, b, c], [x, y, z]) = (pipes.as_mut_slice(), &mut sizes) else { unreachable!() };
        let (end, ..) =
            tokio::join!(child.wait(), a.read_to_end(x), b.read_to_end(y), c.read_to_end(z));
        println!("{name}: {:?}", end.as_ref().map(|r| (r.cpu, r.max_rss_bytes >> 20)));
        let null = ["/dev/null"; 3];
        let plain = Command::new(&toolbox.ffmpeg).args(args(null)).output().unwrap();
        assert_eq!(Some(code(end)), plain.status.code(), "{name}");
        if plain.status.success() {
            assert!(sizes.iter().all(|bytes| bytes.len() > 1000), "{name}");
        }
    }
}
