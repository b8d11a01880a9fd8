//! One conditional PUT of a key at a time.
//!
//! The backend looks whether an object exists before it reads the body, and puts it in place
//! afterwards whatever came meanwhile: two overlapping PUTs with `If-None-Match: *` would both be
//! taken, and the later one would replace what was already called complete. Here the second waits
//! until the first has ended, and then meets its object.
use std::collections::HashMap;
use std::sync::{Arc, PoisonError, Weak};

use axum::extract::{Request, State};
use axum::http::header::IF_NONE_MATCH;
use axum::middleware::Next;
use axum::response::Response;

type Turn = tokio::sync::Mutex<()>;

/// The keys with a conditional PUT at work.
#[derive(Clone, Default)]
pub(super) struct Turns(Arc<std::sync::Mutex<HashMap<String, Weak<Turn>>>>);

impl Turns {
    fn of(&self, path: &str) -> Arc<Turn> {
        let mut turns = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        turns.retain(|_, turn| turn.strong_count() > 0);
        let turn = turns.get(path).and_then(Weak::upgrade).unwrap_or_default();
        turns.insert(path.to_owned(), Arc::downgrade(&turn));
        turn
    }
}

/// Waits for the key's turn. A sender that falls silent ends by the limit on pauses within a body,
/// so nobody waits for ever.
pub(super) async fn take(State(turns): State<Turns>, request: Request, next: Next) -> Response {
    if !request.headers().contains_key(IF_NONE_MATCH) || request.method() != "PUT" {
        return next.run(request).await;
    }
    let turn = turns.of(request.uri().path());
    let _mine = turn.lock().await;
    next.run(request).await
}
