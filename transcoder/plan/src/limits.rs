//! What an original may be at most; beyond it is theirs, with a sentence.

/// Largest picture, pixels: 8192 x 4320 (8K DCI). ffmpeg gets it as `-max_pixels` too, because a
/// file of 100 kB can hold many frames of that size.
pub const MAX_PIXELS: u64 = 8192 * 4320;

/// Longest side of a picture, pixels: what H.264 of any level can hold is far below.
pub const MAX_SIDE: u32 = 16_384;

/// Most streams a container may hold. Real files have one or two, screen recorders and discs up
/// to a few dozen; each one costs ffmpeg a parser and often a decoder.
pub const MAX_STREAMS: usize = 60;

/// Longest film, seconds: 12 hours.
pub const MAX_SECONDS: u64 = 12 * 3600;

/// Most packets an index may be made of: 12 hours at 120 frames a second, about 42 MB (four times that
/// where every frame is a key frame).
pub const MAX_FRAMES: usize = 12 * 3600 * 120;

/// Longest stretch, seconds: 3 hours. `-force_key_frames` is one argument, at most 128 KiB on
/// Linux; a key frame every 2 s takes about 11 bytes, so 3 hours are about 60 KiB.
pub const MAX_STRETCH_SECONDS: u64 = 3 * 3600;

/// The longest that a program waits for the next bytes of an original, seconds. Who serves them
/// gives up before, and knows why.
pub const READ_SECONDS: u64 = 300;
