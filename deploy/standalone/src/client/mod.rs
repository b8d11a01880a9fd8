//! Uploads films through the public HTTP API, exactly as a browser would: ticket, PUT to the bucket,
//! complete, and the feed until the video is finished. It knows nothing of the services' insides.

mod api;
mod error;
mod follow;
mod listen;
mod put;
mod show;

use std::path::{Path, PathBuf};

use futures_util::{StreamExt, stream};
use serde_json::Value;
use tokio::sync::Semaphore;

pub use self::error::{ClientError, Problem};
use self::{api::Api, show::Show};

/// Videos followed at the same time; further files wait. Each holds one WebSocket.
const FOLLOWED: usize = 16;

/// What became of each file, in the order they were named.
#[derive(Debug)]
pub struct Summary {
    /// One entry per file.
    pub videos: Vec<Outcome>,
}

/// What became of one file.
#[derive(Debug)]
pub struct Outcome {
    /// The file as it was named by the caller.
    pub file: PathBuf,
    /// The video's id, once there is a ticket.
    pub video_id: Option<String>,
    /// The completed video's record as `GET /video/{id}` gives it, or why there is none.
    pub result: Result<Value, ClientError>,
}

impl Summary {
    /// Files that did not become a completed video.
    #[must_use]
    pub fn n_failed(&self) -> usize {
        self.videos.iter().filter(|outcome| outcome.result.is_err()).count()
    }
}

/// Uploads `files` to the server at `url` (plain `http://`) and stays until each is completed or has
/// failed. Progress goes to the terminal, or as lines where there is none; results are printed too.
/// PUTs run one after the other, transcodes are followed together.
///
/// # Errors
/// Only when nothing can begin: a URL that is not plain HTTP. What goes wrong with one file, a
/// server that cannot be reached included, stands in its [`Outcome`].
pub async fn upload(
    url: &str,
    key: Option<&str>,
    files: &[PathBuf],
) -> Result<Summary, ClientError> {
    let api = Api::new(url, key)?;
    let show = Show::new(files.len());
    let one_put = Semaphore::new(1);
    let mut videos: Vec<(usize, Outcome)> = stream::iter(files.iter().enumerate())
        .map(|(index, file)| {
            let (api, show, one_put) = (&api, &show, &one_put);
            async move {
                let mut video_id = None;
                let result = one(api, show, one_put, file, &mut video_id).await;
                show.outcome(file, &result);
                (index, Outcome { file: file.clone(), video_id, result })
            }
        })
        .buffer_unordered(FOLLOWED)
        .collect()
        .await;
    videos.sort_by_key(|(index, _)| *index);
    Ok(Summary { videos: videos.into_iter().map(|(_, outcome)| outcome).collect() })
}

async fn one(
    api: &Api,
    show: &Show,
    one_put: &Semaphore,
    file: &Path,
    video_id: &mut Option<String>,
) -> Result<Value, ClientError> {
    let mut bars = show.file(file);
    let ticket = {
        // Nobody closes it.
        let _turn = one_put.acquire().await.map_err(|_| ClientError::Stopped)?;
        let size = put::size(file).await?;
        let ticket = api.ticket(&put::name(file), size).await?;
        *video_id = Some(ticket.video_id.clone());
        let stored = put::put(&ticket, file, size, &|sent| bars.sent(sent, size)).await;
        finish(api, &ticket.video_id, stored).await?;
        ticket
    };
    bars.uploaded();
    let record = follow::follow(api, &ticket.video_id, &mut |state| bars.state(state)).await;
    bars.done();
    record
}

/// Says that the upload is there. Asked after a failed PUT as well: its answer may have been lost
/// after the object was stored, and then `complete` succeeds.
async fn finish(api: &Api, id: &str, stored: Result<(), ClientError>) -> Result<(), ClientError> {
    match (stored, api.complete(id).await) {
        (Ok(()), completed) => completed.map(|_| ()),
        (Err(_), Ok(_)) => Ok(()),
        (Err(error), Err(_)) => Err(error),
    }
}
