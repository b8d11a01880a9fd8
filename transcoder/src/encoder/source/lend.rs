//! Originals that media programs may read just now, each under an address of its own.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use tokio::sync::OnceCell;
use tokio_util::sync::CancellationToken;

use super::pieces::{Overlay, Pieces};
use super::{Source, SourceError};
use crate::error::Cause;

/// An original under one address.
pub(super) struct Loan {
    pub(super) source: Arc<Source>,
    /// The time before which its reader wants it; `None`: all of it.
    until: Option<i64>,
    /// What stands in place of its own bytes: found when it is read first, the same for all of the run.
    overlay: OnceCell<Option<Arc<Overlay>>>,
    failure: OnceLock<SourceError>,
    /// Ends its connections.
    pub(super) ended: CancellationToken,
}

impl Loan {
    /// A reader of some of its bytes.
    pub(super) async fn pieces(&self, from: u64, end: u64) -> Result<Pieces, SourceError> {
        let overlay = match self.until {
            Some(until) => {
                let found = self.overlay.get_or_try_init(|| self.source.beginning(until)).await?;
                found.clone()
            }
            None => None,
        };
        Ok(Pieces::new(self.source.chunks(), from, end).over(overlay))
    }

    /// Keeps the first thing that went wrong, and ends the connections: a program that asked again
    /// would wait for nothing.
    pub(super) fn fail(&self, error: SourceError) {
        let _ = self.failure.set(error);
        self.ended.cancel();
    }
}

/// All that is lent, by the address's secret part.
#[derive(Default)]
pub(super) struct Loans(Mutex<HashMap<String, Arc<Loan>>>);

impl Loans {
    pub(super) fn find(&self, token: &str) -> Option<Arc<Loan>> {
        self.lock().get(token).cloned()
    }

    /// A connection was refused of which nobody knows whose it was.
    pub(super) fn fail_all(&self) {
        for loan in self.lock().values() {
            loan.fail(SourceError::Refused);
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Arc<Loan>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An original lent to one run of a media program, which reads it at [`Lent::url`]. Dropping it
/// ends its connections.
///
/// A program may take a connection that broke off for the end of the file and end as if all were
/// well: whoever ran it asks [`Lent::failure`] before anything that came out of it is believed.
pub struct Lent {
    loans: Arc<Loans>,
    loan: Arc<Loan>,
    token: String,
    port: u16,
}

impl Lent {
    pub(super) fn new(
        loans: Arc<Loans>,
        source: Arc<Source>,
        until: Option<i64>,
        port: u16,
    ) -> Self {
        // 128 bits: nobody guesses an address. It stands in the program's arguments, so it is good
        // for this run alone, and for reading this original only.
        let token = data_encoding::HEXLOWER.encode(&rand::random::<[u8; 16]>());
        let (overlay, failure) = (OnceCell::new(), OnceLock::new());
        let ended = CancellationToken::new();
        let loan = Arc::new(Loan { source, until, overlay, failure, ended });
        loans.lock().insert(token.clone(), Arc::clone(&loan));
        Self { loans, loan, token, port }
    }

    /// Its address, of the form that [`reelpin_plan::argv`] reads originals by.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}/{}/original", self.port, self.token)
    }

    /// The port of its address, the only one that the program may connect to.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Whether what was read of it is the film to its end.
    pub fn is_whole(&self) -> bool {
        self.loan.overlay.get().is_none_or(Option::is_none)
    }

    /// What a program made of it was not what it should be: nobody is lent the beginning alone any more.
    pub fn doubt(&self) {
        self.loan.source.doubt();
    }

    /// The first thing that went wrong while it was read; nothing that was read since is whole.
    pub fn failure(&self) -> Option<Cause> {
        self.loan.failure.get().cloned().map(Cause::Source)
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        self.loans.lock().remove(&self.token);
        self.loan.ended.cancel();
    }
}
