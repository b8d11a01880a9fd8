//! Writing one fragment of sound.

/// A moof and mdat for one track of samples that can all be decoded alone.
///
/// `sequence` is the mfhd's number (from 1), `tfdt` the first decode time, `samples` pairs of size and duration;
/// `data` is all samples' bytes in order.
pub fn fragment(sequence: u32, tfdt: u64, samples: &[(u32, u32)], data: &[u8]) -> Vec<u8> {
    let same = samples.first().map(|first| first.1);
    let same = same.filter(|same| samples.iter().all(|(_, duration)| duration == same));
    let mut trun = Vec::with_capacity(20 + samples.len() * 8);
    // Offset, sizes, and durations where they differ.
    let flags: u32 = if same.is_some() { 0x201 } else { 0x301 };
    trun.extend_from_slice(&flags.to_be_bytes());
    trun.extend_from_slice(&u32::try_from(samples.len()).unwrap_or(u32::MAX).to_be_bytes());
    let offset_at = trun.len();
    trun.extend_from_slice(&[0; 4]);
    for (size, duration) in samples {
        if same.is_none() {
            trun.extend_from_slice(&duration.to_be_bytes());
        }
        trun.extend_from_slice(&size.to_be_bytes());
    }
    let mut tfhd = Vec::with_capacity(16);
    // Addressed from the moof; default duration where it is one; no sample depends on another.
    let flags: u32 = if same.is_some() { 0x02_0028 } else { 0x02_0020 };
    tfhd.extend_from_slice(&flags.to_be_bytes());
    tfhd.extend_from_slice(&1u32.to_be_bytes());
    if let Some(duration) = same {
        tfhd.extend_from_slice(&duration.to_be_bytes());
    }
    tfhd.extend_from_slice(&0x0200_0000u32.to_be_bytes());
    let mut time = vec![1, 0, 0, 0];
    time.extend_from_slice(&tfdt.to_be_bytes());
    let mut number = vec![0; 4];
    number.extend_from_slice(&sequence.to_be_bytes());
    let mfhd = boxed(b"mfhd", &number);
    let before_trun = [boxed(b"tfhd", &tfhd), boxed(b"tfdt", &time)].concat();
    let moof_size = 8 + mfhd.len() + 8 + before_trun.len() + 8 + trun.len();
    let data_offset = u32::try_from(moof_size + 8).unwrap_or(u32::MAX);
    if let Some(field) = trun.get_mut(offset_at..offset_at + 4) {
        field.copy_from_slice(&data_offset.to_be_bytes());
    }
    let traf = boxed(b"traf", &[before_trun, boxed(b"trun", &trun)].concat());
    let mut bytes = boxed(b"moof", &[mfhd, traf].concat());
    bytes.extend_from_slice(&boxed(b"mdat", data));
    bytes
}

/// A box of less than 4 GiB; the packer's are some 100 kB.
fn boxed(kind: &[u8; 4], body: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(body.len() + 8);
    bytes.extend_from_slice(&u32::try_from(body.len() + 8).unwrap_or(u32::MAX).to_be_bytes());
    bytes.extend_from_slice(kind);
    bytes.extend_from_slice(body);
    bytes
}
