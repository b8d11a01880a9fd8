//! Conditions of requests, decided without a disk.
use s3s::dto::{ETag, ETagCondition, Timestamp};
use s3s::{S3Error, s3_error};

/// When an object may be written.
#[derive(Clone, Debug, Default)]
pub(crate) struct WriteIf {
    /// Only over an object with this ETag.
    pub(crate) matches: Option<ETagCondition>,
    /// Only where no object (`*`), or none with this ETag, is.
    pub(crate) none_matches: Option<ETagCondition>,
}

/// When an object may be read, or copied from.
#[derive(Clone, Debug, Default)]
#[allow(missing_docs)]
pub(crate) struct ReadIf {
    pub(crate) matches: Option<ETagCondition>,
    pub(crate) none_matches: Option<ETagCondition>,
    pub(crate) modified_since: Option<Timestamp>,
    pub(crate) unmodified_since: Option<Timestamp>,
}

/// Why not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    /// `If-Match` where nothing is.
    Missing,
    /// The condition does not hold.
    Failed,
    /// A reader has it already.
    NotModified,
}

impl WriteIf {
    /// Whether an object may be created but none replaced.
    pub(crate) fn only_new(&self) -> bool {
        matches!(self.none_matches, Some(ETagCondition::Any))
    }

    /// Whether there is any condition.
    pub(crate) fn any(&self) -> bool {
        self.matches.is_some() || self.none_matches.is_some()
    }

    /// Judges by the ETag of the object that is there.
    pub(crate) fn allows(&self, present: Option<&str>) -> Result<(), Refused> {
        match (&self.matches, present) {
            (Some(_), None) => return Err(Refused::Missing),
            (Some(wanted), Some(etag)) if !is(wanted, etag) => return Err(Refused::Failed),
            _ => {}
        }
        match (&self.none_matches, present) {
            (Some(unwanted), Some(etag)) if is(unwanted, etag) => Err(Refused::Failed),
            _ => Ok(()),
        }
    }
}

impl ReadIf {
    /// Judges by ETag and time of the object, in the order of RFC 9110, section 13.2.2.
    pub(crate) fn allows(&self, etag: &str, modified: &Timestamp) -> Result<(), Refused> {
        let second = |time: &Timestamp| time::OffsetDateTime::from(time.clone()).unix_timestamp();
        let modified = second(modified);
        if let Some(wanted) = &self.matches {
            if !is(wanted, etag) {
                return Err(Refused::Failed);
            }
        } else if self.unmodified_since.as_ref().is_some_and(|since| modified > second(since)) {
            return Err(Refused::Failed);
        }
        if let Some(unwanted) = &self.none_matches {
            if is(unwanted, etag) {
                return Err(Refused::NotModified);
            }
        } else if self.modified_since.as_ref().is_some_and(|since| modified <= second(since)) {
            return Err(Refused::NotModified);
        }
        Ok(())
    }
}

fn is(condition: &ETagCondition, etag: &str) -> bool {
    match condition {
        ETagCondition::Any => true,
        ETagCondition::ETag(ETag::Strong(value) | ETag::Weak(value)) => value == etag,
    }
}

impl From<Refused> for S3Error {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Missing => s3_error!(NoSuchKey),
            Refused::Failed => s3_error!(PreconditionFailed),
            Refused::NotModified => s3_error!(NotModified),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tag(value: &str) -> Option<ETagCondition> {
        Some(ETagCondition::ETag(ETag::Strong(value.to_owned())))
    }

    #[test]
    fn writes() {
        let any = || Some(ETagCondition::Any);
        for (matches, none_matches, present, expected) in [
            (None, None, None, Ok(())),
            (None, None, Some("a"), Ok(())),
            (None, any(), None, Ok(())),
            (None, any(), Some("a"), Err(Refused::Failed)),
            (None, tag("b"), Some("a"), Ok(())),
            (None, tag("a"), Some("a"), Err(Refused::Failed)),
            (tag("a"), None, Some("a"), Ok(())),
            (tag("a"), None, Some("b"), Err(Refused::Failed)),
            (tag("a"), None, None, Err(Refused::Missing)),
            (any(), None, Some("a"), Ok(())),
            (any(), None, None, Err(Refused::Missing)),
        ] {
            let condition = WriteIf { matches, none_matches };
            assert_eq!(condition.allows(present), expected, "{condition:?} {present:?}");
        }
    }

    #[test]
    fn reads() {
        let at = |seconds| {
            Some(Timestamp::from(time::OffsetDateTime::from_unix_timestamp(seconds).unwrap()))
        };
        let modified = time::OffsetDateTime::from_unix_timestamp_nanos(100_500_000_000).unwrap();
        for (matches, none_matches, modified_since, unmodified_since, expected) in [
            (None, None, None, None, Ok(())),
            (tag("a"), None, None, at(1), Ok(())),
            (tag("b"), None, None, None, Err(Refused::Failed)),
            (None, tag("a"), None, None, Err(Refused::NotModified)),
            (None, tag("b"), at(200), None, Ok(())),
            (None, None, at(100), None, Err(Refused::NotModified)),
            (None, None, at(99), None, Ok(())),
            (None, None, None, at(100), Ok(())),
            (None, None, None, at(99), Err(Refused::Failed)),
        ] {
            let condition = ReadIf { matches, none_matches, modified_since, unmodified_since };
            let judged = condition.allows("a", &modified.into());
            assert_eq!(judged, expected, "{condition:?}");
        }
    }
}
