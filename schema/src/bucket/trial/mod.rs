//! Everything that Reelpin asks of a bucket, tried on scratch objects, in words for its operator.

mod objects;
mod uploads;

use uuid::Uuid;

use super::s3::S3;
use super::{Addressing, BucketError, Config, Objects as _};
use crate::finding::{Finding, Verdict, chain};
use crate::keys;

/// Tries a bucket as the services and the pages of `origins` will use it. It leaves nothing behind
/// but, with `set_cors`, a CORS rule where one is wanted and the engine has them.
pub async fn trial(config: &Config, origins: &[String], set_cors: bool) -> Vec<Finding> {
    let s3 = S3::new(config);
    let mut found = vec![reached(config, s3.check().await)];
    if found.iter().any(|f| f.verdict == Verdict::Broken) {
        return found;
    }
    let name = Uuid::new_v4();
    let keys: Vec<String> =
        ["a", "b", "c", "d"].map(|n| format!("{}{name}-{n}", keys::SCRATCH)).into();
    let [stored, copied, uploaded, refused] = keys.as_slice() else { return found };
    found.extend(objects::objects(&s3, stored, copied).await);
    found.extend(uploads::uploads(&s3, config, uploaded, refused, origins, set_cors).await);
    found.push(removal(&s3, &keys).await);
    found
}

fn reached(config: &Config, answer: Result<(), BucketError>) -> Finding {
    let what = "the bucket";
    let (name, at) = (&config.bucket, &config.endpoint);
    match answer {
        Ok(()) => Finding::works(what, format!("{name:?} at {at} answers")),
        Err(e @ (BucketError::Unreachable { .. } | BucketError::TimedOut { .. })) => {
            let hint = match config.addressing {
                Addressing::Path => "",
                Addressing::VirtualHost => {
                    " (with virtual-host addressing the bucket's name stands before the host: it \
                     must resolve, too)"
                }
            };
            Finding::broken(what, format!("nobody answers at {at}: {}{hint}", chain(&e)))
        }
        Err(BucketError::Missing { .. }) => {
            Finding::broken(what, format!("{at} has no bucket {name:?}: make it, or name another"))
        }
        Err(BucketError::Refused { status: 403, .. }) => Finding::broken(
            what,
            format!(
                "{at} refuses: access key, secret key, region ({}) or the key's rights on {name:?} \
                 are wrong, or the clocks differ",
                config.region
            ),
        ),
        Err(e) => Finding::broken(what, chain(&e)),
    }
}

async fn removal(s3: &S3, keys: &[String]) -> Finding {
    match s3.delete(keys).await {
        Ok(()) => Finding::works("removing", "many at once, missing ones are no error"),
        Err(e) => Finding::broken(
            "removing",
            format!("{}; scratch objects stay below {:?}", chain(&e), keys::SCRATCH),
        ),
    }
}
