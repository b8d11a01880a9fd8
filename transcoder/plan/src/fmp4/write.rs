//! Writing boxes, and one fragment of sound.

/// A moof and mdat for one track of samples of one duration that can all be decoded alone.
///
/// `sequence` is the mfhd's number (from 1), `tfdt` the first decode time and `duration` a sample's, in units of the
/// track's timescale; `sizes` are the samples' in bytes, `data` is all samples in order.
pub fn fragment(sequence: u32, tfdt: u64, duration: u32, sizes: &[u32], data: &[u8]) -> Vec<u8> {
    let n_samples = u32::try_from(sizes.len()).unwrap_or(u32::MAX);
    // 8 each for the heads of moof, traf, trun and mdat; 16, 24, 20 for mfhd, tfhd, tfdt; 12 and the sizes in trun.
    let data_offset =
        (8 + 16 + 8 + 24 + 20 + 8 + 12u32 + 8).saturating_add(n_samples.saturating_mul(4));
    let mfhd = boxed(b"mfhd", &[0, sequence]);
    // Addressed from the moof; one duration; no sample depends on another.
    let tfhd = boxed(b"tfhd", &[0x0002_0028, 1, duration, 0x0200_0000]);
    let (high, low) = ((tfdt >> 32) as u32, tfdt as u32);
    let tfdt = boxed(b"tfdt", &[0x0100_0000, high, low]);
    // Data offset, and a size for each sample.
    let head = [0x201, n_samples, data_offset];
    let trun = boxed(b"trun", &[&head, sizes].concat());
    let traf = joined(b"traf", &[&tfhd, &tfdt, &trun]);
    [joined(b"moof", &[&mfhd, &traf]), joined(b"mdat", &[data])].concat()
}

/// A box of big-endian words.
pub(crate) fn boxed(kind: &[u8; 4], words: &[u32]) -> Vec<u8> {
    let body: Vec<u8> = words.iter().flat_map(|word| word.to_be_bytes()).collect();
    joined(kind, &[&body])
}

/// A box of less than 4 GiB (a segment of sound is some 100 kB, the tables of 12 h some 100 MB).
pub(crate) fn joined(kind: &[u8; 4], parts: &[&[u8]]) -> Vec<u8> {
    let size = 8 + parts.iter().map(|part| part.len()).sum::<usize>();
    let mut bytes = Vec::with_capacity(size);
    bytes.extend_from_slice(&u32::try_from(size).unwrap_or(u32::MAX).to_be_bytes());
    bytes.extend_from_slice(kind);
    bytes.extend(parts.iter().copied().flatten());
    bytes
}
