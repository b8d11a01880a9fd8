//! Answers that prove themselves: a block as it is, or an archive of blocks.
use std::ops::Range;

use axum::body::Body;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use ipld_core::cid::Cid;

use super::answer::{Answer, Refusal, matches_etag, value};
use super::format::{CAR, RAW, Scope};
use crate::engines::ipfs::Node;
use crate::engines::ipfs::car::{self, Part};
use crate::engines::ipfs::file::{Kind, look};

/// The CID of no bytes at all, by which clients try what a gateway can do.
pub(super) const PROBE: &str = "bafkqaaa";

impl Answer<'_> {
    /// The block of the CID.
    pub(super) async fn raw(self, node: Node) -> Result<Response, Refusal> {
        let block = node.block(&self.cid).await?;
        let etag = format!("\"{}.raw\"", self.cid);
        Ok(self.sent(&etag, RAW, "bin", Some(block.data().len()), || {
            block.inner_data().clone().into()
        }))
    }

    /// The archive of the blocks on the way to the CID, and of those below it that `scope` names.
    pub(super) async fn car(
        self,
        node: Node,
        on_the_way: Vec<Cid>,
        scope: Scope,
        dups: bool,
    ) -> Result<Response, Refusal> {
        let part = part(&node, self.cid, scope).await?;
        let dups_text = if dups { "y" } else { "n" };
        let root = self.trail.first().unwrap_or(&self.cid);
        let scope = scope_name(scope);
        let etag = format!("W/\"{root}.{}.car.{scope}.{dups_text}\"", self.cid);
        let kind = format!("{CAR}; version=1; order=dfs; dups={dups_text}");
        let cid = self.cid;
        let body = || Body::from_stream(car::stream(node, on_the_way, cid, part, dups));
        Ok(self.sent(&etag, &kind, "car", None, body))
    }

    fn sent(
        self,
        etag: &str,
        kind: &str,
        ending: &str,
        length: Option<usize>,
        body: impl FnOnce() -> Body,
    ) -> Response {
        let mut headers = self.headers();
        headers.insert(header::ACCEPT_RANGES, HeaderValue::from_static("none"));
        headers.remove(header::ETAG);
        headers.extend(value(header::ETAG, etag));
        if matches_etag(&self.asked.headers, etag.trim_start_matches("W/")) {
            return (StatusCode::NOT_MODIFIED, headers).into_response();
        }
        let disposition = format!("attachment; filename=\"{}.{ending}\"", self.cid);
        headers.extend(value(header::CONTENT_DISPOSITION, &disposition));
        headers.extend(value(header::CONTENT_TYPE, kind));
        headers.extend(length.map(|length| (header::CONTENT_LENGTH, length.into())));
        (headers, body()).into_response()
    }
}

/// The answer to a probe.
pub(super) fn probed(raw: bool) -> Response {
    if raw {
        return ([(header::CONTENT_TYPE, RAW)], Body::empty()).into_response();
    }
    let kind = format!("{CAR}; version=1; order=dfs; dups=n");
    let header = Cid::try_from(PROBE).map(|root| car::header(&root)).unwrap_or_default();
    ([(header::CONTENT_TYPE, kind)], header).into_response()
}

fn scope_name(scope: Scope) -> String {
    match scope {
        Scope::Block => "block".to_owned(),
        Scope::Entity => "entity".to_owned(),
        Scope::All => "all".to_owned(),
        Scope::Bytes { from, to: None } => format!("{from}:*"),
        Scope::Bytes { from, to: Some(to) } => format!("{from}:{to}"),
    }
}

/// What `scope` means for this file or folder.
async fn part(node: &Node, cid: Cid, scope: Scope) -> Result<Part, Refusal> {
    if scope == Scope::Block {
        // Whether it is here has to be known before the answer begins.
        node.block(&cid).await?;
        return Ok(Part::Block);
    }
    Ok(match (scope, look(node, cid).await?) {
        (Scope::Block, _) => Part::Block,
        (Scope::All, _) | (Scope::Entity, Kind::File { .. }) => Part::All,
        (Scope::Entity | Scope::Bytes { .. }, Kind::Folder) => Part::Folder,
        (Scope::Bytes { from, to }, Kind::File { size }) => match bytes(from, to, size) {
            Some(range) if range.is_empty() => Part::Block,
            Some(range) => Part::Bytes(range),
            None => return Err(Refusal::Senseless("entity-bytes lie outside of the file")),
        },
    })
}

/// The bytes of a file that `entity-bytes` names, both ends counted from its end where they are
/// negative; `None` where none could be.
fn bytes(from: i64, to: Option<i64>, size: u64) -> Option<Range<u64>> {
    let at = |place: i64| match u64::try_from(place) {
        Ok(place) => Some(place),
        Err(_) => size.checked_sub(place.unsigned_abs()),
    };
    let first = at(from).unwrap_or(0);
    let end = match to {
        None => size,
        Some(to) => at(to).map_or(0, |last| last.saturating_add(1).min(size)),
    };
    if size > 0 && first >= size { None } else { Some(first..end.max(first)) }
}

#[cfg(test)]
mod tests {
    use super::bytes;

    #[test]
    fn bytes_of_a_file() {
        for (from, to, size, wanted) in [
            (0, None, 10, Some(0..10)),
            (0, Some(0), 10, Some(0..1)),
            (3, Some(99), 10, Some(3..10)),
            (-4, None, 10, Some(6..10)),
            (-40, None, 10, Some(0..10)),
            (2, Some(-3), 10, Some(2..8)),
            (8, Some(-9), 10, Some(8..8)),
            (0, Some(-90), 10, Some(0..0)),
            (10, None, 10, None),
            (0, None, 0, Some(0..0)),
        ] {
            assert_eq!(bytes(from, to, size), wanted, "{from} {to:?} {size}");
        }
    }
}
