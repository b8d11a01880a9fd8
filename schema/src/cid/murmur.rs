//! murmur3-x64-64: the first half of Austin Appleby's MurmurHash3_x64_128 with seed 0, by which
//! sharded folders place their entries. No protection against chosen names.

const C1: u64 = 0x87c3_7b91_1142_53d5;
const C2: u64 = 0x4cf5_ad43_2745_937f;

/// The hash of a name.
pub(super) fn murmur3(bytes: &[u8]) -> u64 {
    let (mut h1, mut h2) = (0u64, 0u64);
    let mut blocks = bytes.chunks_exact(16);
    for block in &mut blocks {
        h1 = (h1 ^ first(word(&block[..8]))).rotate_left(27).wrapping_add(h2);
        h1 = h1.wrapping_mul(5).wrapping_add(0x52dc_e729);
        h2 = (h2 ^ second(word(&block[8..]))).rotate_left(31).wrapping_add(h1);
        h2 = h2.wrapping_mul(5).wrapping_add(0x3849_5ab5);
    }
    let tail = blocks.remainder();
    let (low, high) = tail.split_at(tail.len().min(8));
    h2 ^= second(word(high));
    h1 ^= first(word(low));

    let len = bytes.len() as u64;
    h1 = (h1 ^ len).wrapping_add(h2 ^ len);
    h2 = (h2 ^ len).wrapping_add(h1);
    mix(h1).wrapping_add(mix(h2))
}

/// Up to 8 bytes, the first the least significant.
fn word(bytes: &[u8]) -> u64 {
    bytes.iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte))
}

fn first(word: u64) -> u64 {
    word.wrapping_mul(C1).rotate_left(31).wrapping_mul(C2)
}

fn second(word: u64) -> u64 {
    word.wrapping_mul(C2).rotate_left(33).wrapping_mul(C1)
}

fn mix(mut k: u64) -> u64 {
    k = (k ^ k >> 33).wrapping_mul(0xff51_afd7_ed55_8ccd);
    k = (k ^ k >> 33).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    k ^ k >> 33
}

#[cfg(test)]
mod tests {
    use super::murmur3;

    /// Computed with @multiformats/murmur3 2.2.5; the lengths end in every kind of tail.
    #[test]
    fn agrees_with_the_reference() {
        for (name, hash) in [
            ("", 0),
            ("a", 0x8555_5565_f659_7889),
            ("seven77", 0x67a5_93d1_81c4_c7dd),
            ("eightxxx", 0xe3d4_0603_0acf_d885),
            ("nine_xxxx", 0x03aa_5cb1_f942_752e),
            ("fifteen_letters", 0x8569_8618_d005_7028),
            ("sixteen_letters_", 0x5aef_56e2_a1ef_544f),
            ("seventeen_letters", 0xaf3c_330c_1197_0978),
            ("Zoë.jpg", 0x340b_5f5c_23a3_6fb2),
            ("the quick brown fox jumps over the lazy dog", 0xbce4_e9fe_e2ad_86b3),
        ] {
            assert_eq!(murmur3(name.as_bytes()), hash, "{name}");
        }
    }
}
