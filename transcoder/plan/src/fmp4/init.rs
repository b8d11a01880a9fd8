//! The init segment: what one track is.

use super::Error;
use super::boxes::Cursor;

/// ftyp and moov of a stream with one track.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Init {
    /// The whole init segment, as it came.
    pub bytes: Vec<u8>,
    /// Units a second of the track's times, at least 1.
    pub timescale: u32,
    /// RFC 6381, as in CODECS: `avc1.64001e`, `mp4a.40.2`.
    pub codec: String,
    /// Pixels; 0 for sound.
    pub width: u16,
    /// Pixels; 0 for sound.
    pub height: u16,
    /// Sample values that fragments do not repeat.
    pub(super) defaults: Defaults,
}

/// trex, overlaid by tfhd.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Defaults {
    pub(super) duration: u32,
    pub(super) size: u32,
    pub(super) flags: u32,
}

impl Init {
    /// From the contents of a moov; `bytes` is the init segment as a whole.
    pub(super) fn read(moov: &[u8], bytes: Vec<u8>) -> Result<Self, Error> {
        let moov = Cursor::new(moov);
        let mdia = moov.only(b"trak", "trak")?.only(b"mdia", "mdia")?;
        let timescale = timescale(mdia.only(b"mdhd", "mdhd")?)?;
        let stbl = mdia.only(b"minf", "minf")?.only(b"stbl", "stbl")?;
        let mut stsd = stbl.only(b"stsd", "stsd")?;
        stsd.version_flags()?;
        if stsd.u32()? != 1 {
            return Err(Error::Structure("stsd"));
        }
        let (kind, entry) = stsd.child()?.ok_or(Error::Structure("stsd"))?;
        let (codec, width, height) = match &kind {
            b"avc1" => picture(entry)?,
            b"mp4a" => (sound(entry)?, 0, 0),
            _ => return Err(Error::Structure("stsd")),
        };
        let mut trex = moov.only(b"mvex", "mvex")?.only(b"trex", "trex")?;
        trex.take(12)?;
        let defaults = Defaults { duration: trex.u32()?, size: trex.u32()?, flags: trex.u32()? };
        Ok(Self { bytes, timescale, codec, width, height, defaults })
    }
}

fn timescale(mut mdhd: Cursor<'_>) -> Result<u32, Error> {
    let (version, _) = mdhd.version_flags()?;
    mdhd.take(if version == 1 { 16 } else { 8 })?;
    match mdhd.u32()? {
        0 => Err(Error::Structure("mdhd")),
        timescale => Ok(timescale),
    }
}

/// VisualSampleEntry with avcC: the first bytes after its version are profile, compatibility, level.
fn picture(mut entry: Cursor<'_>) -> Result<(String, u16, u16), Error> {
    entry.take(24)?;
    let (width, height) = (entry.u16()?, entry.u16()?);
    entry.take(50)?;
    let mut avcc = entry.only(b"avcC", "avcC")?;
    avcc.u8()?;
    let (profile, compatibility, level) = (avcc.u8()?, avcc.u8()?, avcc.u8()?);
    Ok((format!("avc1.{profile:02x}{compatibility:02x}{level:02x}"), width, height))
}

/// AudioSampleEntry with esds: the object type is the first 5 bits of the decoder's specific info.
fn sound(mut entry: Cursor<'_>) -> Result<String, Error> {
    entry.take(28)?;
    let mut esds = entry.only(b"esds", "esds")?;
    esds.version_flags()?;
    let mut es = descriptor(&mut esds, 0x03)?;
    es.u16()?;
    let flags = es.u8()?;
    if flags & 0xe0 != 0 {
        return Err(Error::Structure("esds"));
    }
    let mut config = descriptor(&mut es, 0x04)?;
    let object = config.u8()?;
    config.take(12)?;
    let kind = descriptor(&mut config, 0x05)?.u8()? >> 3;
    Ok(format!("mp4a.{object:x}.{kind}"))
}

/// An MPEG-4 descriptor of this tag; its length has 7 bits a byte, at most 4 bytes.
fn descriptor<'a>(from: &mut Cursor<'a>, tag: u8) -> Result<Cursor<'a>, Error> {
    if from.u8()? != tag {
        return Err(Error::Structure("esds"));
    }
    let mut length = 0;
    for _ in 0..4 {
        let byte = from.u8()?;
        length = length << 7 | usize::from(byte & 0x7f);
        if byte & 0x80 == 0 {
            break;
        }
    }
    Ok(Cursor::new(from.take(length)?))
}
