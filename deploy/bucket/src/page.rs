//! One page of a listing, with keys that share a beginning rolled up.
use std::io;
use std::path::PathBuf;

use crate::walk::Walk;

/// S3's own limit of keys in an answer.
pub(crate) const MAX: usize = 1000;

/// What is asked for.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ask {
    /// Only keys that begin with this.
    pub(crate) prefix: String,
    /// Keys with this behind the prefix are rolled up to it.
    pub(crate) delimiter: Option<String>,
    /// Only what comes after this key or rolled up beginning.
    pub(crate) after: Option<String>,
    /// At most this many of both kinds; 1000 at most.
    pub(crate) limit: usize,
}

/// What is there.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Page {
    /// In the order of their bytes.
    pub(crate) keys: Vec<String>,
    /// Rolled up beginnings, likewise.
    pub(crate) commons: Vec<String>,
    /// What to ask `after` for the next page; `None` on the last one.
    pub(crate) next: Option<String>,
}

impl Ask {
    /// The rolled up beginning of a key that begins with the prefix.
    fn common<'k>(&self, key: &'k str) -> Option<&'k str> {
        let delimiter = self.delimiter.as_deref().filter(|delimiter| !delimiter.is_empty())?;
        let behind = key.get(self.prefix.len()..)?;
        let end = self.prefix.len() + behind.find(delimiter)? + delimiter.len();
        key.get(..end)
    }
}

/// Reads a page of the bucket in this folder.
pub(crate) fn read(bucket: PathBuf, ask: &Ask) -> io::Result<Page> {
    let limit = ask.limit.min(MAX);
    let mut page = Page::default();
    if limit == 0 {
        return Ok(page);
    }
    let mut walk = Walk::new(bucket, ask.prefix.clone(), ask.after.clone());
    // A page that ended with a rolled up beginning is done with all below it.
    if let Some(after) = ask.after.as_deref().filter(|after| after.starts_with(&ask.prefix))
        && ask.common(after) == Some(after)
    {
        walk.leave_out(after.to_owned());
    }
    let mut last = String::new();
    while let Some(key) = walk.next() {
        let key = key?;
        if page.keys.len() + page.commons.len() == limit {
            page.next = Some(last);
            break;
        }
        if let Some(common) = ask.common(&key).map(str::to_owned) {
            walk.leave_out(common.clone());
            last.clone_from(&common);
            page.commons.push(common);
        } else {
            last.clone_from(&key);
            page.keys.push(key);
        }
    }
    Ok(page)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn bucket(keys: &[&str]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for key in keys {
            let path = folder.path().join(key);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "").unwrap();
        }
        folder
    }

    const KEYS: [&str; 9] = ["a-b", "a.b", "a/b", "a/c/d", "a/c/e", "a0", "b/x", "b/y", "c"];

    #[test]
    fn order_prefix_delimiter_and_marker() {
        let folder = bucket(&KEYS);
        std::fs::create_dir_all(folder.path().join("empty/er")).unwrap();
        let all = KEYS.as_slice();
        for (prefix, delimiter, after, keys, commons) in [
            ("", None, None, all, &[][..]),
            ("a", None, None, &all[..6], &[]),
            ("a/", None, None, &["a/b", "a/c/d", "a/c/e"], &[]),
            ("a/c", None, None, &["a/c/d", "a/c/e"], &[]),
            ("a/b", None, None, &["a/b"], &[]),
            ("", None, Some("a/c/d"), &all[4..], &[]),
            ("", None, Some("a/bb"), &all[3..], &[]),
            ("", None, Some("b"), &all[6..], &[]),
            ("", Some("/"), None, &["a-b", "a.b", "a0", "c"], &["a/", "b/"]),
            ("", Some("/"), Some("a/"), &["a0", "c"], &["b/"]),
            ("a/", Some("/"), None, &["a/b"], &["a/c/"]),
            ("a/", Some("/"), Some("a/c/"), &[], &[]),
            ("a", Some("/"), None, &["a-b", "a.b", "a0"], &["a/"]),
            ("", Some("c"), None, &["a-b", "a.b", "a/b", "a0", "b/x", "b/y"], &["a/c", "c"]),
            ("x", None, None, &[], &[]),
            ("../", None, None, &[], &[]),
            ("/", None, None, &[], &[]),
            ("a/c/d/", None, None, &[], &[]),
            ("", None, Some("z"), &[], &[]),
        ] {
            let ask = Ask {
                prefix: prefix.to_owned(),
                delimiter: delimiter.map(str::to_owned),
                after: after.map(str::to_owned),
                limit: MAX,
            };
            let page = read(folder.path().to_owned(), &ask).unwrap();
            assert_eq!((page.keys, page.commons), (owned(keys), owned(commons)), "{ask:?}");
            assert_eq!(page.next, None);
        }
    }

    fn owned(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|text| (*text).to_owned()).collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        /// Pages of any size say together what one page of everything says.
        #[test]
        fn pages_add_up(limit in 1..5_usize, prefix in "[abc]?/?", rolled in any::<bool>()) {
            let folder = bucket(&KEYS);
            let mut ask = Ask { prefix, delimiter: rolled.then(|| "/".to_owned()), after: None, limit: MAX };
            let whole = read(folder.path().to_owned(), &ask).unwrap();
            ask.limit = limit;
            let mut sum = Page::default();
            loop {
                let page = read(folder.path().to_owned(), &ask).unwrap();
                prop_assert!(page.keys.len() + page.commons.len() <= limit);
                sum.keys.extend(page.keys);
                sum.commons.extend(page.commons);
                let Some(next) = page.next else { break };
                ask.after = Some(next);
            }
            prop_assert_eq!(sum, whole);
        }
    }
}
