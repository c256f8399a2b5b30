//! The window's own commands. What isn't here goes to the running instance ([`crate::api`]).

use super::{Host, types::*};
use crate::api::types::{Check, Done, InviteAnswer, Nothing, Preview, ServerIdCheck, Status};

crate::commands! {
    #[ts(export, export_to = "HostCommands.ts", rename = "HostCommands")]
    node: Host, events: HostEvent;
    /// How far this computer has come.
    host_state(Nothing) -> HostState;
    /// Tries again to run what was stopped.
    try_again(Nothing) -> HostState;
    /// Data found on this computer, the most likely first.
    data_sources(Nothing) -> Vec<DataSource>;
    /// Asks for a folder in the system's own dialog.
    choose_folder(Nothing) -> Option<DataSource>;
    /// The folder that new data would be kept in, if nothing else is chosen.
    new_folder(Nothing) -> DataSource;
    /// Makes one data source of several.
    join_sources(SourcesRequest) -> DataSource;
    /// The folders of a data source, in the order of a tree.
    source_folders(SourceRequest) -> Vec<SourceFolder>;
    /// Brings the loose files of a data source into a folder that can be synchronized.
    import_source(SourceRequest) -> ImportAnswer;
    /// Asks for an old data file in the system's own dialog, and says what bringing it into a data source would do.
    choose_data_file(SourceRequest) -> Option<DataFile>;
    /// Brings the chosen data file in. Nothing comes twice.
    import_data_file(SourceRequest) -> DataFile;
    /// A password made of five words.
    suggest_password(Nothing) -> PasswordAnswer;
    /// How good a password is.
    judge_password(JudgePassword) -> PasswordVerdict;
    /// Whether others could reach this computer over the Internet. Works before there is a server.
    check_internet(Nothing) -> Vec<Check>;
    /// Makes this computer the server, and runs it.
    create_server(CreateServer) -> CreatedServer;
    /// The server's password, if the password store has it.
    show_password(Nothing) -> PasswordAnswer;
    /// Writes an invitation file where the person says.
    save_invitation(SaveInvitation) -> SavedFile;
    /// An invitation as a link and a file name, for a letter.
    invitation_link(Nothing) -> InviteAnswer;
    /// Opens a letter in the person's mail program.
    write_mail(WriteMail) -> Done;
    /// Servers in the local network, and those that came by invitation or ID.
    servers(Nothing) -> Vec<ServerCard>;
    /// Looks for servers in the local network again.
    look_for_servers(Nothing) -> Vec<ServerCard>;
    /// Takes a server that came by invitation or ID off the list.
    forget_server(ServerRequest) -> Vec<ServerCard>;
    /// Finds an invitation or a link in text.
    read_invitation(TextRequest) -> ServerCard;
    /// Asks for an invitation file in the system's own dialog.
    choose_invitation(Nothing) -> Option<ServerCard>;
    /// Looks a server up by its ID.
    find_server(FindServer) -> ServerCard;
    /// Looks at a server ID as it is being typed; asks nobody.
    check_server_id(TextRequest) -> ServerIdCheck;
    /// What was opened or dropped and not taken yet, the oldest first.
    take_opened(Nothing) -> Vec<Opened>;
    /// Adds this computer to a server. Nothing is changed on either side.
    connect(Connect) -> HostState;
    /// What the server offers.
    server_folders(Nothing) -> ServerFolders;
    /// Compares both sides. Nothing is changed.
    plan_first(PlanFirst) -> Preview;
    /// Starts the first synchronization, as planned.
    start_first(Nothing) -> Status;
    /// Writes the preview into a file where the person says.
    save_preview(Nothing) -> SavedFile;
    /// Stops being a server or a client. The data stays.
    disconnect(Disconnect) -> Disconnected;
    /// Takes everything of Tandem but the data and the program off this computer.
    remove_tandem(Nothing) -> Removed;
    /// Everything on the settings pages.
    settings(Nothing) -> SettingsView;
    /// Changes settings.
    change_settings(ChangeSettings) -> SettingsView;
    /// The settings of a page as they were in the beginning.
    reset_settings(ResetSettings) -> SettingsView;
    /// Has earlier versions kept elsewhere.
    choose_backup_place(BackupPlace) -> SettingsView;
    /// Writes the settings into a file where the person says, for another computer. No secrets, no names.
    export_settings(Nothing) -> SavedFile;
    /// Takes over the settings of such a file, which is asked for.
    import_settings(Nothing) -> SettingsView;
    /// The last 24 hours, the oldest first.
    traffic(Nothing) -> Vec<TrafficHour>;
    /// Writes what happened into a file where the person says.
    save_history(SaveHistory) -> SavedFile;
    /// Opens something with the system's own program.
    open_place(OpenPlace) -> Done;
    /// What About shows.
    about(Nothing) -> AboutView;
    /// The last lines of the log.
    log(LogRequest) -> Vec<LogLine>;
    /// A report for whoever helps, without names and addresses.
    report(ReportRequest) -> Report;
    /// Writes the report into a file where the person says.
    save_report(ReportRequest) -> SavedFile;
    /// The answer to `closeAsked`.
    close_window(CloseRequest) -> Done;
    /// Starts the two sample computers, or shows them if they run.
    start_samples(Nothing) -> Samples;
    /// The two sample computers.
    samples(Nothing) -> Samples;
    /// Does something to the sample computers.
    sample_do(SampleAction) -> Samples;
    /// A command of the common list for one of them.
    sample_call(SampleCall) -> AnyAnswer;
    /// Ends the sample computers and deletes all they had.
    remove_samples(Nothing) -> HostState;
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    #[test]
    fn no_command_of_the_host_hides_one_of_the_instance() {
        let own: BTreeSet<&str> = super::Commands::NAMES.iter().copied().collect();
        let hidden: Vec<&&str> = crate::api::Commands::NAMES.iter().filter(|name| own.contains(**name)).collect();
        assert!(hidden.is_empty(), "{hidden:?}");
    }
}
