//! In which form content is asked for: as a file, or in a form that proves itself (the trustless
//! gateway specification: `format` in the query, which wins, or `Accept`).
use axum::extract::Query;
use axum::http::{HeaderMap, Uri, header};

/// The media type of a block as it is.
pub(super) const RAW: &str = "application/vnd.ipld.raw";
/// The media type of an archive of blocks.
pub(super) const CAR: &str = "application/vnd.ipld.car";

/// What the answer shall be.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Format {
    /// The file, or the folder's names.
    File,
    /// The block that the path ends at.
    Raw,
    /// The blocks that prove the path, and those below its end as far as `scope` says.
    Car { scope: Scope, dups: bool },
}

/// Which blocks an archive holds besides those on the way.
#[derive(Debug, PartialEq, Eq, Clone, Copy)]
pub(super) enum Scope {
    /// The one that the path ends at.
    Block,
    /// What a whole file needs, or the names in a folder.
    Entity,
    /// What these bytes of a file need; of a folder as [`Scope::Entity`].
    Bytes { from: i64, to: Option<i64> },
    /// Everything.
    All,
}

/// The request makes no sense, in words for its sender.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Unfit {
    /// 400.
    Senseless(&'static str),
    /// 406: a form that we do not have.
    Unknown,
}

/// Reads the query and the `Accept` header.
pub(super) fn asked(uri: &Uri, headers: &HeaderMap) -> Result<Format, Unfit> {
    let Query(query) = Query::<Vec<(String, String)>>::try_from_uri(uri)
        .map_err(|_| Unfit::Senseless("the query cannot be read"))?;
    let of = |name: &str| query.iter().find_map(|(n, value)| (n == name).then_some(value.as_str()));
    let accepted = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    let accepted = best(accepted);
    let parameter = |name: &str| {
        let in_query = of(&format!("car-{name}"));
        in_query
            .or_else(|| accepted.parameters.iter().find_map(|(n, v)| (*n == name).then_some(*v)))
    };
    match of("format").unwrap_or(accepted.kind) {
        "raw" => Ok(Format::Raw),
        "car" => {
            let known = matches!(parameter("version"), None | Some("1"))
                && matches!(parameter("order"), None | Some("" | "dfs" | "unk"))
                && matches!(parameter("dups"), None | Some("y" | "n"));
            known.then_some(()).ok_or(Unfit::Unknown)?;
            let dups = parameter("dups") == Some("y");
            Ok(Format::Car { scope: scope(of("dag-scope"), of("entity-bytes"))?, dups })
        }
        "" => Ok(Format::File),
        _ => Err(Unfit::Unknown),
    }
}

fn scope(scope: Option<&str>, bytes: Option<&str>) -> Result<Scope, Unfit> {
    if let Some(bytes) = bytes {
        let senseless = Unfit::Senseless("entity-bytes is from:to, like 0:1023, 1024:* or -10:*");
        let (from, to) = bytes.split_once(':').ok_or(senseless)?;
        let senseless = |_| Unfit::Senseless("entity-bytes is from:to of whole numbers");
        let from = from.parse().map_err(senseless)?;
        let to = if to == "*" { None } else { Some(to.parse().map_err(senseless)?) };
        return Ok(Scope::Bytes { from, to });
    }
    match scope {
        None | Some("all") => Ok(Scope::All),
        Some("entity") => Ok(Scope::Entity),
        Some("block") => Ok(Scope::Block),
        Some(_) => Err(Unfit::Senseless("dag-scope is block, entity or all")),
    }
}

/// A media type of `Accept` as we call it, with its parameters; of others the empty name.
#[derive(Default)]
struct Accepted<'a> {
    kind: &'static str,
    parameters: Vec<(&'a str, &'a str)>,
}

/// The form of ours that is wanted most (RFC 9110, 12.5.1).
fn best<'a>(headers: impl Iterator<Item = &'a str>) -> Accepted<'a> {
    let mut best = Accepted::default();
    let mut weight = 0.0;
    for wanted in headers.flat_map(|header| header.split(',')) {
        let mut parts = wanted.split(';').map(str::trim);
        let kind = match parts.next().unwrap_or_default() {
            kind if kind.eq_ignore_ascii_case(RAW) => "raw",
            kind if kind.eq_ignore_ascii_case(CAR) => "car",
            _ => continue,
        };
        let parameters: Vec<_> = parts.filter_map(|part| part.split_once('=')).collect();
        let given = parameters.iter().find_map(|(name, q)| (*name == "q").then(|| q.parse().ok()));
        let given: f32 = given.flatten().unwrap_or(1.0);
        if given > weight {
            weight = given;
            best = Accepted { kind, parameters };
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderMap, HeaderValue, header};

    use super::Format::{Car, File, Raw};
    use super::Scope::{All, Block, Bytes, Entity};
    use super::{Unfit, asked};

    #[test]
    fn forms() {
        let car = |scope| Ok(Car { scope, dups: false });
        let senseless = |what| Err(Unfit::Senseless(what));
        for (query, accept, wanted) in [
            ("", "", Ok(File)),
            ("", "*/*", Ok(File)),
            ("", "text/html, */*;q=0.1", Ok(File)),
            ("filename=a", "", Ok(File)),
            ("format=raw", "", Ok(Raw)),
            ("format=raw", super::CAR, Ok(Raw)),
            ("", super::RAW, Ok(Raw)),
            ("format=car", "", car(All)),
            ("format=car&dag-scope=block", "", car(Block)),
            ("format=car&dag-scope=entity", "", car(Entity)),
            ("format=car&entity-bytes=0:*", "", car(Bytes { from: 0, to: None })),
            ("format=car&entity-bytes=-9:-2", "", car(Bytes { from: -9, to: Some(-2) })),
            ("dag-scope=block", "Application/vnd.ipld.car", car(Block)),
            ("", "application/vnd.ipld.car; version=1; order=dfs; dups=n", car(All)),
            ("", "application/vnd.ipld.car;dups=y", Ok(Car { scope: All, dups: true })),
            ("car-dups=n", "application/vnd.ipld.car;dups=y", car(All)),
            ("", "application/vnd.ipld.raw;q=0.5, application/vnd.ipld.car", car(All)),
            ("", "application/vnd.ipld.car;q=0", Ok(File)),
            ("", "application/vnd.ipld.car;version=2", Err(Unfit::Unknown)),
            ("format=car&car-order=foo", "", Err(Unfit::Unknown)),
            ("format=dag-json", "", Err(Unfit::Unknown)),
            ("format=car&dag-scope=x", "", senseless("dag-scope is block, entity or all")),
            (
                "format=car&entity-bytes=a:1",
                "",
                senseless("entity-bytes is from:to of whole numbers"),
            ),
        ] {
            let mut headers = HeaderMap::new();
            if !accept.is_empty() {
                headers.insert(header::ACCEPT, HeaderValue::from_static(accept));
            }
            let uri = format!("/ipfs/x?{query}").parse().unwrap();
            assert_eq!(asked(&uri, &headers), wanted, "{query} {accept}");
        }
    }
}
