//! All services of a process, and how much of it each may take up.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::{Config, Limits, Service, ServiceError};
use crate::pin::{NewPin, Role};

/// Tasks of one service that a process works on at once: a slow one leaves room for the others.
const AT_ONCE: usize = 2;

/// The services that the settings name. Clones share their bounds.
#[derive(Clone, Default)]
pub struct Services {
    all: Arc<BTreeMap<String, (Service, Arc<Semaphore>)>>,
}

/// The right to work with a service; dropped, another has it.
#[derive(Debug)]
pub struct Turn {
    /// The service.
    pub service: Service,
    _permit: OwnedSemaphorePermit,
}

impl Services {
    /// Clients of these services.
    ///
    /// # Errors
    /// [`ServiceError::Settings`].
    pub fn new(configs: &[Config], limits: Limits) -> Result<Self, ServiceError> {
        let mut all = BTreeMap::new();
        for config in configs {
            let service = Service::new(config, limits)?;
            all.insert(config.name.clone(), (service, Arc::new(Semaphore::new(AT_ONCE))));
        }
        Ok(Self { all: Arc::new(all) })
    }

    /// The service of this name, for a call of its own.
    pub fn get(&self, name: &str) -> Option<&Service> {
        self.all.get(name).map(|(service, _)| service)
    }

    /// A turn with the service of this name; `None` when it has as many tasks as it may have.
    ///
    /// # Errors
    /// [`ServiceError::Unknown`] when the settings name no such service.
    pub fn turn(&self, name: &str) -> Result<Option<Turn>, ServiceError> {
        let (service, room) =
            self.all.get(name).ok_or_else(|| ServiceError::Unknown { service: name.into() })?;
        let permit = room.clone().try_acquire_owned().ok();
        Ok(permit.map(|permit| Turn { service: service.clone(), _permit: permit }))
    }

    /// Their names.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.all.keys().map(String::as_str)
    }

    /// The pins to be made of a content, one for each service that is given what this role keeps.
    pub fn pins(&self, role: Role, cid: &str) -> Vec<NewPin> {
        let takes = self.all.values().filter(|(service, _)| service.takes(role));
        takes.map(|(service, _)| NewPin::at(service.name(), role, cid.to_owned())).collect()
    }
}

impl fmt::Debug for Services {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.all.values().map(|(service, _)| service)).finish()
    }
}
