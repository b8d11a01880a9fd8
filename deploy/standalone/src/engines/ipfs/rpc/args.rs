//! A call's arguments, all of which stand in the query; `arg` may come several times.
use axum::extract::{FromRequestParts, Query};
use axum::http::request::Parts;
use ipld_core::cid::Cid;

use super::problem::Problem;

/// The decoded query.
pub(super) struct Args(Vec<(String, String)>);

impl<S: Send + Sync> FromRequestParts<S> for Args {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        Query::try_from_uri(&parts.uri)
            .map(|Query(pairs)| Self(pairs))
            .map_err(|error| Problem::bad(error.to_string()))
    }
}

impl Args {
    /// The first value of a name.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find_map(|(n, value)| (n == name).then_some(value.as_str()))
    }

    /// A name's value as a number, or `default` where it is not there.
    pub(super) fn number(&self, name: &str, default: u64) -> Result<u64, Problem> {
        self.get(name).map_or(Ok(default), |text| {
            text.parse().map_err(|_| Problem::bad(format!("{name} must be a number, not {text:?}")))
        })
    }

    /// A name's value as yes or no, or `default` where it is not there.
    pub(super) fn flag(&self, name: &str, default: bool) -> Result<bool, Problem> {
        match self.get(name) {
            None => Ok(default),
            Some("true" | "1" | "") => Ok(true),
            Some("false" | "0") => Ok(false),
            Some(text) => Err(Problem::bad(format!("{name} must be true or false, not {text:?}"))),
        }
    }

    /// Every `arg` as a CID; at least one.
    pub(super) fn cids(&self) -> Result<Vec<Cid>, Problem> {
        let args = self.0.iter().filter(|(name, _)| name == "arg");
        let cids: Vec<_> = args.map(|(_, text)| cid(text)).collect::<Result<_, _>>()?;
        if cids.is_empty() { Err(Problem::bad("argument \"arg\" is required")) } else { Ok(cids) }
    }

    /// The one `arg` as a CID.
    pub(super) fn cid(&self) -> Result<Cid, Problem> {
        Ok(self.cids()?[0])
    }

    /// The one `arg` as a CID and the path below it.
    pub(super) fn path(&self) -> Result<(Cid, &str), Problem> {
        let text = self.get("arg").ok_or_else(|| Problem::bad("argument \"arg\" is required"))?;
        let text = text.strip_prefix("/ipfs/").unwrap_or(text);
        let (root, path) = text.split_once('/').unwrap_or((text, ""));
        Ok((cid(root)?, path))
    }
}

fn cid(text: &str) -> Result<Cid, Problem> {
    let text = text.strip_prefix("/ipfs/").unwrap_or(text);
    Cid::try_from(text).map_err(|error| Problem::failed(format!("invalid path {text:?}: {error}")))
}
