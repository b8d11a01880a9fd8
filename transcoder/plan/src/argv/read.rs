//! ffprobe: what is in an original, and when its frames are shown.

use super::{Argv, Program};

/// What is asked of each part; tags that strangers can fill without bound are left out.
const ENTRIES: &str = "format=format_name,nb_streams,start_time,duration,size,bit_rate\
:stream=index,codec_name,codec_type,profile,width,height,sample_aspect_ratio,pix_fmt,field_order,\
color_range,color_space,color_transfer,color_primaries,r_frame_rate,avg_frame_rate,time_base,\
start_pts,duration,bit_rate,channels,sample_rate\
:stream_disposition=default,attached_pic,timed_thumbnails:stream_tags=language\
:stream_side_data=rotation,dv_profile";

/// Prints what [`crate::Probe::parse`] reads.
pub fn probe(original: &str) -> Argv {
    let mut argv = Argv::new(Program::Ffprobe);
    argv.add("-hide_banner -v error").guard("");
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
