//! Answers of the gateway: a file or a part of it, a folder's names, or a refusal.
use axum::body::Body;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use ipld_core::cid::Cid;
use rust_unixfs::dir::DirLink;

use super::Asked;
use super::format::Unfit;
use super::range::{Part, part_of};
use crate::engines::ipfs::Node;
use crate::engines::ipfs::file::{self, FileError};
use crate::engines::ipfs::node::NodeError;
use crate::engines::ipfs::resolve::ResolveError;

pub(super) const IPFS_PATH: HeaderName = HeaderName::from_static("x-ipfs-path");
pub(super) const IPFS_ROOTS: HeaderName = HeaderName::from_static("x-ipfs-roots");
/// What a CID names never changes.
const FOR_EVER: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");

/// What was asked for and found.
pub(super) struct Answer<'a> {
    pub(super) asked: Asked,
    pub(super) cid: Cid,
    pub(super) trail: &'a [Cid],
}

impl Answer<'_> {
    /// The file, the range of it that was asked for, or that it is the one the client has.
    pub(super) fn file(self, node: Node, size: u64) -> Response {
        let mut headers = self.headers();
        let etag = format!("\"{}\"", self.cid);
        let sent = &self.asked.headers;
        if matches_etag(sent, &etag) {
            return (StatusCode::NOT_MODIFIED, headers).into_response();
        }
        headers.insert(header::CONTENT_TYPE, content_type(self.asked.uri.path()));
        let whole_wanted = sent.get(header::IF_RANGE).is_some_and(|known| known != etag.as_str());
        let range = sent.get(header::RANGE).filter(|_| !whole_wanted);
        let range = range.and_then(|range| range.to_str().ok());
        let (status, range) = match range.map_or(Part::Whole, |range| part_of(range, size)) {
            Part::Whole => (StatusCode::OK, 0..size),
            Part::Bytes(part) => {
                let text = format!("bytes {}-{}/{size}", part.start, part.end - 1);
                headers.extend(value(header::CONTENT_RANGE, &text));
                (StatusCode::PARTIAL_CONTENT, part)
            }
            Part::Unsatisfiable => {
                let mut headers = HeaderMap::new();
                headers.extend(value(header::CONTENT_RANGE, &format!("bytes */{size}")));
                return (StatusCode::RANGE_NOT_SATISFIABLE, headers).into_response();
            }
        };
        headers.insert(header::CONTENT_LENGTH, (range.end - range.start).into());
        (status, headers, Body::from_stream(file::read(node, self.cid, range))).into_response()
    }

    /// The names in a folder, one a line.
    pub(super) fn folder(self, links: Vec<DirLink>) -> Response {
        let headers = self.headers();
        let names = links.into_iter().map(|link| link.name + "\n");
        (headers, names.collect::<String>()).into_response()
    }

    pub(super) fn headers(&self) -> HeaderMap {
        let roots: Vec<_> = self.trail.iter().map(ToString::to_string).collect();
        let mut headers = HeaderMap::new();
        headers.insert(header::CACHE_CONTROL, FOR_EVER);
        headers.insert(header::VARY, HeaderValue::from_static("accept"));
        headers.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
        headers.extend(value(header::ETAG, &format!("\"{}\"", self.cid)));
        headers.extend(value(IPFS_PATH, self.asked.uri.path()));
        headers.extend(value(IPFS_ROOTS, &roots.join(",")));
        headers
    }
}

pub(super) fn value(name: HeaderName, text: &str) -> Option<(HeaderName, HeaderValue)> {
    HeaderValue::from_str(text).ok().map(|value| (name, value))
}

pub(super) fn matches_etag(sent: &HeaderMap, etag: &str) -> bool {
    sent.get_all(header::IF_NONE_MATCH)
        .iter()
        .filter_map(|known| known.to_str().ok())
        .flat_map(|known| known.split(','))
        .map(|known| known.trim().trim_start_matches("W/"))
        .any(|known| known == etag || known == "*")
}

fn content_type(path: &str) -> HeaderValue {
    let ending = path.rsplit('/').next().and_then(|name| name.rsplit_once('.'));
    HeaderValue::from_static(match ending.map_or("", |(_, ending)| ending) {
        "m3u8" => "application/vnd.apple.mpegurl",
        "m4s" => "video/iso.segment",
        "mp4" => "video/mp4",
        "jpg" => "image/jpeg",
        "png" => "image/png",
        "webp" => "image/webp",
        "vtt" => "text/vtt; charset=utf-8",
        "json" => "application/json",
        _ => "application/octet-stream",
    })
}

/// Why nothing is served.
#[derive(Debug)]
pub(super) enum Refusal {
    /// No published root, or nothing of that name below it.
    NotFound,
    /// It is published, but a block of it is not here.
    Absent(Cid),
    /// The node or a block is broken; the log says more.
    Broken,
    /// The request makes no sense.
    Senseless(&'static str),
    /// A form that we do not have.
    NotAcceptable,
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let (status, text) = match self {
            Self::NotFound => (StatusCode::NOT_FOUND, "nothing is published here\n".to_owned()),
            Self::Absent(cid) => {
                (StatusCode::GATEWAY_TIMEOUT, format!("the block {cid} is not on this node\n"))
            }
            Self::Broken => (StatusCode::INTERNAL_SERVER_ERROR, "this cannot be read\n".to_owned()),
            Self::Senseless(why) => (StatusCode::BAD_REQUEST, format!("{why}\n")),
            Self::NotAcceptable => {
                (StatusCode::NOT_ACCEPTABLE, "the forms are raw, and car of version 1\n".to_owned())
            }
        };
        (status, [(header::CACHE_CONTROL, "no-store")], text).into_response()
    }
}

impl From<Unfit> for Refusal {
    fn from(unfit: Unfit) -> Self {
        match unfit {
            Unfit::Senseless(why) => Self::Senseless(why),
            Unfit::Unknown => Self::NotAcceptable,
        }
    }
}

impl From<NodeError> for Refusal {
    fn from(error: NodeError) -> Self {
        match error {
            NodeError::Absent(cid) => Self::Absent(cid),
            other => {
                tracing::error!(error = %other, "the gateway cannot read from its node");
                Self::Broken
            }
        }
    }
}

impl From<ResolveError> for Refusal {
    fn from(error: ResolveError) -> Self {
        match error {
            ResolveError::Node(error) => error.into(),
            ResolveError::NoSuchName { .. } | ResolveError::TooDeep => Self::NotFound,
            ResolveError::Unreadable(_) => Self::Broken,
        }
    }
}

impl From<FileError> for Refusal {
    fn from(error: FileError) -> Self {
        match error {
            FileError::Node(error) => error.into(),
            FileError::Unreadable(_) => Self::Broken,
        }
    }
}
