//! Settings: from a TOML file, over it the environment, over that the command line.
//!
//! Every key of the file has an environment variable: `limits.records_per_key` is
//! `TANDEM_DIRECTORY_LIMITS_RECORDS_PER_KEY`. A key or variable that isn't known is refused, so that a typing error doesn't
//! leave a directory open where its operator thought it closed.

use identity::{HostPort, PublicKey};
use ipnet::IpNet;
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeMap,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    path::{Path, PathBuf},
};
use toml::{Table, Value};

/// What environment variables begin with.
pub const ENVIRONMENT_PREFIX: &str = "TANDEM_DIRECTORY_";

/// The port of the HTTP API (TCP) and of the rendezvous (UDP).
pub const PORT_DEFAULT: u16 = 47115;

/// All settings. What isn't set has its default.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Where the HTTP API listens; the rendezvous has the same address on UDP.
    pub listen: SocketAddr,
    /// A second UDP port, from which computers are told what kind of router they have. 0: the one after `listen`'s.
    pub probe_port: u16,
    /// The folder of the SQLite file. Empty: the folder that systemd gives (`STATE_DIRECTORY`), else the user's.
    pub data: PathBuf,
    /// `postgres://…`, to use that database instead of SQLite. Empty: SQLite.
    pub database: String,
    /// PEM: the certificate that the database's is checked by. Empty: those the system trusts.
    pub database_ca: PathBuf,
    /// What this directory is called by those who ask it: `directory.example`, with `:port` if it isn't the usual one.
    /// Without a name it can be asked only by its address.
    pub names: Vec<String>,
    /// Proxies that may say in `X-Forwarded-For` for whom they ask.
    pub trusted_proxies: Vec<IpNet>,
    /// Who may read `/metrics`.
    pub metrics_from: Vec<IpNet>,
    /// The certificate; without one, HTTP is spoken in the open, for a proxy on the same computer.
    pub tls: Tls,
    /// Where clients find the rendezvous.
    pub rendezvous: RendezvousConfig,
    /// What one and all may do.
    pub limits: Limits,
}

/// Files of the certificate. They are read anew when they change.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Tls {
    /// PEM: the certificate, then those that signed it. Empty: no TLS.
    pub certificate: PathBuf,
    /// PEM: its private key.
    pub key: PathBuf,
}

/// What `GET /v1/info` says about switchboards.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RendezvousConfig {
    /// `host:port` under which this instance's own switchboard is reached. Empty: the first of `names`, with the port of
    /// `listen`.
    pub address: String,
    /// Those of other instances behind the same name: `host:port=key`.
    pub others: Vec<String>,
}

/// How much is too much.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Look-ups a minute from one IPv4 address or one IPv6 /64, in the long run.
    pub lookups_per_minute: u32,
    /// Look-ups at once from there.
    pub lookups_burst: u32,
    /// What a look-up of an ID that isn't there counts.
    pub miss_cost: u32,
    /// New records a day from there.
    pub publishes_per_day: u32,
    /// Refreshes and revokes an hour from there.
    pub changes_per_hour: u32,
    /// Records of one key.
    pub records_per_key: u32,
    /// Records in all.
    pub records: u64,
    /// Look-ups a second in all; challenges too.
    pub lookups_per_second: u32,
    /// New records a second in all; refreshes and revokes together as many again, ten times over.
    pub publishes_per_second: u32,
    /// Connections at once.
    pub connections: u32,
    /// Connections at once from one IPv4 address or one IPv6 /64. Trusted proxies have no such limit.
    pub connections_per_source: u32,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: SocketAddr::new(Ipv6Addr::UNSPECIFIED.into(), PORT_DEFAULT),
            probe_port: 0,
            data: PathBuf::new(),
            database: String::new(),
            database_ca: PathBuf::new(),
            names: Vec::new(),
            trusted_proxies: Vec::new(),
            metrics_from: vec![
                IpNet::new(IpAddr::V4(Ipv4Addr::new(127, 0, 0, 0)), 8).expect("at most 32"),
                IpNet::new(IpAddr::V6(Ipv6Addr::LOCALHOST), 128).expect("at most 128"),
            ],
            tls: Tls::default(),
            rendezvous: RendezvousConfig::default(),
            limits: Limits::default(),
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            lookups_per_minute: 10,
            lookups_burst: 20,
            miss_cost: 3,
            publishes_per_day: 5,
            changes_per_hour: 30,
            records_per_key: 3,
            records: 1_000_000,
            lookups_per_second: 100,
            publishes_per_second: 5,
            connections: 1024,
            connections_per_source: 64,
        }
    }
}

/// What is wrong with the settings.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file isn't there, or can't be read.
    #[error("{path} can't be read")]
    File {
        /// Which.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// Not TOML.
    #[error("{path} isn't a settings file")]
    Syntax {
        /// Which.
        path: PathBuf,
        /// Where and why.
        source: toml::de::Error,
    },
    /// Something with our prefix that means nothing.
    #[error("{name} is no setting (see `tandem-directory --help`)")]
    UnknownVariable {
        /// The environment variable.
        name: String,
    },
    /// A key that means nothing, or a value that doesn't fit its key.
    #[error("the settings can't be used")]
    Value(#[source] toml::de::Error),
    /// A text that isn't what its key wants.
    #[error("{key} = \"{text}\": {wanted}")]
    Text {
        /// Which setting.
        key: &'static str,
        /// What was written.
        text: String,
        /// What it should be.
        wanted: &'static str,
    },
}

impl Config {
    /// Reads the file, if one is named, and the environment, of which everything beginning with
    /// [`ENVIRONMENT_PREFIX`] has to be a setting.
    pub fn read(
        file: Option<&Path>,
        environment: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, ConfigError> {
        let mut table = match file {
            None => Table::new(),
            Some(path) => {
                let text = std::fs::read_to_string(path)
                    .map_err(|source| ConfigError::File { path: path.to_owned(), source })?;
                text.parse().map_err(|source| ConfigError::Syntax { path: path.to_owned(), source })?
            }
        };
        let known = variables();
        for (name, text) in environment {
            let Some(name) = name.strip_prefix(ENVIRONMENT_PREFIX) else { continue };
            let (path, default) = known
                .get(name)
                .ok_or_else(|| ConfigError::UnknownVariable { name: format!("{ENVIRONMENT_PREFIX}{name}") })?;
            set(&mut table, path, value_like(default, &text));
        }
        let config: Self = Value::Table(table).try_into().map_err(ConfigError::Value)?;
        config.checked()
    }

    /// Looks at what the types alone don't show.
    pub fn checked(self) -> Result<Self, ConfigError> {
        let problem = |key, text: &str, wanted| Err(ConfigError::Text { key, text: text.to_owned(), wanted });
        if !self.database.is_empty() && !is_postgres(&self.database) {
            // The text may hold a password.
            return problem("database", "…", "it begins with postgres://");
        }
        for name in &self.names {
            if directory::DirectoryUrl::parse(name).map_or(true, |url| url.authority() != name) {
                return problem("names", name, "a host name, with :port if it isn't 443, without https://");
            }
        }
        if self.tls.certificate.as_os_str().is_empty() != self.tls.key.as_os_str().is_empty() {
            return problem("tls", "…", "certificate and key belong together");
        }
        if !self.rendezvous.address.is_empty() && HostPort::parse(&self.rendezvous.address).is_none() {
            return problem("rendezvous.address", &self.rendezvous.address, "host:port");
        }
        for other in &self.rendezvous.others {
            if other_rendezvous(other).is_none() {
                return problem("rendezvous.others", other, "host:port=key");
            }
        }
        Ok(self)
    }

    /// `host:port` under which this instance's switchboard is reached; `None`: nobody has said.
    #[must_use]
    pub fn own_rendezvous(&self, port: u16) -> Option<String> {
        if !self.rendezvous.address.is_empty() {
            return Some(self.rendezvous.address.clone());
        }
        let host = self.names.first()?.split(':').next()?;
        Some(format!("{host}:{port}")).filter(|address| HostPort::parse(address).is_some())
    }

    /// The switchboards of the other instances.
    #[must_use]
    pub fn other_rendezvous(&self) -> Vec<directory::Rendezvous> {
        self.rendezvous.others.iter().filter_map(|text| other_rendezvous(text)).collect()
    }

    /// The folder of the SQLite file.
    #[must_use]
    pub fn data_dir(&self) -> PathBuf {
        use etcetera::base_strategy::{BaseStrategy as _, choose_native_strategy};
        if !self.data.as_os_str().is_empty() {
            return self.data.clone();
        }
        if let Some(folder) = std::env::var_os("STATE_DIRECTORY") {
            return folder.into();
        }
        choose_native_strategy().map_or_else(|_| PathBuf::from("."), |user| user.data_dir()).join("tandem-directory")
    }
}

fn is_postgres(url: &str) -> bool {
    url.starts_with("postgres://") || url.starts_with("postgresql://")
}

fn other_rendezvous(text: &str) -> Option<directory::Rendezvous> {
    let (address, key) = text.split_once('=')?;
    HostPort::parse(address)?;
    let key: PublicKey = key.parse().ok()?;
    Some(directory::Rendezvous { address: address.to_owned(), key })
}

/// The variables without their prefix: where each goes, and its default, which shows its type.
fn variables() -> BTreeMap<String, (Vec<String>, Value)> {
    fn collect(path: &[String], value: Value, into: &mut BTreeMap<String, (Vec<String>, Value)>) {
        match value {
            Value::Table(table) => {
                for (key, value) in table {
                    collect(&[path, &[key]].concat(), value, into);
                }
            }
            value => {
                into.insert(path.join("_").to_uppercase(), (path.to_vec(), value));
            }
        }
    }
    let mut variables = BTreeMap::new();
    let defaults = Value::try_from(Config::default()).expect("settings can be written as TOML");
    collect(&[], defaults, &mut variables);
    variables
}

/// A text as the type its setting has; lists are separated by commas. What doesn't fit stays a text, and is refused.
fn value_like(default: &Value, text: &str) -> Value {
    match default {
        Value::Integer(_) => text.trim().parse().map_or_else(|_| Value::from(text), Value::Integer),
        Value::Array(_) => {
            let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
            Value::Array(parts.map(Value::from).collect())
        }
        _ => Value::from(text),
    }
}

fn set(table: &mut Table, path: &[String], value: Value) {
    match path {
        [] => {}
        [key] => {
            table.insert(key.clone(), value);
        }
        [key, rest @ ..] => {
            let inner = table.entry(key.clone()).or_insert_with(|| Value::Table(Table::new()));
            // A file that has something else there is refused when the whole is read.
            if let Value::Table(inner) = inner {
                set(inner, rest, value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    fn file(text: &str) -> tempfile::NamedTempFile {
        let file = tempfile::NamedTempFile::new().expect("a file");
        std::fs::write(file.path(), text).expect("written");
        file
    }

    #[test]
    fn without_a_file_and_an_environment_everything_has_its_default() {
        assert_eq!(Config::read(None, [("PATH".to_owned(), "/bin".to_owned())]).expect("defaults"), Config::default());
    }

    #[test]
    fn the_environment_goes_over_the_file() {
        let file = file("names = [\"a.example\"]\nlisten = \"127.0.0.1:1\"\n[limits]\nmiss_cost = 7\n");
        let over = environment(&[
            ("TANDEM_DIRECTORY_LISTEN", "127.0.0.1:2"),
            ("TANDEM_DIRECTORY_LIMITS_RECORDS_PER_KEY", "9"),
            ("TANDEM_DIRECTORY_TRUSTED_PROXIES", "10.0.0.0/8, fd00::/8"),
        ]);
        let config = Config::read(Some(file.path()), over).expect("settings");
        assert_eq!(config.names, ["a.example"]);
        assert_eq!(config.listen.port(), 2);
        assert_eq!((config.limits.miss_cost, config.limits.records_per_key), (7, 9));
        assert_eq!(config.trusted_proxies.len(), 2);
    }

    #[test]
    fn what_is_unknown_is_refused_and_named() {
        let unknown = Config::read(None, environment(&[("TANDEM_DIRECTORY_LISTNE", "x")])).expect_err("a typing error");
        assert!(unknown.to_string().contains("TANDEM_DIRECTORY_LISTNE"), "{unknown}");
        for text in ["listne = \"x\"", "[limits]\nrecord = 1", "[tls]\ncert = \"x\"", "[other]\nx = 1"] {
            let error = Config::read(Some(file(text).path()), []).expect_err("an unknown key");
            assert!(matches!(error, ConfigError::Value(_)), "{error:?}");
        }
    }

    #[test]
    fn values_that_mean_nothing_are_refused() {
        for (name, value) in [
            ("LISTEN", "everywhere"),
            ("PROBE_PORT", "70000"),
            ("LIMITS_RECORDS", "-1"),
            ("LIMITS_RECORDS", "many"),
            ("DATABASE", "mysql://x"),
            ("NAMES", "https://directory.example"),
            ("TRUSTED_PROXIES", "proxy"),
            ("TLS_KEY", "/key.pem"),
            ("RENDEZVOUS_ADDRESS", "no-port"),
            ("RENDEZVOUS_OTHERS", "a.example:41235"),
        ] {
            let name = format!("{ENVIRONMENT_PREFIX}{name}");
            assert!(Config::read(None, [(name.clone(), value.to_owned())]).is_err(), "{name}={value}");
        }
    }

    #[test]
    fn a_password_in_a_refused_database_address_isnt_printed() {
        let refused = [("TANDEM_DIRECTORY_DATABASE".to_owned(), "mysql://u:hunter2@h/d".to_owned())];
        let error = Config::read(None, refused).expect_err("not PostgreSQL");
        assert!(!format!("{error:?} {error}").contains("hunter2"));
    }
}
