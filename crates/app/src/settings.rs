//! What a person chose, in `config.toml`: readable, editable, never secret.
//!
//! The file carries its version. A newer version is refused as such; a key we don't know is refused by name and line,
//! because a mistyped setting that is silently ignored is worse than one that is asked about. Which folders are
//! synchronized in which direction is not here but in the index, where it changes together with what it decides.

use crate::{language::Language, private_file, secrets::StoreKind};
use identity::{PublicKey, Rendezvous, ServerName};
use serde::{Deserialize, Serialize};
use std::{fmt, fs, io, net::SocketAddr, path::Path, path::PathBuf, str::FromStr};

/// Everything a person can choose for a profile.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    #[serde(default)]
    version: Version,
    /// Names this profile where others are too: in the password store of the computer. Made once, not secret.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub profile: Option<ProfileId>,
    /// What this computer is. `None`: nobody has chosen yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
    /// What other computers call this one.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "name")]
    pub name: Option<ServerName>,
    /// The language of messages. `None`: the system's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub language: Option<Language>,
    /// Where the secrets are, once there are any. Never two places at once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secrets: Option<StoreKind>,
    /// The public half of this computer's key, so that a lost key is noticed and never replaced unasked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub public_key: Option<PublicKey>,
    /// The log says in detail what this computer does.
    #[serde(default, skip_serializing_if = "is_off")]
    pub detailed_log: bool,
    /// Where the data is.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stores: Vec<StoreSpec>,
    /// Paths to and from other computers.
    #[serde(default)]
    pub network: Network,
    /// What can be undone.
    #[serde(default)]
    pub history: History,
    /// What happens when both sides changed the same.
    #[serde(default)]
    pub conflicts: Conflicts,
    /// The server this computer is a client of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub server: Option<KnownServer>,
}

/// What a computer is.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// It has the data.
    Server,
    /// It connects to the computer that has the data.
    Client,
}

/// A random name for a profile: 16 hexadecimal digits.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ProfileId(String);

/// A store as people write it: `files:/home/anna/Data`. What stands behind the colon is the connector's to read.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct StoreSpec {
    /// The connector's name, in lower-case letters, digits and dashes.
    pub connector: String,
    /// Where, in the connector's own way of writing.
    pub place: String,
}

/// How computers reach this one, and it them.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Network {
    /// The UDP address to be called at. Port 0: the system's choice at first start.
    pub listen: SocketAddr,
    /// "Synchronize via the Internet".
    pub internet: bool,
    /// On a client: `internet` is as the server has it, until somebody decides here.
    #[serde(skip_serializing_if = "is_off")]
    pub internet_as_server: bool,
    /// "Find this server when its address changes."
    pub peer_names: bool,
    /// Nodes of the Mainline DHT to begin with, `HOST:PORT`. None: those everybody knows.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub dht_bootstrap: Vec<String>,
    /// Switchboards at which others are put through to this server, `HOST:PORT=KEY`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub rendezvous: Vec<Rendezvous>,
    /// A relay for computers that find no direct way to this server. Its password lies with the secrets.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub relay: Option<RelaySettings>,
    /// The most bytes per second that this computer sends over the Internet. `None`: as many as the line takes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub upload_bytes_per_sec_max: Option<u32>,
    /// The most bytes per second that come to this computer over the Internet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub download_bytes_per_sec_max: Option<u32>,
    /// On a client: where the line is metered, the Internet waits for another one.
    #[serde(skip_serializing_if = "is_off")]
    pub waits_on_metered: bool,
}

/// A relay (TURN).
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RelaySettings {
    /// `HOST:PORT`, UDP.
    pub address: String,
    /// What it knows this server by.
    pub user: String,
}

/// How long things are kept that were changed or deleted.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct History {
    /// Runs older than this can't be undone any more.
    pub days: u16,
    /// Older runs go earlier when their contents take more room than this.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size_max_bytes: Option<u64>,
    /// The folder they are kept in. `None`: beside the records.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub place: Option<PathBuf>,
    /// Where some of them may still be, on their way to `place`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub moved_from: Option<PathBuf>,
}

/// What happens when both sides changed the same part of an item.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Conflicts {
    /// Who wins.
    pub rule: ConflictRule,
}

/// Who wins when both sides changed the same part of an item. The other version stays in the history.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ConflictRule {
    /// Nobody: a person is asked.
    #[default]
    Ask,
    /// The client's version.
    Client,
    /// The server's version.
    Server,
}

/// The server a client belongs to. Its service ID is a secret and lies with the secrets.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KnownServer {
    /// What it is called.
    #[serde(with = "required_name")]
    pub name: ServerName,
    /// What it is.
    pub public_key: PublicKey,
    /// Addresses it may be found at, the last good one first: `HOST:PORT`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hints: Vec<String>,
    /// Switchboards at which it may be asked for, `HOST:PORT=KEY`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rendezvous: Vec<Rendezvous>,
}

/// Why settings can't be read or kept.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// Something in the file isn't as it should be.
    #[error("{file} can't be understood, line {line}: {reason}", file = file.display())]
    NotUnderstood {
        /// The file.
        file: PathBuf,
        /// Counted from 1.
        line: usize,
        /// What is wrong there, naming the setting.
        reason: String,
    },
    /// A newer Tandem wrote the file.
    #[error("{file} was written by a newer version", file = file.display())]
    Newer {
        /// The file.
        file: PathBuf,
        /// Its version.
        version: u32,
    },
    /// The file can't be read.
    #[error("{file} can't be read", file = file.display())]
    NotReadable {
        /// The file.
        file: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file can't be written.
    #[error("{file} can't be written", file = file.display())]
    NotWritable {
        /// The file.
        file: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl Settings {
    /// The version of the file this program writes.
    pub const VERSION: u32 = 1;
    /// No settings file is larger, in bytes.
    pub const SIZE_MAX_BYTES: u64 = 256 << 10;

    /// Reads the settings; where no file is yet, nothing is chosen yet.
    pub fn load(file: &Path) -> Result<Self, SettingsError> {
        let bytes = match private_file::read(file, Self::SIZE_MAX_BYTES) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Self::default()),
            Err(source) => return Err(SettingsError::NotReadable { file: file.to_owned(), source }),
        };
        let text = std::str::from_utf8(&bytes).map_err(|error| SettingsError::NotUnderstood {
            file: file.to_owned(),
            line: line_at(&bytes, error.valid_up_to()),
            reason: "this is not text in UTF-8".to_owned(),
        })?;
        // The version is read alone first: a newer file may hold anything else.
        match toml::from_str::<VersionOnly>(text) {
            Ok(VersionOnly { version: Version(version) }) if version > Self::VERSION => {
                return Err(SettingsError::Newer { file: file.to_owned(), version });
            }
            _ => {}
        }
        toml::from_str(text).map_err(|error| SettingsError::NotUnderstood {
            file: file.to_owned(),
            line: line_at(&bytes, error.span().map_or(0, |span| span.start)),
            reason: error.message().to_owned(),
        })
    }

    /// Writes the settings; after a crash the file holds the old or the new ones, whole.
    pub fn save(&self, file: &Path) -> Result<(), SettingsError> {
        let text = toml::to_string_pretty(self).expect("settings are tables, texts and numbers, all of which TOML has");
        private_file::replace(file, text.as_bytes())
            .map_err(|source| SettingsError::NotWritable { file: file.to_owned(), source })
    }

    /// Forgets every choice (a client left its server, a server was taken apart). Data and history stay where they are.
    pub fn reset(file: &Path) -> Result<(), SettingsError> {
        match fs::remove_file(file) {
            Err(source) if source.kind() != io::ErrorKind::NotFound => {
                Err(SettingsError::NotWritable { file: file.to_owned(), source })
            }
            _ => Ok(()),
        }
    }
}

impl Default for Network {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([0; 8], 0)),
            internet: false,
            internet_as_server: false,
            peer_names: true,
            dht_bootstrap: Vec::new(),
            rendezvous: Vec::new(),
            relay: None,
            upload_bytes_per_sec_max: None,
            download_bytes_per_sec_max: None,
            waits_on_metered: false,
        }
    }
}

impl Network {
    /// The limits, for what carries contents.
    #[must_use]
    pub const fn bandwidth(&self) -> net::Bandwidth {
        net::Bandwidth {
            up_bytes_per_sec: self.upload_bytes_per_sec_max,
            down_bytes_per_sec: self.download_bytes_per_sec_max,
        }
    }
}

impl Default for History {
    fn default() -> Self {
        Self { days: 30, size_max_bytes: None, place: None, moved_from: None }
    }
}

impl ProfileId {
    /// A new one.
    #[must_use]
    pub fn generate() -> Self {
        let mut bytes = [0; 8];
        getrandom::fill(&mut bytes).expect("the system has randomness");
        Self(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
    }
}

impl fmt::Display for ProfileId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for ProfileId {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let is_ours = text.len() == 16 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        is_ours.then_some(Self(text)).ok_or("`profile` is 16 digits 0-9, a-f")
    }
}

impl From<ProfileId> for String {
    fn from(id: ProfileId) -> Self {
        id.0
    }
}

/// A text that names no store.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("a store is written CONNECTOR:PLACE, for instance files:/home/anna/Data")]
pub struct NotAStoreSpec;

impl FromStr for StoreSpec {
    type Err = NotAStoreSpec;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (connector, place) = text.split_once(':').ok_or(NotAStoreSpec)?;
        let is_name = connector.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'));
        // One letter before the colon is a Windows drive, not a connector.
        // A folder has to be named; a program on this computer has a store of its own choice.
        let is_named = !place.is_empty() || connector != "files";
        if connector.len() < 2 || !is_name || !is_named || place.chars().any(char::is_control) {
            return Err(NotAStoreSpec);
        }
        Ok(Self { connector: connector.to_owned(), place: place.to_owned() })
    }
}

impl TryFrom<String> for StoreSpec {
    type Error = NotAStoreSpec;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<StoreSpec> for String {
    fn from(spec: StoreSpec) -> Self {
        spec.to_string()
    }
}

impl fmt::Display for StoreSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.connector, self.place)
    }
}

#[allow(clippy::trivially_copy_pass_by_ref)] // serde asks for it this way.
const fn is_off(switch: &bool) -> bool {
    !*switch
}

/// The version of a settings file; its default is the one we write.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
struct Version(u32);

impl Default for Version {
    fn default() -> Self {
        Self(Settings::VERSION)
    }
}

#[derive(Deserialize)]
struct VersionOnly {
    version: Version,
}

/// The line, counted from 1, that holds the byte at `offset`.
fn line_at(bytes: &[u8], offset: usize) -> usize {
    1 + bytes.iter().take(offset).filter(|byte| **byte == b'\n').count()
}

mod required_name {
    use super::{Deserialize, ServerName};
    use serde::{Deserializer, Serializer, de::Error as _};

    pub(super) fn serialize<S: Serializer>(name: &ServerName, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(name.as_str())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<ServerName, D::Error> {
        ServerName::parse(&String::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

mod name {
    use super::{ServerName, required_name};
    use serde::{Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(name: &Option<ServerName>, serializer: S) -> Result<S::Ok, S::Error> {
        match name {
            Some(name) => required_name::serialize(name, serializer),
            None => serializer.serialize_none(),
        }
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<ServerName>, D::Error> {
        required_name::deserialize(deserializer).map(Some)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use identity::IdentityKey;

    fn file_with(text: &str) -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("config.toml");
        fs::write(&file, text).unwrap();
        (folder, file)
    }

    fn everything_chosen() -> Settings {
        let key = IdentityKey::generate().public();
        Settings {
            profile: Some(ProfileId::generate()),
            role: Some(Role::Client),
            name: Some(ServerName::parse("Laptop \"2\"").unwrap()),
            language: Some(Language::German),
            secrets: Some(StoreKind::Keyring),
            public_key: Some(key),
            detailed_log: true,
            stores: vec!["files:/home/anna/Data: all".parse().unwrap()],
            network: Network {
                listen: "0.0.0.0:41234".parse().unwrap(),
                internet: true,
                internet_as_server: true,
                peer_names: false,
                dht_bootstrap: vec!["127.0.0.1:6881".to_owned()],
                rendezvous: vec![Rendezvous::parse(&format!("rdv.example:7700={key}")).unwrap()],
                relay: Some(RelaySettings { address: "relay.example:3478".to_owned(), user: "anna".to_owned() }),
                upload_bytes_per_sec_max: Some(250_000),
                download_bytes_per_sec_max: Some(1_000_000),
                waits_on_metered: true,
            },
            history: History {
                days: 7,
                size_max_bytes: Some(1 << 30),
                place: Some("/mnt/backup/tandem".into()),
                moved_from: Some("/home/anna/.local/share/tandem/blobs".into()),
            },
            conflicts: Conflicts { rule: ConflictRule::Server },
            server: Some(KnownServer {
                name: ServerName::parse("Office PC").unwrap(),
                public_key: key,
                hints: vec!["192.0.2.1:41234".to_owned()],
                rendezvous: Vec::new(),
            }),
            ..Settings::default()
        }
    }

    #[test]
    fn what_was_chosen_is_there_after_a_restart() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("config.toml");
        for settings in [Settings::default(), everything_chosen()] {
            settings.save(&file).unwrap();
            assert_eq!(Settings::load(&file).unwrap(), settings);
        }
    }

    #[test]
    fn where_no_file_is_nothing_is_chosen_yet_and_the_internet_is_off() {
        let folder = tempfile::tempdir().unwrap();
        let settings = Settings::load(&folder.path().join("config.toml")).unwrap();
        assert_eq!(settings, Settings::default());
        assert!(!settings.network.internet);
        assert_eq!(settings.history.days, 30);
    }

    #[test]
    fn a_mistyped_setting_is_named_with_its_line() {
        let (_folder, file) = file_with("version = 1\n\n[network]\ninternett = true\n");
        let Err(SettingsError::NotUnderstood { line, reason, .. }) = Settings::load(&file) else { panic!() };
        assert_eq!(line, 4);
        assert!(reason.contains("internett"), "{reason}");
    }

    #[test]
    fn a_value_that_makes_no_sense_is_told_with_its_line() {
        for (text, line) in [
            ("version = 1\nrole = \"boss\"\n", 2),
            ("version = 1\nstores = [\"/home/anna\"]\n", 2),
            ("version = 1\nname = \"\"\n", 2),
            ("version = 1\n[history]\ndays = 1000000\n", 3),
            ("version = 1\n[[[\n", 2),
        ] {
            let (_folder, file) = file_with(text);
            let Err(SettingsError::NotUnderstood { line: found, .. }) = Settings::load(&file) else { panic!("{text}") };
            assert_eq!(found, line, "{text}");
        }
    }

    #[test]
    fn bytes_that_are_no_text_are_told_with_their_line() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("config.toml");
        fs::write(&file, b"version = 1\nname = \"\xff\"\n").unwrap();
        assert!(matches!(Settings::load(&file), Err(SettingsError::NotUnderstood { line: 2, .. })));
    }

    #[test]
    fn a_newer_file_is_refused_as_newer_whatever_else_it_holds() {
        let (_folder, file) = file_with("version = 2\nteleport = true\n");
        assert!(matches!(Settings::load(&file), Err(SettingsError::Newer { version: 2, .. })));
    }

    #[test]
    fn an_endless_file_is_refused_without_reading_it_all() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("config.toml");
        fs::File::create(&file).unwrap().set_len(1 << 40).unwrap();
        assert!(matches!(Settings::load(&file), Err(SettingsError::NotReadable { .. })));
    }

    #[cfg(unix)]
    #[test]
    fn others_cannot_read_the_settings() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("config.toml");
        Settings::default().save(&file).unwrap();
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn a_place_that_cannot_be_written_is_named_and_the_old_settings_stay() {
        let (folder, file) = file_with("version = 1\nrole = \"server\"\n");
        let below_a_file = file.join("config.toml");
        assert!(matches!(Settings::default().save(&below_a_file), Err(SettingsError::NotWritable { .. })));
        assert_eq!(Settings::load(&file).unwrap().role, Some(Role::Server));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing half-written is left");
    }

    #[test]
    fn a_drive_letter_is_not_a_connector() {
        assert!("C:\\Data".parse::<StoreSpec>().is_err());
        let spec: StoreSpec = "files:C:\\Data".parse().unwrap();
        assert_eq!((spec.connector.as_str(), spec.place.as_str()), ("files", "C:\\Data"));
        assert_eq!(spec.to_string(), "files:C:\\Data");
    }

    #[test]
    fn forgetting_every_choice_twice_is_fine() {
        let (_folder, file) = file_with("version = 1\nrole = \"server\"\n");
        Settings::reset(&file).unwrap();
        Settings::reset(&file).unwrap();
        assert_eq!(Settings::load(&file).unwrap(), Settings::default());
    }
}
