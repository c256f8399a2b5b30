//! Requests and answers of the command list. JSON names are camelCase; times are seconds since 1970 (UTC).

use crate::message::ProblemView;
use serde::{Deserialize, Serialize};
use sync::index::Direction as SyncDirection;
use ts_rs::TS;

/// A request that says nothing more.
#[derive(Clone, Debug, Default, Deserialize, Serialize, TS)]
#[serde(deny_unknown_fields)]
pub struct Nothing {}

/// The request was carried out.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize, TS)]
pub struct Done {}

/// What this computer is.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum RoleView {
    /// It has the data.
    Server,
    /// It is connected to a server.
    Client,
}

/// The seven words for how things stand.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum Word {
    /// Up to date.
    UpToDate,
    /// Synchronizing.
    Synchronizing,
    /// Paused by a person.
    Paused,
    /// Waiting for the other computer.
    Waiting,
    /// This computer has no network.
    Offline,
    /// Somebody has to decide something.
    NeedsDecision,
    /// Something stands in the way.
    Problem,
}

/// How things stand.
#[derive(Clone, Debug, Deserialize, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Status {
    /// Of the JSON shapes; grows when a field changes its meaning.
    pub shape: u32,
    /// Of the program.
    pub version: String,
    /// What this computer is.
    pub role: RoleView,
    /// What this computer is called.
    pub name: String,
    /// What the server is called.
    pub server_name: String,
    /// Of the server's key.
    pub fingerprint: String,
    /// The one word.
    pub word: Word,
    /// Whether the other computer is connected (on the server: whether any is).
    pub is_connected: bool,
    /// By which way, on a client that is connected.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub path: Option<PathView>,
    /// Whether the first reading of the data goes on.
    pub is_reading: bool,
    /// Everything is the same on both sides, as far as it can be.
    pub is_quiet: bool,
    /// Items on their way or waiting for it.
    #[ts(type = "number")]
    pub pending: u64,
    /// Items brought here or sent since the start.
    #[ts(type = "number")]
    pub items_done: u64,
    /// Bytes of contents brought here or sent since the start.
    #[ts(type = "number")]
    pub bytes_done: u64,
    /// Open conflicts.
    #[ts(type = "number")]
    pub conflicts: u64,
    /// Deletions or reversions that wait for a decision.
    #[ts(type = "number")]
    pub held: u64,
    /// Whether it may be reached, or reaches out, over the Internet.
    pub internet: bool,
    /// Where the server listens (on the server).
    pub addresses: Vec<String>,
    /// Until when it is paused; 0: until somebody continues.
    #[ts(type = "number | null")]
    pub paused_until: Option<u64>,
    /// What stands in the way.
    pub problem: Option<ProblemView>,
}

/// By which way a client reaches its server.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum PathView {
    /// In the local network.
    Local,
    /// At an address that the server has on the Internet, or that somebody typed.
    Direct,
    /// Through a port that the server's router forwards.
    Mapped,
    /// Through routers that both sides opened at the same time (hole punching).
    Punched,
    /// Through a relay, which passes on what it can't read.
    Relayed,
}

/// Which way changes of a folder go.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize, TS)]
#[serde(rename_all = "kebab-case")]
pub enum Direction {
    /// Both ways.
    Both,
    /// Only to the server.
    ToServer,
    /// Only to this computer.
    ToHere,
    /// Not at all.
    Off,
}

impl From<Direction> for SyncDirection {
    fn from(direction: Direction) -> Self {
        match direction {
            Direction::Both => Self::Both,
            Direction::ToServer => Self::ToServer,
            Direction::ToHere => Self::ToHere,
            Direction::Off => Self::Off,
        }
    }
}

impl From<SyncDirection> for Direction {
    fn from(direction: SyncDirection) -> Self {
        match direction {
            SyncDirection::Both => Self::Both,
            SyncDirection::ToServer => Self::ToServer,
            SyncDirection::ToHere => Self::ToHere,
            SyncDirection::Off => Self::Off,
        }
    }
}

/// A folder.
#[derive(Clone, Debug, Deserialize, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct FolderView {
    /// Its identity on every computer.
    pub uid: String,
    /// What it holds: mail, contacts, calendar, tasks or notes.
    pub kind: String,
    /// Its path at the server: names joined by `/`, with the kind first.
    pub path: String,
    /// Its path here, if it is here.
    pub here: Option<String>,
    /// Which way its changes go.
    pub direction: Direction,
    /// Items here.
    #[ts(type = "number")]
    pub items: u64,
    /// Items that both sides hold.
    #[ts(type = "number")]
    pub agreed: u64,
    /// Off only until somebody continues.
    pub is_paused: bool,
}

/// Asks for the items of a folder here.
#[derive(Clone, Debug, Deserialize, Serialize, TS)]
#[serde(deny_unknown_fields)]
pub struct ItemsRequest {
    /// Its uid or path.
    pub folder: String,
    /// How many at most; 200 without, and never more than 1,000.
    #[serde(default)]
    pub limit: Option<u32>,
    /// With what they say, field by field.
    #[serde(default)]
    pub fields: bool,
}

/// An item, readable.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, TS)]
pub struct ItemView {
    /// Its uid.
    pub uid: String,
    /// What people call it.
    pub title: String,
    /// What it says, if that was asked for.
    pub fields: Vec<FieldView>,
    /// The store's own name for it.
    pub href: String,
}

/// Changes a folder's settings.
#[derive(Clone, Debug, Deserialize, Serialize, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SetFolder {
    /// Its uid or path.
    pub folder: String,
    /// Which way its changes go from now on.
    pub direction: Direction,
}

/// Holds a folder still, or lets it go on the way it went before. Client only.
#[derive(Clone, Debug, Deserialize, Serialize, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PauseFolder {
    /// Its uid or path.
    pub folder: String,
    /// Whether it rests.
    pub is_paused: bool,
}

/// Releases a folder for a device, or keeps it from it. Server only.
#[derive(Clone, Debug, Deserialize, Serialize, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ReleaseFolder {
    /// Its uid or path.
    pub folder: String,
    /// The device's id, or the beginning of it.
    pub device: String,
    /// Whether the device may have it.
    pub is_released: bool,
}

/// Where deletions wait.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum HeldWhere {
    /// Deleted here; waits at the server for a decision there.
    AtServer,
    /// Deleted elsewhere; waits here.
    Here,
    /// A folder here lost everything at once.
    Emptied,
    /// Deleted elsewhere before this computer was set up; it still has the item.
    DeletedElsewhere,
    /// Went back to an earlier state here, as after a restored backup.
    Reverted,
}

/// Deletions that wait for a decision.
#[derive(Clone, Debug, Deserialize, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct HeldView {
    /// The folder's uid.
    pub folder: String,
    /// Its path.
    pub path: String,
    /// How many items.
    #[ts(type = "number")]
    pub count: u64,
    /// How many items the folder had.
    #[ts(type = "number")]
    pub of: u64,
    /// Where they wait.
    pub waits: HeldWhere,
    /// Names of some of them.
    pub examples: Vec<String>,
    /// What happened, in words.
    pub problem: ProblemView,
}

/// What to do with deletions that wait.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum HeldDecision {
    /// Delete everywhere.
    Allow,
    /// Bring back.
    Restore,
}

/// Decides about deletions that wait in a folder.
#[derive(Clone, Debug, Deserialize, Serialize, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DecideHeld {
    /// Its uid or path.
    pub folder: String,
    /// What to do.
    pub decision: HeldDecision,
}

/// An open conflict.
#[derive(Clone, Debug, Deserialize, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ConflictView {
    /// Its id, the same on every computer.
    pub id: String,
    /// The item.
    pub item: String,
    /// What kind of item.
    pub kind: String,
    /// What people call it.
    pub title: String,
    /// Its folder's path.
    pub folder: String,
    /// The fields both sides changed.
    pub fields: Vec<String>,
    /// Why the two can't be combined, if they can't.
    pub note: Option<ProblemView>,
    /// When the server took it.
    #[ts(type = "number")]
    pub at: u64,
}

/// Asks for one conflict.
#[derive(Clone, Debug, Deserialize, Serialize, TS)]
#[serde(deny_unknown_fields)]
pub struct ConflictRequest {
    /// Its id, or the beginning of it.
    pub id: String,
}

/// A field of an item, in words.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize, TS)]
pub struct FieldView {
    /// Which.
    pub name: String,
    /// What it says.
    pub text: String,
}

/// Both sides of a conflict.
#[derive(Clone, Debug, Deserialize, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ConflictDetail {
    /// The conflict.
    pub conflict: ConflictView,
    /// The version everybody has now.
    pub server: Vec<FieldView>,
    /// The version that lost. Empty if its bytes are not on this computer; they are on the server.
    pub other: Vec<FieldView>,
}

/// What becomes of a conflict.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum Keep {
    /// The version everybody has stays.
    Server,
    /// The version that lost becomes the current one.
    Client,
    /// The version that lost becomes an item of its own.
    Both,
    /// Fields that only the losing version has are taken over; where both differ, everybody's version stays.
    Merge,
}

/// Decides a conflict.
#[derive(Clone, Debug, Deserialize, Serialize, TS)]
#[serde(deny_unknown_fields)]
pub struct ResolveConflict {
    /// Its id, or the beginning of it.
    pub id: String,
    /// What to keep.
    pub keep: Keep,
}

/// A run: one synchronization from connect to quiet.
#[derive(Clone, Debug, Deserialize, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct RunView {
    /// Its number.
    #[ts(type = "number")]
    pub id: i64,
    /// When it began.
    #[ts(type = "number")]
    pub started: u64,
    /// When it ended; `None`: it goes on.
    #[ts(type = "number | null")]
    pub ended: Option<u64>,
    /// Items added, on either side.
    #[ts(type = "number")]
    pub added: u64,
    /// Items changed or moved.
    #[ts(type = "number")]
    pub changed: u64,
    /// Items deleted.
    #[ts(type = "number")]
    pub deleted: u64,
    /// Conflicts.
    #[ts(type = "number")]
    pub conflicts: u64,
    /// Folders made, renamed, moved or deleted.
    #[ts(type = "number")]
    pub folders: u64,
    /// A client's first synchronization, or part of it: it is taken back by leaving the server, and not like others.
    #[serde(default)]
    pub is_first: bool,
}

/// One change of a run.
#[derive(Clone, Debug, Deserialize, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct EntryView {
    /// Its number.
    #[ts(type = "number")]
    pub id: i64,
    /// The item, or the folder.
    pub item: String,
    /// added, changed, moved, flagged, deleted, conflict, or kept: deleted on one side and edited on the other. Of a folder:
    /// folderAdded, folderRenamed, folderMoved or folderDeleted.
    pub action: String,
    /// Whether the change came to this computer (true) or was sent from it.
    pub is_here: bool,
    /// The folder's path.
    pub folder: String,
    /// What people call the item. Of a folder that was renamed: both names.
    pub title: String,
    /// Whether it was undone.
    pub is_undone: bool,
}

/// Asks for runs, newest first, or for one run's changes. An answer has at most 200 runs or 2,000 changes; what comes after
/// them is asked for by the last one.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct HistoryRequest {
    /// The run whose changes are wanted.
    #[serde(default)]
    #[ts(type = "number | null")]
    pub run: Option<i64>,
    /// Only runs before this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional, type = "number")]
    pub before: Option<i64>,
    /// Only changes after this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional, type = "number")]
    pub after: Option<i64>,
}

/// Runs, or the changes of one.
#[derive(Clone, Debug, Default, Deserialize, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct HistoryAnswer {
    /// Newest first.
    pub runs: Vec<RunView>,
    /// In order.
    pub entries: Vec<EntryView>,
    /// There may be more behind the last one.
    pub is_more: bool,
}

/// Undoes a run, or the newest change of an item.
#[derive(Clone, Debug, Deserialize, Serialize, TS)]
#[serde(deny_unknown_fields)]
pub struct UndoRequest {
    /// A run's number or an item's uid.
    pub what: String,
}

/// What an undo did.
#[derive(Clone, Debug, Default, Deserialize, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct UndoAnswer {
    /// Items brought back to how they were.
    #[ts(type = "number")]
    pub undone: u64,
    /// Items that changed again since, or whose earlier content isn't kept any more: left as they are.
    pub left: Vec<String>,
}

/// A computer that may connect, or might once.
#[derive(Clone, Debug, Deserialize, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct DeviceView {
    /// Its id.
    pub id: String,
    /// What it calls itself.
    pub name: String,
    /// What it runs on.
    pub platform: String,
    /// The version of Tandem it had when it was here last, if it said so.
    pub version: Option<String>,
    /// When it was added.
    #[ts(type = "number")]
    pub paired_at: u64,
    /// The day it was last seen, in days since 1970.
    #[ts(type = "number | null")]
    pub last_seen_day: Option<u64>,
    /// It was removed.
    pub is_removed: bool,
    /// It is connected now.
    pub is_connected: bool,
    /// By which way, if it is. A server can't tell the direct ways over the Internet from each other.
    pub path: Option<PathView>,
}

/// Names a device.
#[derive(Clone, Debug, Deserialize, Serialize, TS)]
#[serde(deny_unknown_fields)]
pub struct DeviceRequest {
    /// Its id, or the beginning of it.
    pub id: String,
}

/// Calls a device otherwise.
#[derive(Clone, Debug, Deserialize, Serialize, TS)]
#[serde(deny_unknown_fields)]
pub struct RenameDevice {
    /// Its id, or the beginning of it.
    pub id: String,
    /// What it is called from now on.
    pub name: String,
}

/// Makes an invitation. Server only.
#[derive(Clone, Debug, Default, Deserialize, Serialize, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct InviteRequest {
    /// With a one-time ticket.
    #[serde(default)]
    pub ticket: bool,
    /// How long the ticket holds.
    #[serde(default)]
    pub ticket_days: Option<u32>,
    /// Addresses to put in, as `IP:PORT`; without any, those the server listens on.
    #[serde(default)]
    pub hints: Vec<String>,
}

/// An invitation.
#[derive(Clone, Debug, Deserialize, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct InviteAnswer {
    /// The file's text.
    pub file: String,
    /// The same as a link.
    pub link: String,
    /// A good name for the file.
    pub file_name: String,
    /// The addresses in it.
    pub hints: Vec<String>,
    /// When its ticket expires.
    #[ts(type = "number | null")]
    pub ticket_expires: Option<u64>,
}

/// Sets a new password. Server only.
#[derive(Clone, Deserialize, Serialize, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PasswordRequest {
    /// The password.
    pub password: String,
    /// Every computer has to enter it anew.
    #[serde(default)]
    pub sign_out_all: bool,
}

impl std::fmt::Debug for PasswordRequest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PasswordRequest").field("sign_out_all", &self.sign_out_all).finish_non_exhaustive()
    }
}

/// Stops synchronizing for a while.
#[derive(Clone, Debug, Default, Deserialize, Serialize, TS)]
#[serde(deny_unknown_fields)]
pub struct PauseRequest {
    /// For how long; without: until somebody continues.
    #[serde(default)]
    pub minutes: Option<u32>,
}

/// Switches "Synchronize via the Internet".
#[derive(Clone, Debug, Deserialize, Serialize, TS)]
#[serde(deny_unknown_fields)]
pub struct InternetRequest {
    /// On or off.
    pub on: bool,
}

/// Who wins when both sides changed the same.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum ConflictRuleView {
    /// Nobody: a person is asked.
    #[default]
    Ask,
    /// The client's version; the other goes to the backup.
    Client,
    /// The server's version; the other goes to the backup.
    Server,
}

/// The settings of the running instance.
#[derive(Clone, Debug, Deserialize, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Options {
    /// `en` or `de`; `None`: as the system.
    pub language: Option<String>,
    /// What other computers call this one.
    pub name: Option<String>,
    /// "Find this server when its address changes".
    pub peer_names: bool,
    /// The UDP port this server listens at.
    pub port: u16,
    /// The most bytes per second sent over the Internet; 0: no limit.
    pub upload_bytes_per_sec_max: u32,
    /// The most bytes per second received over the Internet; 0: no limit.
    pub download_bytes_per_sec_max: u32,
    /// On a client: the Internet waits while the line is metered.
    pub waits_on_metered: bool,
    /// The log says in detail what this computer does.
    pub detailed_log: bool,
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
}

/// A switchboard at which others are put through to this server.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct RendezvousView {
    /// `HOST:PORT=KEY`.
    pub rendezvous: String,
    /// Where it sees this server; nothing while there is no line to it.
    pub observed: Vec<ObservedView>,
}

/// Where a switchboard sees this server.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ObservedView {
    /// The address.
    pub address: String,
    /// What the router does to addresses.
    pub translation: TranslationView,
}

/// How a router changes addresses (RFC 4787 4.1).
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum TranslationView {
    /// It isn't known.
    Unknown,
    /// Not at all.
    None,
    /// To one for all destinations.
    EndpointIndependent,
    /// To another one for each destination.
    EndpointDependent,
}

/// Switchboards to use from now on.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RendezvousRequest {
    /// `HOST:PORT=KEY`, at most two; none: no switchboard.
    pub rendezvous: Vec<String>,
}

/// The relay (TURN) for computers that find no direct way to this server.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct RelayView {
    /// `HOST:PORT`; `None`: there is no relay.
    pub address: Option<String>,
    /// What it knows this server by.
    pub user: Option<String>,
    /// How things stand; `None`: nobody asks it now.
    pub state: Option<RelayStateView>,
    /// The address it has for clients.
    pub candidate: Option<String>,
    /// What is in the way of using it.
    pub problem: Option<ProblemView>,
}

/// How things stand with a relay.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum RelayStateView {
    /// It is being asked.
    Asking,
    /// It doesn't answer.
    Silent,
    /// User or password is wrong, or it has no room.
    Refused,
    /// It can be used.
    Ready,
}

/// A relay to use from now on.
#[derive(Clone, Deserialize, Serialize, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[ts(optional_fields)]
pub struct RelayRequest {
    /// `HOST:PORT`; `None`: no relay.
    pub address: Option<String>,
    /// What it knows this server by.
    pub user: Option<String>,
    /// The user's password.
    pub password: Option<String>,
}

impl std::fmt::Debug for RelayRequest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RelayRequest").field("address", &self.address).finish_non_exhaustive()
    }
}

/// This computer's own firewall, and the port at which this server is called.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct FirewallView {
    /// The UDP port.
    pub port: u16,
    /// What happens to calls.
    pub state: FirewallStateView,
    /// The tool that changes it: `firewalld`, `ufw`, `nftables`, or `system`. `None`: there is no firewall.
    pub program: Option<String>,
    /// Whether `allow_in_firewall` can open the port.
    pub can_allow: bool,
    /// What is in the way, if something is.
    pub problem: Option<ProblemView>,
}

/// What a firewall does with calls.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum FirewallStateView {
    /// There is none that is known.
    None,
    /// It lets them in.
    Open,
    /// It drops them.
    Closed,
    /// Only an administrator may ask it.
    Unknown,
}

/// Changes the settings of the running instance: what isn't named stays.
#[derive(Clone, Debug, Default, Deserialize, Serialize, TS)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
#[ts(optional_fields)]
pub struct SetOptions {
    /// `en`, `de`, or empty: as the system.
    pub language: Option<String>,
    /// What other computers call this one.
    pub name: Option<String>,
    /// "Find this server when its address changes".
    pub peer_names: Option<bool>,
    /// The UDP port this server listens at, from the next start on.
    pub port: Option<u16>,
    /// The most bytes per second sent over the Internet, at least 100,000; 0: no limit.
    pub upload_bytes_per_sec_max: Option<u32>,
    /// The most bytes per second received over the Internet, at least 100,000; 0: no limit.
    pub download_bytes_per_sec_max: Option<u32>,
    /// On a client: the Internet waits while the line is metered.
    pub waits_on_metered: Option<bool>,
    /// The log says in detail what this computer does.
    pub detailed_log: Option<bool>,
    /// Who wins when both sides changed the same.
    pub conflicts: Option<ConflictRuleView>,
    /// How long earlier versions are kept, days: 1 to 3,650.
    pub backup_days: Option<u16>,
    /// How much room they may take, bytes; 0: as in the beginning.
    #[ts(type = "number", optional)]
    pub backup_bytes_max: Option<u64>,
    /// Everything about earlier versions as it was in the beginning.
    pub is_backup_as_made: bool,
}

/// Publishes this server. Server only.
#[derive(Clone, Debug, Default, Deserialize, Serialize, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PublishRequest {
    /// What others see as the server's name; without: its name.
    #[serde(default)]
    pub name: Option<String>,
    /// What others see beside it, at most 39 characters.
    #[serde(default)]
    pub comment: Option<String>,
    /// Whether it lies in the network for addresses (DHT); without: as before, at first yes.
    #[serde(default)]
    pub dht: Option<bool>,
    /// The address of a directory where it lies instead or as well; empty: in none; without: as before, at first in none.
    #[serde(default)]
    pub directory: Option<String>,
}

/// How a publication stands.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum PublicationState {
    /// Nothing is published.
    None,
    /// The server ID leads here.
    Published,
    /// It was taken back, and the network will be told as soon as it can be reached.
    Revoking,
}

/// Where the published record lies, is to lie, or is to be deleted.
#[derive(Clone, Debug, Deserialize, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct PublicationPlace {
    /// The address of a directory; `None`: the network for addresses (DHT).
    pub directory: Option<String>,
    /// It is to be deleted there.
    pub is_left: bool,
    /// When it was last stored there. `None`: it isn't yet, as it is now.
    #[ts(type = "number | null")]
    pub stored_at: Option<u64>,
    /// The code of the problem that came up the last time. It is tried again.
    pub problem: Option<String>,
}

/// What is published of this server, or would be.
#[derive(Clone, Debug, Deserialize, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct PublicationView {
    /// How it stands.
    pub state: PublicationState,
    /// The 16 characters that lead here.
    pub server_id: Option<String>,
    /// The name others see.
    pub name: String,
    /// The comment others see.
    pub comment: Option<String>,
    /// The server's public key.
    pub public_key: String,
    /// Since when.
    #[ts(type = "number | null")]
    pub published_at: Option<u64>,
    /// When it was last said again.
    #[ts(type = "number | null")]
    pub renewed_at: Option<u64>,
    /// Where.
    pub places: Vec<PublicationPlace>,
    /// What the last peer name that was taken says of "Synchronize via the Internet". None: there was none yet.
    pub says_internet: Option<bool>,
}

/// A server ID as it is being typed, looked at without asking anybody.
#[derive(Clone, Debug, Deserialize, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ServerIdCheck {
    /// The ID as it is written, if it is one.
    pub server_id: Option<String>,
    /// What is wrong with it.
    pub problem: Option<ProblemView>,
    /// The group of four that is probably wrong, from 0.
    pub suspect: Option<u32>,
    /// It is only not finished.
    pub is_incomplete: bool,
}

/// What the first synchronization will do in one folder.
#[derive(Clone, Debug, Default, Deserialize, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct PreviewFolder {
    /// Its path.
    pub path: String,
    /// Items that will be added here.
    #[ts(type = "number")]
    pub added_here: u64,
    /// Items that will be added on the server.
    #[ts(type = "number")]
    pub added_there: u64,
    /// Items that are the same already.
    #[ts(type = "number")]
    pub same: u64,
    /// Items that differ and will be merged.
    #[ts(type = "number")]
    pub differ: u64,
    /// Items that may be the same; both are kept.
    #[ts(type = "number")]
    pub not_sure: u64,
    /// Items that will be deleted here (into the backup), when one side is taken over.
    #[ts(type = "number")]
    pub removed_here: u64,
    /// Items that will be deleted on the server (into the backup), when one side is taken over.
    #[ts(type = "number")]
    pub removed_there: u64,
    /// Names of some items that differ or aren't sure.
    pub names: Vec<String>,
}

/// What the first synchronization will do.
#[derive(Clone, Debug, Default, Deserialize, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Preview {
    /// Of the JSON shapes.
    pub shape: u32,
    /// In path order.
    pub folders: Vec<PreviewFolder>,
    /// The sum of all folders.
    pub total: PreviewFolder,
    /// Bytes that will come here.
    #[ts(type = "number")]
    pub bytes_here: u64,
    /// Bytes that will be sent.
    #[ts(type = "number")]
    pub bytes_there: u64,
}

/// A server in the local network.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct LanServerView {
    /// Tells servers of the same name apart: 16 hexadecimal digits that follow from its key.
    pub id: String,
    /// What it is called.
    pub name: String,
    /// Where it is, as `IP:PORT`.
    pub addresses: Vec<String>,
    /// It doesn't answer any more.
    pub is_stale: bool,
    /// This computer is connected to it already, or is it.
    pub is_known: bool,
}

/// One step of the connection check.
#[derive(Clone, Debug, Deserialize, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Check {
    /// Its stable name.
    pub id: String,
    /// ok, problem, cannotTell or skipped.
    pub result: String,
    /// What stands in the way.
    pub problem: Option<ProblemView>,
}

/// Something happened.
#[derive(Clone, Debug, Deserialize, Serialize, TS)]
#[serde(tag = "event", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Event {
    /// How things stand changed.
    Status {
        /// How they stand now.
        status: Status,
    },
    /// Something stands in the way.
    Problem {
        /// What.
        problem: ProblemView,
    },
    /// A conflict waits.
    Conflict {
        /// Its id.
        id: String,
    },
    /// Deletions wait for a decision.
    Held {
        /// The folder's uid.
        folder: String,
        /// How many.
        #[ts(type = "number")]
        count: u64,
    },
    /// One more step of the connection check is known.
    Check {
        /// Which, and how it went.
        check: Check,
    },
    /// An item changed.
    Changed {
        /// Its uid.
        item: String,
        /// Whether it changed here (true) or at the server.
        is_here: bool,
    },
}
