//! Requests and answers of the window's own command list. JSON names are camelCase; times are seconds since 1970 (UTC).

use crate::{
    api::types::{Check, ConflictRuleView, Direction, Event, PublicationView, RoleView, Status, UndoAnswer},
    message::ProblemView,
};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// What the window shows first, and what it has to know before anything else.
#[derive(Clone, Debug, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct HostState {
    /// How far this computer has come.
    pub stage: Stage,
    /// Of the program.
    pub version: String,
    /// `linux`, `macos` or `windows`.
    pub platform: String,
    /// What this computer is called in its network; a good name for a new server.
    pub computer_name: String,
    /// The language in use: `en` or `de`.
    pub language: String,
    /// Whether the password can be kept in a password store.
    pub password_store: PasswordStore,
    /// Whether there is a tray icon to come back by.
    pub has_tray: bool,
    /// The version that ran here before, if it was another one.
    pub updated_from: Option<String>,
    /// Whether the sample computers are running.
    pub has_samples: bool,
    /// Whether the system is dark, for `appearance: system`; `systemIsDark` tells when that changes.
    pub system_is_dark: bool,
}

/// How far this computer has come.
#[derive(Clone, Debug, PartialEq, Serialize, TS)]
#[serde(tag = "at", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Stage {
    /// Nobody has chosen what this computer is.
    FirstStart,
    /// It was added to a server; folders and preview come next.
    Joining {
        /// The server.
        server: ServerCard,
    },
    /// It is a server or a client.
    Running {
        /// Which.
        role: RoleView,
        /// `tandem serve` or `tandem run` does the work, and the window speaks to it.
        is_attached: bool,
    },
    /// It is set up and can't run; trying again may help.
    Stopped {
        /// Which it is.
        role: RoleView,
        /// Why.
        problem: ProblemView,
    },
    /// The settings can't be read at all.
    Unreadable {
        /// Why.
        problem: ProblemView,
    },
}

/// Where passwords can be kept.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum PasswordStore {
    /// In the password store of the system.
    Keyring,
    /// The password store is there but locked.
    Locked,
    /// There is none: keys lie in a protected file, the password isn't kept.
    None,
}

/// Names a data source by the id the host gave it.
#[derive(Clone, Debug, Deserialize, Serialize, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SourceRequest {
    /// See [`DataSource::id`].
    pub source: String,
}

/// Names data sources that are to be used together.
#[derive(Clone, Debug, Deserialize, Serialize, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SourcesRequest {
    /// See [`DataSource::id`]. New folders go to the first that holds their kind.
    pub sources: Vec<String>,
}

/// A place on this computer where items live, or could live.
#[derive(Clone, Debug, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct DataSource {
    /// Names it in requests, until the program ends.
    pub id: String,
    /// `folder`, `evolution`, `outlook`: which program's data it is; `several` for sources that are used together.
    pub program: String,
    /// What people call it: an account, a profile, a path.
    pub name: String,
    /// Where it is, if it is a folder.
    pub path: Option<String>,
    /// What can be done with it.
    pub state: SourceState,
    /// Items by kind, in the order mail, contacts, calendar, tasks, notes.
    pub kinds: Vec<KindCount>,
    /// The sum.
    #[ts(type = "number")]
    pub items: u64,
    /// Its mail is kept on a mail server, so it usually needn't be synchronized.
    pub is_mail_on_server: bool,
    /// What stands in the way.
    pub problem: Option<ProblemView>,
}

/// What can be done with a data source.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum SourceState {
    /// It can be used as it is.
    Ready,
    /// It is empty, or isn't there yet and will be made.
    New,
    /// It holds loose files; `import_source` brings them into a folder of their own beside it.
    Importable,
    /// It can't be used; `problem` says why.
    Unusable,
}

/// How many items of a kind.
#[derive(Clone, Debug, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct KindCount {
    /// `mail`, `contacts`, `calendar`, `tasks` or `notes`.
    pub kind: String,
    /// Folders of that kind.
    #[ts(type = "number")]
    pub folders: u64,
    /// Items in them.
    #[ts(type = "number")]
    pub items: u64,
}

/// A folder of a data source.
#[derive(Clone, Debug, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct SourceFolder {
    /// Names joined by `/`, with the kind first: unique, in the order of a tree.
    pub path: String,
    /// `mail`, `contacts`, `calendar`, `tasks` or `notes`.
    pub kind: String,
    /// Its own name.
    pub name: String,
    /// `inbox`, `sent`, … if it has such a use.
    pub special: Option<String>,
    /// Items in it, without those of its subfolders.
    #[ts(type = "number")]
    pub items: u64,
    /// Bytes in it, without those of its subfolders.
    #[ts(type = "number")]
    pub bytes: u64,
    /// Why it can't be read.
    pub problem: Option<ProblemView>,
}

/// What an import did.
#[derive(Clone, Debug, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ImportAnswer {
    /// The folder that holds the items now.
    pub source: DataSource,
    /// Items added.
    #[ts(type = "number")]
    pub added: u64,
    /// Items that were there already.
    #[ts(type = "number")]
    pub present: u64,
    /// Files that couldn't be taken in whole.
    pub refused: Vec<ProblemView>,
}

/// What bringing an old data file in would do, or did.
#[derive(Clone, Debug, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct DataFile {
    /// The file's name.
    pub name: String,
    /// The data source as it is now.
    pub source: Option<DataSource>,
    /// What goes where.
    pub folders: Vec<DataFileFolder>,
    /// Items added.
    #[ts(type = "number")]
    pub added: u64,
    /// Items that were there already.
    #[ts(type = "number")]
    pub present: u64,
    /// What programs keep for themselves, and what was deleted.
    #[ts(type = "number")]
    pub left_out: u64,
    /// Outlook asks for a password for the file.
    pub has_password: bool,
    /// How many things can't be brought in.
    #[ts(type = "number")]
    pub refused_count: u64,
    /// Why, for the first of them.
    pub refused: Vec<ProblemView>,
}

/// A folder that takes items of a data file.
#[derive(Clone, Debug, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct DataFileFolder {
    /// `mail`, `contacts`, `calendar`, `tasks` or `notes`.
    pub kind: String,
    /// Its names joined by `/`, without the kind.
    pub path: String,
    /// Items added.
    #[ts(type = "number")]
    pub added: u64,
    /// Items that were there already.
    #[ts(type = "number")]
    pub present: u64,
}

impl From<&crate::places::ImportedFolder> for DataFileFolder {
    fn from(folder: &crate::places::ImportedFolder) -> Self {
        let path = folder.path.split_once('/').map_or(&*folder.path, |(_, path)| path);
        Self { kind: folder.kind.to_owned(), path: path.to_owned(), added: folder.added, present: folder.present }
    }
}

/// A password as text. It can't be printed.
#[derive(Clone, Deserialize, Serialize, TS)]
pub struct PasswordText(pub String);

impl std::fmt::Debug for PasswordText {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PasswordText(..)")
    }
}

/// A password, suggested or kept.
#[derive(Clone, Debug, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct PasswordAnswer {
    /// It. `None`: this computer doesn't keep it.
    pub password: Option<PasswordText>,
}

/// Asks how good a password is.
#[derive(Clone, Debug, Deserialize, Serialize, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct JudgePassword {
    /// The password.
    pub password: PasswordText,
    /// Whether the server will be reachable from the Internet.
    #[serde(default)]
    pub internet: bool,
    /// Names that are no secret, such as the server's.
    #[serde(default)]
    pub own: Vec<String>,
}

/// How good a password is.
#[derive(Clone, Debug, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct PasswordVerdict {
    /// `tooShort`, `weak`, `good` or `strong`.
    pub verdict: String,
    /// The same in words.
    pub word: String,
    /// Why, in words.
    pub reason: Option<String>,
    /// How many guesses it takes, as a power of ten.
    pub guesses_log10: f64,
    /// Whether the server can be made with it.
    pub is_enough: bool,
}

/// Which folders a server offers.
#[derive(Clone, Debug, Default, Deserialize, Serialize, TS)]
#[serde(tag = "these", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum FolderChoice {
    /// Every folder, also those made later.
    #[default]
    Everything,
    /// Every folder but mail.
    ExceptMail,
    /// The named ones.
    Named {
        /// See [`SourceFolder::path`].
        paths: Vec<String>,
    },
}

/// Makes this computer the server.
#[derive(Clone, Debug, Deserialize, Serialize, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CreateServer {
    /// What it is called.
    pub name: String,
    /// Its data.
    pub source: String,
    /// Its folders.
    #[serde(default)]
    pub folders: FolderChoice,
    /// "Synchronize via the Internet".
    pub internet: bool,
    /// What other computers must know.
    pub password: PasswordText,
    /// Keep the password in the password store, so that it can be looked up.
    pub is_remembered: bool,
}

/// What was made.
#[derive(Clone, Debug, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct CreatedServer {
    /// How things stand at the new server.
    pub status: Status,
    /// Something to know: there is no password store, so a file is used.
    pub note: Option<ProblemView>,
}

/// How a server became known.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum KnownBy {
    /// It answers in the local network.
    Network,
    /// By an invitation file or link.
    Invitation,
    /// By its server ID.
    ServerId,
}

/// A server this computer could connect to.
#[derive(Clone, Debug, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ServerCard {
    /// Names it in requests; the same after a restart.
    pub id: String,
    /// What it is called.
    pub name: String,
    /// What its owner added for people.
    pub comment: Option<String>,
    /// Of its key: six groups of five digits. `None` until its key is known.
    pub fingerprint: Option<String>,
    /// How it became known.
    pub known_by: KnownBy,
    /// It answers in the local network now.
    pub is_in_network: bool,
    /// This computer is its client already.
    pub is_connected_already: bool,
    /// What it runs on.
    pub platform: Option<String>,
    /// How long ago it was last heard of.
    #[ts(type = "number | null")]
    pub seen_secs_ago: Option<u64>,
    /// When its one-time ticket expires.
    #[ts(type = "number | null")]
    pub ticket_expires: Option<u64>,
    /// A host that would be asked once the person connects.
    pub directory: Option<String>,
    /// Something to know, such as an expired ticket (V03).
    pub note: Option<ProblemView>,
}

/// Names a server by the id of its card.
#[derive(Clone, Debug, Deserialize, Serialize, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ServerRequest {
    /// See [`ServerCard::id`].
    pub server: String,
}

/// Text with an invitation, a link or a server ID somewhere in it.
#[derive(Clone, Debug, Deserialize, Serialize, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TextRequest {
    /// As typed or pasted.
    pub text: String,
}

/// How a list is written into a file.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum ExportFormat {
    /// For spreadsheets.
    Csv,
    /// For programs.
    Json,
}

/// Writes the history into a file where the person says.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SaveHistory {
    /// How.
    pub format: ExportFormat,
}

/// Looks a server up by its ID.
#[derive(Clone, Debug, Deserialize, Serialize, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct FindServer {
    /// As typed.
    pub server_id: String,
    /// A directory of one's own: a host name.
    #[serde(default)]
    pub directory: Option<String>,
}

/// Something was opened with Tandem, or dropped onto its window.
#[derive(Clone, Debug, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Opened {
    /// The file's name; for a link, `None`.
    pub file: Option<String>,
    /// The server it leads to.
    pub server: Option<ServerCard>,
    /// Why it leads to none.
    pub problem: Option<ProblemView>,
    /// How many more came with it and were left alone.
    pub left_alone: u32,
}

/// Adds this computer to a server.
#[derive(Clone, Debug, Deserialize, Serialize, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Connect {
    /// The server.
    pub server: String,
    /// The server's password.
    pub password: PasswordText,
    /// Keep the password in the password store.
    pub is_remembered: bool,
    /// "Synchronize via the Internet" on this computer; without: on if the server isn't in the local network.
    #[serde(default)]
    pub internet: Option<bool>,
    /// What this computer calls itself; without: the computer's name.
    #[serde(default)]
    pub name: Option<String>,
}

/// How far connecting is.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum ConnectStage {
    /// Finding the server.
    Finding,
    /// Calling it, and checking its key and the password.
    Calling,
    /// It let this computer in; reading its list of folders.
    Listing,
}

/// What a server offers, beside what is here.
#[derive(Clone, Debug, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ServerFolders {
    /// The server.
    pub server: ServerCard,
    /// Its folders.
    pub folders: Vec<ServerFolder>,
}

/// A folder at the server.
#[derive(Clone, Debug, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ServerFolder {
    /// Names joined by `/`, with the kind first.
    pub path: String,
    /// `mail`, `contacts`, `calendar`, `tasks` or `notes`.
    pub kind: String,
    /// Items in it.
    #[ts(type = "number")]
    pub items: u64,
}

/// What the first synchronization does with what only one side has.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum FirstMode {
    /// Combine both.
    #[default]
    Combine,
    /// Take over the server's data.
    TakeServer,
    /// Take over this computer's data.
    TakeClient,
}

/// What a person wants for one of the server's folders.
#[derive(Clone, Debug, Deserialize, Serialize, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct FolderWish {
    /// Its path at the server.
    pub path: String,
    /// Which way its changes go; `off`: not at all.
    pub direction: Direction,
    /// The path of the folder here that it is; without: the one of the same name, or a new one.
    #[serde(default)]
    pub here: Option<String>,
}

/// What is to become the same, and how; the answer is the preview.
#[derive(Clone, Debug, Deserialize, Serialize, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PlanFirst {
    /// The data here.
    pub source: String,
    /// What to do with what only one side has.
    #[serde(default)]
    pub mode: FirstMode,
    /// The server's folders; those not named are left out.
    pub folders: Vec<FolderWish>,
    /// Who wins when both sides changed the same, from then on.
    #[serde(default)]
    pub conflicts: ConflictRuleView,
}

/// Writes an invitation file where a person says.
#[derive(Clone, Debug, Default, Deserialize, Serialize, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SaveInvitation {
    /// With a one-time ticket.
    #[serde(default)]
    pub ticket: bool,
}

/// A file that was written.
#[derive(Clone, Debug, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct SavedFile {
    /// Where. `None`: the person changed their mind.
    pub path: Option<String>,
}

/// A letter to write in the person's own mail program.
#[derive(Clone, Debug, Deserialize, Serialize, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct WriteMail {
    /// Its subject.
    pub subject: String,
    /// Its text.
    pub body: String,
}

/// How the window looks.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum Appearance {
    /// As the system does.
    #[default]
    System,
    /// Light.
    Light,
    /// Dark.
    Dark,
}

/// What closing the window does.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum CloseBehaviour {
    /// Asks, or explains once and hides where there is a tray.
    #[default]
    Ask,
    /// Tandem keeps running.
    Hide,
    /// Tandem ends.
    Quit,
}

/// Everything on the settings pages.
#[derive(Clone, Debug, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct SettingsView {
    /// `en` or `de`; `None`: as the system.
    pub language: Option<String>,
    /// Light or dark.
    pub appearance: Appearance,
    /// More contrast than usual.
    pub more_contrast: bool,
    /// Size of the text, percent: 80 to 200.
    pub text_size_percent: u16,
    /// Start with the computer. Read from the system.
    pub starts_with_computer: bool,
    /// What closing the window does.
    pub close: CloseBehaviour,
    /// Tell when a conflict waits.
    pub tells_conflicts: bool,
    /// Tell when deletions are held.
    pub tells_held: bool,
    /// Tell when there was no synchronization for so many days; 0: never.
    pub tells_silence_after_days: u16,
    /// What other computers call this one.
    pub name: Option<String>,
    /// "Synchronize via the Internet".
    pub internet: bool,
    /// "Find this server when its address changes".
    pub peer_names: bool,
    /// The UDP port this server listens at; 0: chosen at the first start.
    pub port: u16,
    /// The most bytes per second sent over the Internet; 0: no limit.
    pub upload_bytes_per_sec_max: u32,
    /// The most bytes per second received over the Internet; 0: no limit.
    pub download_bytes_per_sec_max: u32,
    /// On a client: the Internet waits while the line is metered.
    pub waits_on_metered: bool,
    /// The log says in detail what this computer does.
    pub detailed_log: bool,
    /// This system says whether a line is metered.
    pub knows_metered: bool,
    /// Who wins when both sides changed the same.
    pub conflicts: ConflictRuleView,
    /// How long earlier versions are kept, days.
    pub backup_days: u16,
    /// How much room they may take, bytes.
    #[ts(type = "number")]
    pub backup_bytes_max: u64,
    /// How much they take now, bytes.
    #[ts(type = "number")]
    pub backup_bytes: u64,
    /// Where they are.
    pub backup_place: String,
    /// A person chose that place.
    pub is_backup_elsewhere: bool,
    /// Whether the password is in the password store, to be looked up (server).
    pub is_password_kept: bool,
    /// Some settings take effect when Tandem starts again.
    pub needs_restart: bool,
}

/// Changes settings: what isn't named stays.
#[derive(Clone, Debug, Default, Deserialize, Serialize, TS)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
#[ts(optional_fields)]
pub struct ChangeSettings {
    /// `en`, `de`, or empty: as the system.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// Light or dark.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub appearance: Option<Appearance>,
    /// More contrast than usual.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub more_contrast: Option<bool>,
    /// Percent: 80 to 200.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text_size_percent: Option<u16>,
    /// Start with the computer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub starts_with_computer: Option<bool>,
    /// What closing the window does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub close: Option<CloseBehaviour>,
    /// Tell when a conflict waits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tells_conflicts: Option<bool>,
    /// Tell when deletions are held.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tells_held: Option<bool>,
    /// Tell when there was no synchronization for so many days; 0: never.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tells_silence_after_days: Option<u16>,
    /// What other computers call this one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// "Synchronize via the Internet".
    #[serde(skip_serializing_if = "Option::is_none")]
    pub internet: Option<bool>,
    /// "Find this server when its address changes".
    #[serde(skip_serializing_if = "Option::is_none")]
    pub peer_names: Option<bool>,
    /// The UDP port this server listens at, from the next start on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
    /// The most bytes per second sent over the Internet, at least 100,000; 0: no limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub upload_bytes_per_sec_max: Option<u32>,
    /// The most bytes per second received over the Internet, at least 100,000; 0: no limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub download_bytes_per_sec_max: Option<u32>,
    /// On a client: the Internet waits while the line is metered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub waits_on_metered: Option<bool>,
    /// The log says in detail what this computer does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detailed_log: Option<bool>,
    /// Who wins when both sides changed the same.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub conflicts: Option<ConflictRuleView>,
    /// How long earlier versions are kept, days: 1 to 3,650.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub backup_days: Option<u16>,
    /// How much room they may take, bytes; 0: as in the beginning.
    #[ts(type = "number", optional)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub backup_bytes_max: Option<u64>,
}

/// A page of the settings.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum SettingsPage {
    /// Language, start, closing, appearance.
    General,
    /// What is told.
    Notifications,
    /// Internet and network.
    Internet,
    /// Who wins.
    Conflicts,
    /// Earlier versions.
    Backup,
}

/// Where earlier versions are kept.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct BackupPlace {
    /// As in the beginning, beside the records. Else a folder is asked for in the system's own dialog.
    pub is_as_made: bool,
}

/// Names a page of the settings.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ResetSettings {
    /// Which.
    pub page: SettingsPage,
}

/// Something the system can open.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum Place {
    /// The folder with the logs.
    Logs,
    /// The folder with the settings.
    Settings,
    /// The folder with this computer's data.
    Data,
    /// The folder with earlier versions.
    Backup,
    /// The file that was saved last, shown in its folder.
    SavedFile,
    /// The settings of the system that say when the computer sleeps.
    EnergySettings,
    /// The works of others that are in the program, and their terms.
    ThirdParty,
}

/// Opens something with the system's own program.
#[derive(Clone, Debug, Deserialize, Serialize, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct OpenPlace {
    /// What.
    pub place: Place,
}

/// What About shows.
#[derive(Clone, Debug, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct AboutView {
    /// Of the program.
    pub version: String,
    /// `linux`, `macos` or `windows`, and the kind of processor.
    pub platform: String,
    /// The folder with the settings.
    pub settings_folder: String,
    /// The folder with the logs.
    pub logs_folder: String,
    /// The data.
    pub data: Vec<String>,
    /// The licence.
    pub licence: String,
    /// There is a file with the works of others that are in the program, and their terms.
    pub has_third_party: bool,
}

/// Lines of the log.
#[derive(Clone, Debug, Default, Deserialize, Serialize, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LogRequest {
    /// Only these and graver ones: `debug`, `info`, `warn`, `error`.
    #[serde(default)]
    pub level: Option<String>,
    /// How many of the last ones; 500 without.
    #[serde(default)]
    pub lines: Option<u32>,
}

/// A line of the log.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct LogLine {
    /// As written, UTC.
    pub at: String,
    /// `debug`, `info`, `warn` or `error`.
    pub level: String,
    /// What it says.
    pub text: String,
}

/// Makes a report for whoever helps.
#[derive(Clone, Debug, Default, Deserialize, Serialize, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ReportRequest {
    /// With the names of folders.
    #[serde(default)]
    pub folder_names: bool,
}

/// A report in which names and addresses were replaced.
#[derive(Clone, Debug, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// All of it.
    pub text: String,
}

/// Stops being a server or a client.
#[derive(Clone, Debug, Deserialize, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Disconnect {
    /// On a client: gives this computer what it had before its first synchronization.
    #[serde(default)]
    pub takes_back: bool,
}

/// This computer is neither server nor client any more.
#[derive(Clone, Debug, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Disconnected {
    /// How it is now.
    pub state: HostState,
    /// What went back to how it was before the first synchronization, if that was wished.
    pub taken_back: Option<UndoAnswer>,
    /// What stays for a while, because it couldn't be reached.
    pub stays: Option<ProblemView>,
}

/// Stops being a server or client, or takes Tandem's traces off this computer.
#[derive(Clone, Debug, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Removed {
    /// What was taken away, in words.
    pub removed: Vec<String>,
    /// Where the data still is.
    pub data: Vec<String>,
    /// What couldn't be taken away, or stays for a while.
    pub problems: Vec<ProblemView>,
}

/// What a person decided when the window was to be closed.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CloseRequest {
    /// End Tandem, instead of keeping it running.
    pub quits: bool,
    /// Do the same next time without asking.
    pub is_remembered: bool,
}

/// An hour of traffic.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct TrafficHour {
    /// When it began.
    #[ts(type = "number")]
    pub at: u64,
    /// Items brought here or sent.
    #[ts(type = "number")]
    pub items: u64,
    /// Bytes of contents brought here or sent.
    #[ts(type = "number")]
    pub bytes: u64,
}

/// One of the two sample computers.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum SampleSide {
    /// The office PC, the server.
    Server,
    /// The laptop, the client.
    Client,
}

/// What a person does to the sample computers.
#[derive(Clone, Debug, Deserialize, Serialize, TS)]
#[serde(tag = "do", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum SampleAction {
    /// Adds an item to a folder.
    Add {
        /// Where.
        side: SampleSide,
        /// See [`SampleFolder::path`].
        folder: String,
    },
    /// Changes an item.
    Change {
        /// Where.
        side: SampleSide,
        /// See [`SampleItem::id`].
        item: String,
    },
    /// Deletes an item.
    Delete {
        /// Where.
        side: SampleSide,
        /// See [`SampleItem::id`].
        item: String,
    },
    /// Moves an item to another folder of its kind.
    Move {
        /// Where.
        side: SampleSide,
        /// See [`SampleItem::id`].
        item: String,
    },
    /// Cuts the link between them.
    Cut {},
    /// Restores it.
    Restore {},
    /// Changes the same appointment on both while the link is cut, and restores it.
    ChangeOnBoth {},
    /// Deletes half a folder, which the guard stops.
    DeleteHalf {
        /// Where.
        side: SampleSide,
    },
    /// Publishes the office PC, in a network of its own that doesn't leave this computer.
    Publish {},
    /// Asks that network, as the laptop, for the server ID that was published last.
    LookUp {},
    /// Takes the publication back.
    Revoke {},
}

/// A server ID, and what it led to when it was looked up last.
#[derive(Clone, Debug, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct SampleLookUp {
    /// The ID that was published last.
    pub server_id: String,
    /// The server's name, if it was found.
    pub found: Option<String>,
    /// Why it wasn't. Neither this nor a name: nobody looked yet.
    pub problem: Option<ProblemView>,
}

impl SampleLookUp {
    /// Nobody looked for it yet.
    pub(super) const fn of(server_id: String) -> Self {
        Self { server_id, found: None, problem: None }
    }
}

/// The two sample computers, side by side.
#[derive(Clone, Debug, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Samples {
    /// The office PC.
    pub server: SampleComputer,
    /// The laptop.
    pub client: SampleComputer,
    /// Whether they can talk.
    pub is_linked: bool,
    /// Whether they hold the same.
    pub is_same: bool,
    /// What is published of the office PC.
    pub publication: PublicationView,
    /// What was published last, and what the laptop found of it.
    pub looked_up: Option<SampleLookUp>,
}

/// A sample computer.
#[derive(Clone, Debug, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct SampleComputer {
    /// What it is called.
    pub name: String,
    /// How things stand there.
    pub status: Status,
    /// What it holds.
    pub folders: Vec<SampleFolder>,
}

/// A folder of a sample computer.
#[derive(Clone, Debug, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct SampleFolder {
    /// Names joined by `/`, with the kind first.
    pub path: String,
    /// `mail`, `contacts`, `calendar`, `tasks` or `notes`.
    pub kind: String,
    /// Its own name.
    pub name: String,
    /// What lies in it, by title.
    pub items: Vec<SampleItem>,
}

/// An item of a sample computer, readable.
#[derive(Clone, Debug, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct SampleItem {
    /// Names it in actions.
    pub id: String,
    /// What people call it.
    pub title: String,
    /// What it says, field by field.
    pub fields: Vec<crate::api::types::FieldView>,
}

/// A command of the common list, for one of the sample computers.
#[derive(Clone, Debug, Deserialize, Serialize, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SampleCall {
    /// Which of them.
    pub side: SampleSide,
    /// A name of `Commands`.
    pub command: String,
    /// Its request.
    #[ts(type = "unknown")]
    #[serde(default)]
    pub request: serde_json::Value,
}

/// The answer of a command, of the type the list says.
#[derive(Clone, Debug, Serialize, TS)]
pub struct AnyAnswer(#[ts(type = "unknown")] pub serde_json::Value);

/// Told to the window unasked.
#[derive(Clone, Debug, Serialize, TS)]
#[serde(tag = "host", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum HostEvent {
    /// The stage, the language or the like changed.
    State {
        /// How it is now.
        state: HostState,
    },
    /// The running instance told something.
    Instance {
        /// What.
        event: Event,
    },
    /// The running instance told more than was taken: ask anew.
    Missed {},
    /// Items are on their way.
    Progress {
        /// Items done since it began to move.
        #[ts(type = "number")]
        items_done: u64,
        /// Items to do altogether, as far as known.
        #[ts(type = "number")]
        items_all: u64,
        /// Bytes done since it began to move.
        #[ts(type = "number")]
        bytes_done: u64,
        /// Seconds left, once the speed is steady.
        seconds_left: Option<u32>,
    },
    /// How far connecting is.
    Connecting {
        /// The stage.
        stage: ConnectStage,
    },
    /// One more step of the check before there is a server is known.
    Check {
        /// Which, and how it went.
        check: Check,
    },
    /// The list of servers changed.
    Servers {
        /// All of them.
        servers: Vec<ServerCard>,
    },
    /// Something was opened or dropped: `take_opened` gives it.
    Opened {},
    /// A file hovers over the window, or doesn't any more.
    Hovering {
        /// The names of the files; empty: none hovers any more.
        files: Vec<String>,
        /// Whether the first looks like an invitation.
        is_invitation: bool,
    },
    /// Somebody asked for a page, in the tray or by a notification: `overview`, `conflicts`, `invite`, `settings`, `help`.
    Page {
        /// Which.
        page: String,
    },
    /// The window is to be closed and nobody said yet what that means: ask, and answer with `close_window`.
    CloseAsked {
        /// There is a tray icon to come back by.
        has_tray: bool,
        /// Computers that are connected to this one.
        connected: u32,
        /// The program is to be ended, and not only its window.
        quits: bool,
    },
    /// The system turned dark or light.
    SystemIsDark {
        /// Which.
        is_dark: bool,
    },
    /// Something changed at the sample computers.
    Samples {},
}
