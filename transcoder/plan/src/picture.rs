//! What is done to every frame on its way to the rungs: fields, colour, dynamic range.

use serde::{Deserialize, Serialize};

use crate::probe::{Hdr, Video};

/// Decisions about the picture; rotation is ffmpeg's own default and needs none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Picture {
    /// Fields are woven into frames, one for each frame.
    pub deinterlace: bool,
    /// Tone mapped from this to standard range.
    pub hdr: Hdr,
    /// Matrix of the original in swscale's words, told or guessed; `None` for RGB and what swscale does
    /// not know.
    pub matrix: Option<String>,
    /// The original uses all of 0..=255.
    pub full_range: bool,
    /// Size after rotation, before any scaling, pixels.
    pub turned_width: u32,
    /// Likewise.
    pub turned_height: u32,
    /// Tags that tone mapping needs and the file lacks, as options of zscale.
    pub missing_tags: String,
}

impl Picture {
    /// Decides by the tags of the original, and where it has none as browsers do: BT.601 below 720
    /// lines, BT.709 from there on.
    pub fn new(video: &Video) -> Self {
        let quarter = video.rotation % 180 == 90;
        let (turned_width, turned_height) = if quarter {
            (video.coded_height, video.coded_width)
        } else {
            (video.coded_width, video.coded_height)
        };
        Self {
            deinterlace: video.interlaced(),
            hdr: video.hdr,
            matrix: matrix(video),
            full_range: video.color.range.as_deref().map_or_else(
                || video.pixel_format.starts_with("yuvj") && !is_rgb(&video.pixel_format),
                |range| range == "pc",
            ),
            turned_width,
            turned_height,
            missing_tags: missing_tags(video),
        }
    }

    /// Filters that make standard pictures of `width` x `height` in BT.709, video range: appended to the
    /// first chain, before any split, so that the dear ones run once and at no more pixels than needed.
    pub fn filters(&self, width: u32, height: u32) -> String {
        match self.hdr {
            Hdr::None => {
                let range = if self.full_range { "pc" } else { "tv" };
                let from = self.matrix.as_deref().map_or(String::new(), |matrix| {
                    format!(":in_color_matrix={matrix}:in_range={range}")
                });
                format!(
                    "scale={width}:{height}:flags=bicubic{from}:out_color_matrix=bt709:out_range=tv,setsar=1,format=yuv420p"
                )
            }
            Hdr::Pq | Hdr::Hlg => {
                let scale = if (self.turned_width, self.turned_height) == (width, height) {
                    String::new()
                } else {
                    format!("scale={width}:{height}:flags=bicubic,")
                };
                // Measured on grey and colour patches against the maths of BT.2100: within one code.
                // agamma=0 because the approximate curves bend HLG's colours; 203 nits is BT.2408's white.
                format!(
                    "{scale}zscale=agamma=0:t=linear:npl=203{},format=gbrpf32le,zscale=p=bt709,tonemap=mobius:desat=0:peak=4.93,zscale=t=bt709:m=bt709:r=tv,setsar=1,format=yuv420p",
                    self.missing_tags
                )
            }
        }
    }

    /// The filter that weaves fields, followed by a comma; empty for progressive pictures. It outputs
    /// one frame for each frame, and leaves alone those that are not marked as interlaced.
    pub fn deinterlacer(&self) -> &'static str {
        if self.deinterlace { "bwdif=mode=send_frame:deint=interlaced," } else { "" }
    }
}

fn matrix(video: &Video) -> Option<String> {
    if is_rgb(&video.pixel_format) {
        return None;
    }
    let name = match video.color.space.as_deref() {
        Some("bt709") => "bt709",
        Some("smpte170m") => "smpte170m",
        Some("bt470bg") => "bt470",
        Some("bt2020nc" | "bt2020c") => "bt2020",
        Some("fcc") => "fcc",
        Some("smpte240m") => "smpte240m",
        Some(_) => return None,
        None if video.coded_height.min(video.coded_width) < 720 || video.codec == "mjpeg" => {
            "bt601"
        }
        None => "bt709",
    };
    Some(name.to_owned())
}

fn is_rgb(pixel_format: &str) -> bool {
    ["rgb", "bgr", "gbr", "pal8", "argb", "abgr", "0rgb", "0bgr", "monob", "monow"]
        .iter()
        .any(|prefix| pixel_format.starts_with(prefix))
}

fn missing_tags(video: &Video) -> String {
    let mut options = String::new();
    if video.hdr != Hdr::None {
        if video.color.space.is_none() {
            options.push_str(":min=bt2020nc");
        }
        if video.color.primaries.is_none() {
            options.push_str(":pin=bt2020");
        }
        if video.color.range.is_none() {
            options.push_str(":rin=tv");
        }
    }
    options
}
