//! Originals that media programs may read just now, each under an address of its own.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use tokio_util::sync::CancellationToken;

use super::{Source, SourceError};
use crate::error::Cause;

/// An original under one address.
pub(super) struct Loan {
    pub(super) source: Arc<Source>,
    failure: OnceLock<SourceError>,
    /// Ends its connections.
    pub(super) ended: CancellationToken,
}

impl Loan {
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
    pub(super) fn new(loans: Arc<Loans>, source: Arc<Source>, port: u16) -> Self {
        // 128 bits: nobody guesses an address. It stands in the program's arguments, so it is good
        // for this run alone, and for reading this original only.
        let token = data_encoding::HEXLOWER.encode(&rand::random::<[u8; 16]>());
        let (failure, ended) = (OnceLock::new(), CancellationToken::new());
        let loan = Arc::new(Loan { source, failure, ended });
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
