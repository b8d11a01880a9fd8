//! What Reelpin expects of its bucket, whatever stands behind it: the local one, and the server that
//! `REELPIN_TEST_S3_ENDPOINT` names (with `_ACCESS_KEY`, `_SECRET_KEY` and `_REGION`).
mod conditions;
mod keys;
mod listing;
mod objects;
mod parts;
mod presigned;
mod subject;
mod throughput;

/// One test for each implementation of each function.
macro_rules! contract {
    ($($name:ident),+ $(,)?) => {
        mod local {
            $(#[tokio::test]
            async fn $name() {
                let subject = super::super::subject::local().await;
                super::$name(&subject).await;
                subject.stop().await;
            })+
        }
        mod named {
            $(#[tokio::test]
            async fn $name() {
                if let Some(subject) = super::super::subject::named().await {
                    super::$name(&subject).await;
                    subject.stop().await;
                }
            })+
        }
    };
}
use contract;
