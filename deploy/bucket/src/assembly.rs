//! Which parts make an object, decided without a disk.
use data_encoding::HEXLOWER;
use md5::{Digest as _, Md5};
use s3s::{S3Error, s3_error};

/// The smallest part that is not the last one, in bytes (S3's own limit).
const MIN_PART: u64 = 5 << 20;
/// S3's own limit.
pub(crate) const MAX_NUMBER: i32 = 10_000;

/// A part that is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Part {
    /// From 1 to 10,000.
    pub(crate) number: i32,
    /// When it was stored, in nanoseconds since 1970; no two parts have the same.
    pub(crate) stamp: i128,
    /// Its ETag.
    pub(crate) md5: [u8; 16],
    /// In bytes.
    pub(crate) size: u64,
}

impl Part {
    /// The name of its file.
    pub(crate) fn name(&self) -> String {
        format!("{:05}-{:020}-{}", self.number, self.stamp, self.etag())
    }

    /// The part whose file has this name and size.
    pub(crate) fn named(name: &str, size: u64) -> Option<Self> {
        let mut fields = name.split('-');
        let (number, stamp, md5) = (fields.next()?, fields.next()?, fields.next()?);
        let md5 = HEXLOWER.decode(md5.as_bytes()).ok()?.try_into().ok()?;
        Some(Self { number: number.parse().ok()?, stamp: stamp.parse().ok()?, md5, size })
    }

    /// The MD5 in hex.
    pub(crate) fn etag(&self) -> String {
        HEXLOWER.encode(&self.md5)
    }
}

/// A part as the client names it in the end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Named {
    /// Its number.
    pub(crate) number: i32,
    /// Its ETag, without quotes.
    pub(crate) etag: String,
}

/// Why the parts make no object; always the client's fault, and nothing was touched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Wrong {
    /// None is named.
    #[error("no part is named")]
    None,
    /// Numbers do not ascend.
    #[error("part {0} is not named in ascending order")]
    Order(i32),
    /// Not stored, or with another ETag.
    #[error("part {0} is not stored with this ETag")]
    Part(i32),
    /// Smaller than 5 MiB, and not the last one.
    #[error("part {0} is smaller than 5 MiB and not the last one")]
    Small(i32),
}

impl From<Wrong> for S3Error {
    fn from(wrong: Wrong) -> Self {
        match wrong {
            Wrong::None => s3_error!(MalformedXML, "{wrong}"),
            Wrong::Order(_) => s3_error!(InvalidPartOrder, "{wrong}"),
            Wrong::Part(_) => s3_error!(InvalidPart, "{wrong}"),
            Wrong::Small(_) => s3_error!(EntityTooSmall, "{wrong}"),
        }
    }
}

/// The stored parts (by number) that the named ones are, in their order.
pub(crate) fn choose(named: &[Named], stored: &[Part]) -> Result<Vec<Part>, Wrong> {
    let mut chosen: Vec<Part> = Vec::with_capacity(named.len());
    for name in named {
        if chosen.last().is_some_and(|last| last.number >= name.number) {
            return Err(Wrong::Order(name.number));
        }
        let at = stored.binary_search_by_key(&name.number, |part| part.number);
        let part = at.ok().and_then(|at| stored.get(at)).filter(|part| part.etag() == name.etag);
        chosen.push(part.ok_or(Wrong::Part(name.number))?.clone());
    }
    let (_, before) = chosen.split_last().ok_or(Wrong::None)?;
    match before.iter().find(|part| part.size < MIN_PART) {
        Some(small) => Err(Wrong::Small(small.number)),
        None => Ok(chosen),
    }
}

/// The ETag of an object of these parts: `<MD5 of their MD5s>-<how many>`. `None` where an ETag is none.
pub(crate) fn etag(named: &[Named]) -> Option<String> {
    let mut hash = Md5::default();
    for part in named {
        hash.update(HEXLOWER.decode(part.etag.as_bytes()).ok()?);
    }
    Some(format!("{}-{}", HEXLOWER.encode(&hash.finalize()), named.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(number: i32, size: u64) -> Part {
        let md5 = [u8::try_from(number).unwrap(); 16];
        Part { number, stamp: i128::from(number) + 1_700_000_000_000_000_000, md5, size }
    }

    #[test]
    fn a_name_says_all_of_a_part() {
        let part = part(7, 9);
        assert_eq!(part.name(), format!("00007-01700000000000000007-{}", "07".repeat(16)));
        assert_eq!(Part::named(&part.name(), 9), Some(part));
        assert_eq!(Part::named("about.json", 9), None);
    }

    #[test]
    fn parts_are_checked_before_anything_is_touched() {
        let stored = [part(1, MIN_PART), part(2, MIN_PART - 1), part(3, MIN_PART), part(5, 1)];
        let named = |number: i32| Named { number, etag: part(number, 0).etag() };
        let other = Named { number: 3, etag: part(1, 0).etag() };
        for (asked, expected) in [
            (vec![named(1), named(3), named(5)], Ok(vec![1, 3, 5])),
            (vec![named(5)], Ok(vec![5])),
            (vec![named(1), named(2)], Ok(vec![1, 2])),
            (vec![], Err(Wrong::None)),
            (vec![named(3), named(1)], Err(Wrong::Order(1))),
            (vec![named(1), named(1)], Err(Wrong::Order(1))),
            (vec![named(1), named(4)], Err(Wrong::Part(4))),
            (vec![named(1), other], Err(Wrong::Part(3))),
            (vec![named(1), named(2), named(3)], Err(Wrong::Small(2))),
        ] {
            let chosen = choose(&asked, &stored);
            let numbers = chosen.map(|parts| parts.iter().map(|part| part.number).collect());
            assert_eq!(numbers, expected, "{asked:?}");
        }
    }

    #[test]
    fn the_etag_is_of_the_parts_etags() {
        let named = |number: i32| Named { number, etag: part(number, 0).etag() };
        let whole = etag(&[named(1), named(2)]).unwrap();
        let mut bytes = vec![1; 16];
        bytes.extend([2; 16]);
        assert_eq!(whole, format!("{}-2", HEXLOWER.encode(&Md5::digest(&bytes))));
        assert_eq!(etag(&[Named { number: 1, etag: "x".to_owned() }]), None);
    }
}
