//! The list of routes.

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::get;
use utoipa::openapi::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::Shared;
use crate::problem::{Code, Problem};
use crate::{
    edge, extract, feed, guard, health, info, metrics, openapi, page, playback, task, upload, video,
};

/// Only with the key, where one is set.
fn guarded() -> OpenApiRouter<Shared> {
    let mut router = OpenApiRouter::new()
        .routes(routes!(upload::ticket::post))
        .routes(routes!(upload::complete::post))
        .routes(routes!(video::list::get))
        .routes(routes!(video::patch::patch))
        .routes(routes!(video::delete::delete))
        .routes(routes!(video::cancel::post))
        .routes(routes!(video::retry::post))
        .routes(routes!(task::list::get))
        .routes(routes!(metrics::get));
    openapi::guarded(router.get_openapi_mut());
    router
}

/// Open; what is about one video needs its id.
fn open() -> OpenApiRouter<Shared> {
    OpenApiRouter::new()
        .routes(routes!(video::get::get))
        .routes(routes!(video::progress::get))
        .routes(routes!(video::events::get))
        .routes(routes!(video::segments::get))
        .routes(routes!(feed::socket::get))
        .routes(routes!(info::get))
        .routes(routes!(health::live))
        .routes(routes!(health::ready))
        .routes(routes!(openapi::get))
}

/// Open, also to pages of other sites.
fn playback() -> OpenApiRouter<Shared> {
    OpenApiRouter::new()
        .routes(routes!(playback::hls::get))
        .routes(routes!(playback::mp4::get))
        .routes(routes!(playback::poster::get))
}

/// The web app.
fn pages() -> Router<Shared> {
    Router::new().route("/", get(page::index)).route("/app/{*path}", get(page::file))
}

/// What the routes say of themselves.
pub(crate) fn described() -> OpenApi {
    OpenApiRouter::with_openapi(openapi::base())
        .merge(guarded())
        .merge(open())
        .merge(playback())
        .into_openapi()
}

/// The routes, and what every request passes: the last layer is the outermost.
pub(crate) fn router(app: Shared) -> Router {
    let key = from_fn_with_state(app.clone(), guard::key);
    // CORS answers preflights, which are of another method than the routes: it lies around the
    // refusal of methods too.
    let playback =
        Router::from(playback()).method_not_allowed_fallback(no_method).layer(playback::cors());
    Router::from(guarded())
        .route_layer(key)
        .merge(Router::from(open()))
        .merge(pages())
        .method_not_allowed_fallback(no_method)
        .merge(playback)
        .fallback(no_route)
        .layer(DefaultBodyLimit::max(extract::BODY))
        .layer(from_fn_with_state(app.clone(), guard::origin))
        .layer(from_fn_with_state(app.clone(), guard::host))
        .layer(from_fn(edge::edge))
        .with_state(app)
}

async fn no_route() -> Problem {
    Problem::new(
        Code::RouteNotFound,
        "There is nothing at this address.",
        "Check the address; /openapi.json lists them.",
    )
}

async fn no_method() -> Problem {
    Problem::new(
        Code::MethodNotAllowed,
        "This address exists, but not for this method.",
        "See the allow header, or /openapi.json.",
    )
}
