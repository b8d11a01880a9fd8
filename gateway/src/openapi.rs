//! `GET /openapi.json`: OpenAPI 3.1 from the handlers themselves.

use std::collections::BTreeMap;

use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use utoipa::OpenApi as _;
use utoipa::openapi::path::Operation;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{ContentBuilder, OpenApi, PathItem, Ref, RefOr, ResponseBuilder};

use crate::app::Shared;
use crate::problem::Code;

/// Declares which problems an operation answers with, beside those that any request can meet.
macro_rules! problems {
    ($name:ident: $($code:ident),* $(,)?) => {
        /// The problems of this operation.
        struct $name;

        impl utoipa::IntoResponses for $name {
            fn responses() -> std::collections::BTreeMap<
                String,
                utoipa::openapi::RefOr<utoipa::openapi::response::Response>,
            > {
                $crate::openapi::responses(&[$($crate::problem::Code::$code),*])
            }
        }
    };
}
pub(crate) use problems;

const BEARER: &str = "key";

/// What any request can meet.
const ANYWHERE: &[Code] = &[Code::WrongHost, Code::Internal, Code::Busy];

#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "Reelpin",
        description = "Upload videos, follow them while they are made ready, and play them.",
    ),
    components(schemas(crate::problem::Document)),
    tags(
        (name = "upload", description = "From a ticket to a stored original."),
        (name = "video", description = "Records, and what changes them."),
        (name = "playback", description = "Open to whoever knows a video's id."),
        (name = "feed", description = "Events as they happen."),
        (name = "service", description = "For whoever runs the server."),
    )
)]
struct Api;

/// Where the router begins.
pub(crate) fn base() -> OpenApi {
    Api::openapi()
}

/// The description of the whole API.
pub fn document() -> OpenApi {
    finish(crate::router::described())
}

/// Marks every operation of a router as guarded by the key.
pub(crate) fn guarded(api: &mut OpenApi) {
    for operation in operations(api) {
        operation.security = Some(vec![SecurityRequirement::new(BEARER, Vec::<String>::new())]);
        add(operation, &[Code::Unauthorized]);
    }
}

fn finish(mut api: OpenApi) -> OpenApi {
    for (path, item) in std::mem::take(&mut api.paths.paths) {
        // axum's wildcard is OpenAPI's plain parameter.
        api.paths.paths.insert(path.replace("{*", "{"), item);
    }
    for operation in operations(&mut api) {
        add(operation, ANYWHERE);
    }
    for item in api.paths.paths.values_mut() {
        for operation in [&mut item.post, &mut item.patch, &mut item.put, &mut item.delete] {
            operation.iter_mut().for_each(|operation| add(operation, &[Code::ForeignOrigin]));
        }
    }
    let scheme = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .description(Some("REELPIN_API_KEY, where the server has one."))
        .build();
    api.components
        .get_or_insert_default()
        .add_security_scheme(BEARER, SecurityScheme::Http(scheme));
    api
}

fn operations(api: &mut OpenApi) -> impl Iterator<Item = &mut Operation> {
    api.paths.paths.values_mut().flat_map(|item| {
        let PathItem { get, put, post, delete, options, head, patch, trace, .. } = item;
        [get, put, post, delete, options, head, patch, trace].into_iter().filter_map(Option::as_mut)
    })
}

/// Responses by status, each naming its codes.
pub(crate) fn responses(
    codes: &[Code],
) -> BTreeMap<String, RefOr<utoipa::openapi::response::Response>> {
    let mut by_status = BTreeMap::<String, String>::new();
    for code in codes {
        let words = by_status.entry(code.status().as_u16().to_string()).or_default();
        if !words.is_empty() {
            words.push('\n');
        }
        words.push_str(&line(*code));
    }
    by_status
        .into_iter()
        .map(|(status, words)| {
            let content =
                ContentBuilder::new().schema(Some(Ref::from_schema_name("Problem"))).build();
            let response = ResponseBuilder::new()
                .description(words)
                .content("application/problem+json", content)
                .build();
            (status, RefOr::T(response))
        })
        .collect()
}

fn add(operation: &mut Operation, codes: &[Code]) {
    for (status, new) in responses(codes) {
        match (operation.responses.responses.get_mut(&status), new) {
            (Some(RefOr::T(present)), RefOr::T(new)) => {
                if !present.description.contains(&new.description) {
                    present.description = format!("{}\n{}", present.description, new.description);
                }
            }
            (_, new) => {
                operation.responses.responses.insert(status, new);
            }
        }
    }
}

fn line(code: Code) -> String {
    format!("`{}`: {}.", code.name(), code.title())
}

/// This description.
#[utoipa::path(
    get, path = "/openapi.json", tag = "service",
    responses((status = 200, description = "OpenAPI 3.1", body = Object, content_type = "application/json"))
)]
pub(crate) async fn get(State(app): State<Shared>) -> Response {
    ([(CONTENT_TYPE, "application/json")], app.openapi.clone()).into_response()
}
