//! The list of commands a running instance answers.

use super::types::*;
use crate::node::Instance;

crate::commands! {
    #[ts(export, export_to = "Commands.ts")]
    node: Instance, events: Event;
    /// How things stand.
    status(Nothing) -> Status;
    /// Waits until everything is the same, or something stands in the way.
    wait_quiet(Nothing) -> Status;
    /// Looks at the data and for the other computer now, without waiting for the next reason to.
    sync_now(Nothing) -> Status;
    /// Every folder.
    folders(Nothing) -> Vec<FolderView>;
    /// The items of a folder here, by title.
    items(ItemsRequest) -> Vec<ItemView>;
    /// Changes which way a folder's changes go.
    set_folder(SetFolder) -> Done;
    /// Holds a folder still, or lets it go on.
    pause_folder(PauseFolder) -> Done;
    /// Releases a folder for a device, or keeps it from it.
    release_folder(ReleaseFolder) -> Done;
    /// Deletions that wait for a decision.
    held(Nothing) -> Vec<HeldView>;
    /// Decides about them.
    decide_held(DecideHeld) -> Done;
    /// Open conflicts.
    conflicts(Nothing) -> Vec<ConflictView>;
    /// Both sides of a conflict.
    conflict(ConflictRequest) -> ConflictDetail;
    /// Decides a conflict.
    resolve_conflict(ResolveConflict) -> Done;
    /// What happened.
    history(HistoryRequest) -> HistoryAnswer;
    /// Brings items back to how they were.
    undo(UndoRequest) -> UndoAnswer;
    /// Computers that may connect.
    devices(Nothing) -> Vec<DeviceView>;
    /// Calls a computer otherwise, for people here.
    rename_device(RenameDevice) -> Done;
    /// Takes a computer's access away, at once.
    remove_device(DeviceRequest) -> Done;
    /// Lets a removed computer pair again.
    allow_device(DeviceRequest) -> Done;
    /// Lets a computer take over the server's data once.
    allow_take_over(DeviceRequest) -> Done;
    /// Opens the ten minutes in which adding a computer has extra tries.
    add_window(Nothing) -> Done;
    /// Opens adding computers again after too many wrong passwords.
    open_door(Nothing) -> Done;
    /// Sets a new password.
    set_password(PasswordRequest) -> Done;
    /// Makes a new service ID; connected computers learn it in session.
    renew_service_id(Nothing) -> Done;
    /// Makes an invitation.
    invite(InviteRequest) -> InviteAnswer;
    /// Stops synchronizing for a while.
    pause(PauseRequest) -> Status;
    /// Goes on.
    resume(Nothing) -> Status;
    /// Switches "Synchronize via the Internet".
    set_internet(InternetRequest) -> Status;
    /// The settings of this instance.
    options(Nothing) -> Options;
    /// Changes them.
    set_options(SetOptions) -> Options;
    /// Deletes the earlier versions that are kept to be undone.
    empty_backup(Nothing) -> Options;
    /// Switchboards at which others are put through to this server.
    rendezvous(Nothing) -> Vec<RendezvousView>;
    /// Changes them.
    set_rendezvous(RendezvousRequest) -> Vec<RendezvousView>;
    /// The relay for computers that find no direct way to this server.
    relay(Nothing) -> RelayView;
    /// Changes it.
    set_relay(RelayRequest) -> RelayView;
    /// What this computer's own firewall does with calls to this server.
    firewall(Nothing) -> FirewallView;
    /// Opens the server's port in it, for which the system may ask for an administrator.
    allow_in_firewall(Nothing) -> FirewallView;
    /// What is published of this server.
    publication(Nothing) -> PublicationView;
    /// Publishes this server under a server ID, or renews what is published.
    publish(PublishRequest) -> PublicationView;
    /// Takes a publication back.
    revoke(Nothing) -> PublicationView;
    /// What the first synchronization will do.
    preview(Nothing) -> Preview;
    /// Starts the first synchronization after a preview.
    start(Nothing) -> Status;
    /// Checks the connection step by step.
    doctor(Nothing) -> Vec<Check>;
}
