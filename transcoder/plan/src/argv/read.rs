//! ffprobe: what is in an original, and when its frames are shown.

use super::{Argv, Program};

/// What is asked of each part; tags that strangers can fill without bound are left out.
const ENTRIES: &str = "format=format_name,nb_streams,start_time,duration,size,bit_rate\
:stream=index,codec_name,codec_type,profile,width,height,sample_aspect_ratio,pix_fmt,field_order,\
color_range,color_space,color_transfer,color_primaries,r_frame_rate,avg_frame_rate,time_base,\
start_pts,duration,bit_rate,channels,sample_rate\
:stream_disposition=default,attached_pic,timed_thumbnails:stream_tags=language\
:stream_side_data=rotation,dv_profile";

/// How much ffprobe reads of a file in which some track has not begun: a quarter of an hour and 128 MiB. Its own 5 s and 5 MB
/// are less than the sound that some films begin with.
const PATIENT: &str = "-analyzeduration 900000000 -probesize 134217728";

/// Prints what [`crate::Probe::parse`] reads.
pub fn probe(original: &str) -> Argv {
    facts(original, "")
}

/// The same of a file whose picture [`probe`] did not reach ([`crate::Refusal::NoFrames`]).
pub fn probe_further(original: &str) -> Argv {
    facts(original, PATIENT)
}

fn facts(original: &str, patience: &str) -> Argv {
    let mut argv = Argv::new(Program::Ffprobe);
    argv.add("-hide_banner -v error").guard("");
    argv.add(patience);
    argv.add("-show_error -show_entries").arg(ENTRIES);
    argv.add("-of json=compact=1 -i").arg(original);
    argv
}

/// Prints what [`crate::Index::parse`] reads: one short line for each packet of stream `stream`. Reads the
/// whole file.
pub fn packets(original: &str, stream: u32) -> Argv {
    let mut argv = Argv::new(Program::Ffprobe);
    argv.add("-hide_banner -v error").guard("");
    argv.add("-select_streams").arg(stream.to_string());
    argv.add("-show_entries packet=pts,flags -of csv=print_section=0 -i").arg(original);
    argv
}
