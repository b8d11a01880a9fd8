//! Where values come from, and what is wrong with them.

use std::collections::BTreeMap;

use crate::pinning;

/// Every setting there is; the tests' own begin with [`TESTS`].
const KNOWN: &[&str] = &[
    "REELPIN_API_KEY",
    "REELPIN_CHROMIUM",
    "REELPIN_CONFIG",
    "REELPIN_DATA",
    "REELPIN_DATABASE_CONNECTIONS",
    "REELPIN_DATABASE_URL",
    "REELPIN_ENGINES",
    "REELPIN_ENGINES_PROGRAMS",
    "REELPIN_IPFS_GATEWAY",
    "REELPIN_IPFS_GATEWAY_LISTEN",
    "REELPIN_IPFS_NETWORK",
    "REELPIN_IPFS_RPC",
    "REELPIN_IPFS_RPC_AUTH",
    "REELPIN_IPFS_RPC_LISTEN",
    "REELPIN_IPFS_SWARM_LISTEN",
    "REELPIN_IPFS_SWARM_PEERS",
    "REELPIN_JANITOR",
    "REELPIN_LISTEN",
    "REELPIN_LOG",
    "REELPIN_MEDIA_URL",
    "REELPIN_PIN_ORIGINAL",
    "REELPIN_PUBLIC_URL",
    "REELPIN_PULSAR_CA",
    "REELPIN_PULSAR_NAMESPACE",
    "REELPIN_PULSAR_TOKEN",
    "REELPIN_PULSAR_URL",
    "REELPIN_S3_ACCESS_KEY",
    "REELPIN_S3_ADDRESSING",
    "REELPIN_S3_BUCKET",
    "REELPIN_S3_CORS",
    "REELPIN_S3_ENDPOINT",
    "REELPIN_S3_LISTEN",
    "REELPIN_S3_PUBLIC_ENDPOINT",
    "REELPIN_S3_REGION",
    "REELPIN_S3_SECRET_KEY",
    "REELPIN_S3_SESSION_TOKEN",
    "REELPIN_WEB",
    "REELPIN_WORK",
    "REELPIN_WORKER_NAME",
];

/// What the names of the tests' settings begin with.
const TESTS: &str = "REELPIN_TEST_";

/// What is wrong with the settings.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum SettingsError {
    /// The file that `REELPIN_CONFIG` names is not TOML of plain values.
    #[error("the configuration file cannot be read: {0}")]
    File(String),
    /// One sentence for each value that is missing or cannot be used.
    #[error("{}", .0.join("\n"))]
    Values(Vec<String>),
}

/// Where values come from: the environment first, then the file.
pub struct Source {
    file: BTreeMap<String, String>,
    env: BTreeMap<String, String>,
    wrong: Vec<String>,
}

impl Source {
    /// Takes the variables of the environment and the text of the configuration file, if any.
    ///
    /// # Errors
    /// [`SettingsError::File`].
    pub fn new(
        env: impl IntoIterator<Item = (String, String)>,
        file: Option<&str>,
    ) -> Result<Self, SettingsError> {
        let table: toml::Table = file
            .unwrap_or_default()
            .parse()
            .map_err(|e: toml::de::Error| SettingsError::File(e.message().to_owned()))?;
        let mut values = BTreeMap::new();
        for (name, value) in table {
            let text = match value {
                toml::Value::String(s) => s,
                toml::Value::Integer(n) => n.to_string(),
                toml::Value::Boolean(b) => b.to_string(),
                _ => return Err(SettingsError::File(format!("{name} is not a plain value"))),
            };
            values.insert(format!("REELPIN_{}", name.to_uppercase()), text);
        }
        let env = env
            .into_iter()
            .filter(|(name, value)| name.starts_with("REELPIN_") && !value.is_empty())
            .collect();
        Ok(Self { file: values, env, wrong: Vec::new() })
    }

    /// A value as it is written; `None` when it is not set.
    pub fn get(&self, name: &str) -> Option<String> {
        self.env.get(name).or_else(|| self.file.get(name)).cloned()
    }

    /// Sets a value that is not set elsewhere.
    pub fn fill(&mut self, name: &str, value: impl Into<String>) {
        if self.get(name).is_none() {
            self.env.insert(name.to_owned(), value.into());
        }
    }

    /// A value that must be there.
    pub fn want(&mut self, name: &str) -> String {
        self.get(name).unwrap_or_else(|| {
            self.wrong.push(format!("{name} is not set"));
            String::new()
        })
    }

    /// A value of some type, or `default`.
    pub fn parse<T: std::str::FromStr>(&mut self, name: &str, default: T, what: &str) -> T {
        match self.get(name).map(|text| text.parse()) {
            None => default,
            Some(Ok(value)) => value,
            Some(Err(_)) => {
                self.wrong.push(format!("{name} is not {what}"));
                default
            }
        }
    }

    /// Adds a sentence about a value that cannot be used.
    pub fn refuse(&mut self, sentence: String) {
        self.wrong.push(sentence);
    }

    /// What was refused so far, before anything is started by these settings.
    ///
    /// # Errors
    /// [`SettingsError::Values`] with every sentence.
    pub fn check(&self) -> Result<(), SettingsError> {
        if self.wrong.is_empty() { Ok(()) } else { Err(SettingsError::Values(self.wrong.clone())) }
    }

    /// Names that are set and that no part of Reelpin reads: most likely misspelt.
    pub fn unknown(&self) -> Vec<&str> {
        let names = self.env.keys().chain(self.file.keys()).map(String::as_str);
        names.filter(|name| !self.knows(name)).collect()
    }

    fn knows(&self, name: &str) -> bool {
        KNOWN.contains(&name) || name.starts_with(TESTS) || pinning::is_setting(self, name)
    }

    /// Ends the reading.
    ///
    /// # Errors
    /// [`SettingsError::Values`] with every sentence.
    pub fn done(self) -> Result<(), SettingsError> {
        if self.wrong.is_empty() { Ok(()) } else { Err(SettingsError::Values(self.wrong)) }
    }
}
