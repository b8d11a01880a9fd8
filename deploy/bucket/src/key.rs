//! Which keys there are: those that are also the path of a file below the bucket's folder.
use s3s::{S3Error, s3_error};

/// S3's own limit, in bytes.
const MAX_KEY: usize = 1024;
/// What a name may have on nearly every file system, in bytes.
const MAX_NAME: usize = 255;

/// A key whose parts between slashes are all names that a file can have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Key(String);

/// Why a key is none; always the client's fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum KeyError {
    /// More than 1024 bytes, or a part of more than 255.
    #[error("a key has at most 1024 bytes, and each part of it at most 255")]
    TooLong,
    /// A part that is empty, `.` or `..`, or contains a zero byte.
    #[error("each part of a key between slashes must be a name")]
    NotAName,
}

impl Key {
    /// Takes a key as a request names it.
    pub(crate) fn parse(text: &str) -> Result<Self, KeyError> {
        if text.len() > MAX_KEY {
            return Err(KeyError::TooLong);
        }
        for part in text.split('/') {
            if part.len() > MAX_NAME {
                return Err(KeyError::TooLong);
            }
            if matches!(part, "" | "." | "..") || part.contains('\0') {
                return Err(KeyError::NotAName);
            }
        }
        Ok(Self(text.to_owned()))
    }

    /// The key as text, which is its path below the bucket's folder as well.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<KeyError> for S3Error {
    fn from(error: KeyError) -> Self {
        match error {
            KeyError::TooLong => s3_error!(KeyTooLongError, "{error}"),
            KeyError::NotAName => s3_error!(InvalidArgument, "{error}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn keys_are_names_between_slashes() {
        let long = "a".repeat(255);
        let longest = format!("{}/{}/{}/{}", long, long, long, "b".repeat(255));
        for good in ["a", "v1/a b/.c", "...", ".hidden", "a..b", "ä/ö", "a\\b", &long, &longest] {
            assert_eq!(Key::parse(good).unwrap().as_str(), good);
        }
        for (bad, why) in [
            ("", KeyError::NotAName),
            ("/a", KeyError::NotAName),
            ("a/", KeyError::NotAName),
            ("a//b", KeyError::NotAName),
            ("..", KeyError::NotAName),
            ("a/../../b", KeyError::NotAName),
            ("a/./b", KeyError::NotAName),
            ("a\0b", KeyError::NotAName),
            (&"a".repeat(256), KeyError::TooLong),
            (&format!("{longest}/c"), KeyError::TooLong),
        ] {
            assert_eq!(Key::parse(bad), Err(why), "{bad:?}");
        }
    }

    proptest! {
        #[test]
        fn no_key_leaves_the_folder(text in "[a./\\\\\0]{0,12}") {
            if let Ok(key) = Key::parse(&text) {
                let path = std::path::Path::new(key.as_str());
                let plain = |part| matches!(part, std::path::Component::Normal(_));
                prop_assert!(path.components().all(plain));
                prop_assert_eq!(path.components().count(), text.split('/').count());
            }
        }
    }
}
