//! The allow-lists given to ffmpeg: containers, protocols, decoders.
//!
//! Every demuxer and decoder is code that strangers' bytes run through; what nobody uploads is
//! left out. Formats that name other files (HLS, concat, DASH, image sequences) must stay out.

/// What an original may be opened by: a loopback address of the worker's; and the pipes we write to.
pub const PROTOCOLS: &str = "http,tcp,pipe";

/// Demuxer names, as `-format_whitelist` compares them.
pub const FORMATS: &str =
    "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts,mpeg,flv,asf,ogg,mp3,wav,flac,aac";

/// Picture codecs by ffprobe's name, and the decoders that may run for them (those that a build of
/// ffmpeg lacks do no harm in the list).
const VIDEO: &[(&str, &[&str])] = &[
    ("av1", &["libdav1d", "libaom-av1", "av1"]),
    ("dnxhd", &["dnxhd"]),
    ("dvvideo", &["dvvideo"]),
    ("flv1", &["flv"]),
    ("h263", &["h263"]),
    ("h264", &["h264"]),
    ("hevc", &["hevc"]),
    ("mjpeg", &["mjpeg"]),
    ("mpeg1video", &["mpeg1video"]),
    ("mpeg2video", &["mpeg2video"]),
    ("mpeg4", &["mpeg4"]),
    ("msmpeg4v2", &["msmpeg4v2"]),
    ("msmpeg4v3", &["msmpeg4"]),
    ("prores", &["prores"]),
    ("theora", &["theora"]),
    ("vc1", &["vc1"]),
    ("vp6f", &["vp6f"]),
    ("vp8", &["vp8", "libvpx"]),
    ("vp9", &["vp9", "libvpx-vp9"]),
    ("wmv1", &["wmv1"]),
    ("wmv2", &["wmv2"]),
    ("wmv3", &["wmv3"]),
];

/// Sound codecs likewise; all of `pcm_*` that files carry.
const AUDIO: &[(&str, &[&str])] = &[
    ("aac", &["aac", "aac_fixed"]),
    ("aac_latm", &["aac_latm"]),
    ("ac3", &["ac3"]),
    ("alac", &["alac"]),
    ("amr_nb", &["amrnb"]),
    ("amr_wb", &["amrwb"]),
    ("dts", &["dca"]),
    ("eac3", &["eac3"]),
    ("flac", &["flac"]),
    ("mp2", &["mp2float", "mp2"]),
    ("mp3", &["mp3float", "mp3"]),
    ("opus", &["opus", "libopus"]),
    ("pcm_alaw", &["pcm_alaw"]),
    ("pcm_f32be", &["pcm_f32be"]),
    ("pcm_f32le", &["pcm_f32le"]),
    ("pcm_f64le", &["pcm_f64le"]),
    ("pcm_mulaw", &["pcm_mulaw"]),
    ("pcm_s16be", &["pcm_s16be"]),
    ("pcm_s16le", &["pcm_s16le"]),
    ("pcm_s24be", &["pcm_s24be"]),
    ("pcm_s24le", &["pcm_s24le"]),
    ("pcm_s32be", &["pcm_s32be"]),
    ("pcm_s32le", &["pcm_s32le"]),
    ("pcm_u8", &["pcm_u8"]),
    ("vorbis", &["vorbis", "libvorbis"]),
    ("wmapro", &["wmapro"]),
    ("wmav1", &["wmav1"]),
    ("wmav2", &["wmav2"]),
];

/// Decoders for a picture codec; `None`: not supported.
pub fn video_decoders(codec: &str) -> Option<&'static [&'static str]> {
    VIDEO.iter().find(|(name, _)| *name == codec).map(|(_, decoders)| *decoders)
}

/// Decoders for a sound codec; `None`: not supported.
pub fn audio_decoders(codec: &str) -> Option<&'static [&'static str]> {
    AUDIO.iter().find(|(name, _)| *name == codec).map(|(_, decoders)| *decoders)
}

/// How much more H.264 needs than this codec for the same picture, in percent: newer codecs'
/// sources are given more room before their own rate caps a rung. Rounded from published
/// comparisons (HEVC and VP9 save a third to a half, AV1 half).
pub fn h264_need_percent(codec: &str) -> u64 {
    match codec {
        "av1" => 200,
        "hevc" => 170,
        "vp9" => 150,
        _ => 100,
    }
}
