//! A node's folder as earlier versions left it: pins were rust-ipfs's own, and a name was kept only
//! where a pin had one.
use std::fs;
use std::io::{self, ErrorKind};
use std::path::Path;

use futures_util::StreamExt as _;
use rust_ipfs::PinMode;
use rust_ipfs::repo::Repo;

use super::IpfsError;
use super::roots::Roots;

/// Writes the names that are missing, and removes what nobody reads any more.
pub(super) async fn take_over(home: &Path, roots: &Roots) -> Result<(), IpfsError> {
    let repo = home.join("repo");
    let pins = repo.join("datastore");
    if !pins.exists() {
        return Ok(());
    }
    let earlier = Repo::new_fs(&repo);
    earlier.init().await.map_err(|error| IpfsError::Start(error.into()))?;
    let mut listed = earlier.list_pins(PinMode::Recursive).await;
    while let Some(pin) = listed.next().await {
        let (cid, _) = pin.map_err(|error| IpfsError::Start(error.into()))?;
        if roots.name(&cid).is_none() {
            roots.set(cid, String::new()).await.map_err(IpfsError::storage(home))?;
        }
    }
    fs::remove_dir_all(&pins).map_err(IpfsError::storage(&pins))?;
    let lock = repo.join("repo_lock");
    fs::remove_file(&lock).or_else(gone_is_fine).map_err(IpfsError::storage(&lock))
}

fn gone_is_fine(error: io::Error) -> io::Result<()> {
    if error.kind() == ErrorKind::NotFound { Ok(()) } else { Err(error) }
}
