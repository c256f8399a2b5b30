//! What can be typed. The help texts here are also the man pages.

mod value;

pub(crate) use value::{FolderPair, PauseFor};

use app::{
    api::types::{Direction, Keep},
    language::Language,
    node::Pairing,
    secrets::StoreKind,
};
use clap::{Args, Parser, Subcommand, ValueEnum, builder::PossibleValue};
use clap_complete::Shell;
use std::{net::SocketAddr, path::PathBuf};

const EXIT_CODES: &str = "Exit codes:
  0   all is well          5   conflicts wait for a decision (status)
  1   anything else        6   deletions are held (status)
  2   used in another way  7   the data on this computer
      than it is meant to  75  try again later
  3   not connected        130 interrupted
  4   password, key or permission";

/// Keeps mail, contacts, calendar, tasks and notes the same on your own computers.
///
/// One computer is the server: it has the data. The others are clients. They connect straight to it, encrypted; there is
/// no cloud in between.
///
/// While `tandem serve` or `tandem run` is running, the other commands speak to it; otherwise they look themselves.
#[derive(Debug, Parser)]
#[command(name = "tandem", bin_name = "tandem", version, max_term_width = 100, after_help = EXIT_CODES)]
#[command(subcommand_required = true, arg_required_else_help = true, disable_help_subcommand = false)]
pub(crate) struct Tandem {
    #[command(flatten)]
    pub(crate) common: Common,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What every command understands.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "For every command")]
pub(crate) struct Common {
    /// Print JSON: one document, or one a line while something goes on.
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Use the profile in this folder.
    #[arg(long, global = true, value_name = "DIR", env = app::profile::CONFIG_DIR_VARIABLE)]
    pub(crate) config_dir: Option<PathBuf>,
    /// Speak this language: en or de.
    #[arg(long, global = true, value_name = "LANGUAGE")]
    pub(crate) lang: Option<Language>,
    /// Never ask, also on a terminal.
    #[arg(long, global = true)]
    pub(crate) no_input: bool,
    /// A node of the Mainline DHT to begin with, instead of those everybody knows; can be given several times. The
    /// profile keeps it in mind.
    #[arg(long = "dht-bootstrap", global = true, value_name = "HOST:PORT", env = "TANDEM_DHT_BOOTSTRAP")]
    #[arg(value_delimiter = ',', value_parser = node_address)]
    pub(crate) dht_bootstrap: Vec<String>,
    /// Show the log on standard error as well. (It is filtered by TANDEM_LOG, for instance "debug".)
    #[arg(long, short, global = true)]
    pub(crate) verbose: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// See it work with sample data, then set up a server with your own.
    Start(Start),
    /// Make this computer the server: the one that has the data.
    Init(Init),
    /// Be there for the other computers, until interrupted. (On the server.)
    ///
    /// With --json the first line is {"event":"listening","addresses":[…]}; further events follow, one a line.
    Serve,
    /// Make an invitation for another computer. (On the server.)
    ///
    /// An invitation says whom to look for and where. It never holds the password.
    Invite(Invite),
    /// List servers in the local network.
    Servers(Servers),
    /// Publish this server: other computers find it by a short server ID. (On the server.)
    ///
    /// First it shows what will be stored and where. Nothing is stored before you say yes to that.
    Publish(Publish),
    /// Take the publication back: the server ID leads nowhere any more. (On the server.)
    Revoke(Revoke),
    /// Connect this computer to a server, as its client.
    ///
    /// First it shows what the first synchronization would do. Nothing is written before you say yes to that.
    Join(Join),
    /// Give up the connection to the server. The data stays here; access and secrets go.
    Leave(Leave),
    /// Make both sides the same once, and end.
    Sync,
    /// Stay connected and carry changes both ways as they happen, until interrupted. (On a client.)
    Run,
    /// Say how things stand. Ends with 5 if conflicts wait for a decision, with 6 if deletions are held.
    Status,
    /// List folders, and say which way their changes go.
    Folders(Folders),
    /// List deletions that wait for a decision, and decide.
    Held(Held),
    /// List conflicts, look at one, and decide.
    Conflicts(Conflicts),
    /// List what happened, run by run.
    History(History),
    /// Bring items back to how they were before a run, or one item to how it was before its last change.
    Undo(Undo),
    /// List the computers that may connect, and decide about them. (On the server.)
    Devices(Devices),
    /// Set a new password. (On the server.)
    Password(Password),
    /// The number without which this server doesn't answer. (On the server.)
    ServiceId(ServiceId),
    /// Stop synchronizing for a while, or until "tandem resume".
    Pause(Pause),
    /// Go on after a pause.
    Resume,
    /// Switch "Synchronize via the Internet" on or off.
    Internet(Internet),
    /// Switch on or off that other computers find this server when its address changes, and this computer its server.
    PeerNames(Internet),
    /// Show or choose the rendezvous that puts other computers through to this server. (On the server.)
    Rendezvous(Rendezvous),
    /// Show or choose the relay for computers that find no direct way to this server. (On the server.)
    Relay(Relay),
    /// Whether this computer's own firewall lets calls to this server in, and opening it. (On the server.)
    Firewall(Firewall),
    /// Check the connection step by step.
    Doctor,
    /// Look where data lies on this computer, or what lies at one place.
    Stores(Stores),
    /// Test Tandem with the Outlook of this computer, and write a report you can send.
    ///
    /// Outlook has to be open. Tandem adds a data file of its own to it, tries there everything it does with folders and
    /// items, and takes it out again; nothing else is touched. The report holds no names, addresses or contents.
    Selftest(Selftest),
    /// Bring in old data files: .pst, .msg, .mbox, .eml, .vcf, .ics. What is there already isn't added again.
    Import(Import),
    /// Write a folder into one file that other programs read: .mbox, .vcf or .ics.
    Export(Export),
    /// Where the log is.
    Log(Log),
    /// Print completions for a shell.
    Completions(Completions),
    /// Print the manual page, or write those of all commands into a folder.
    Man(Man),
}

#[derive(Args, Debug)]
pub(crate) struct Start {
    /// Put the two sample computers into this folder, and leave them there. Otherwise they go when it ends.
    #[arg(long, value_name = "DIR")]
    pub(crate) dir: Option<PathBuf>,
}

#[derive(Args, Debug)]
pub(crate) struct Init {
    /// Make this computer the server.
    #[arg(long, required = true)]
    pub(crate) server: bool,
    /// What the server is called. Without it, as this computer is called.
    #[arg(long, value_name = "NAME")]
    pub(crate) name: Option<String>,
    /// Where the data is, for instance files:~/Tandem. An empty or missing folder gets the layout made. Can be given several
    /// times: then the data lies in all of these places.
    #[arg(long = "store", value_name = "STORE", required = true)]
    pub(crate) stores: Vec<String>,
    #[command(flatten)]
    pub(crate) password: PasswordFrom,
    /// "Synchronize via the Internet": whether other computers may connect from outside the local network.
    #[arg(long, value_name = "on|off", default_value = "off", hide_possible_values = true)]
    pub(crate) internet: Switch,
    /// The UDP address to be called at. Without it, the system chooses a port at the first start.
    #[arg(long, value_name = "ADDR:PORT")]
    pub(crate) listen: Option<SocketAddr>,
    #[command(flatten)]
    pub(crate) secrets: Secrets,
}

#[derive(Args, Debug)]
pub(crate) struct PasswordFrom {
    /// Take the server's password from the first line of this file; "-" is standard input. Without it, it is asked for.
    #[arg(long, value_name = "FILE")]
    pub(crate) password_file: Option<PathBuf>,
}

#[derive(Args, Debug)]
pub(crate) struct Secrets {
    /// Where to keep this computer's key: in the system's password store, or in a file that only you can read. Without
    /// it, in the password store if there is one.
    #[arg(long, value_name = "keyring|file", env = "TANDEM_SECRETS", hide_possible_values = true)]
    pub(crate) secrets: Option<SecretsPlace>,
}

#[derive(Args, Debug)]
pub(crate) struct Invite {
    /// Write it into this file, or into this folder. Without it, the invitation is printed as a link.
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    /// Add a ticket: tries at the password of its own, also where others are refused.
    #[arg(long)]
    pub(crate) ticket: bool,
    /// For how many days the ticket holds.
    #[arg(long, value_name = "DAYS", default_value_t = 7, requires = "ticket")]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=365))]
    pub(crate) ticket_days: u32,
    /// An address at which the other computer can reach this one; can be given several times. Without it, the addresses
    /// of this computer.
    #[arg(long = "hint", value_name = "ADDR:PORT")]
    pub(crate) hints: Vec<SocketAddr>,
}

#[derive(Args, Debug)]
pub(crate) struct Servers {
    /// Stay, and tell when servers come and go, until interrupted. With --json: one line for each change.
    #[arg(long)]
    pub(crate) watch: bool,
}

#[derive(Args, Debug)]
pub(crate) struct Publish {
    /// The name others see. Without it, the server's.
    #[arg(long, value_name = "NAME")]
    pub(crate) name: Option<String>,
    /// What others see beside the name, for instance who you are: at most 39 characters.
    #[arg(long, value_name = "TEXT")]
    pub(crate) comment: Option<String>,
    /// Publish in this directory instead or as well: directory.example. With http:// only where you type it. "none": no more.
    #[arg(long, value_name = "URL")]
    pub(crate) directory: Option<String>,
    /// Whether to publish in the open network for addresses (Mainline DHT). At first: on.
    #[arg(long, value_name = "on|off", hide_possible_values = true)]
    pub(crate) dht: Option<Switch>,
    /// Publish without asking.
    #[arg(long)]
    pub(crate) yes: bool,
}

#[derive(Args, Debug)]
pub(crate) struct Revoke {
    /// Do it without asking.
    #[arg(long)]
    pub(crate) yes: bool,
}

#[derive(Args, Debug)]
pub(crate) struct Join {
    /// A server ID, an invitation file, or a link that begins with tandem:
    #[arg(value_name = "ID|FILE|LINK", required_unless_present = "lan", conflicts_with = "lan")]
    pub(crate) invitation: Option<String>,
    /// What `--dht-bootstrap` named.
    #[arg(skip)]
    pub(crate) nodes: Vec<String>,
    /// A directory to ask for the server ID, beside the open network for addresses.
    #[arg(long, value_name = "URL", conflicts_with = "lan")]
    pub(crate) directory: Option<String>,
    /// The server in the local network with this name or ID, as "tandem servers" lists it.
    #[arg(long, value_name = "NAME|ID")]
    pub(crate) lan: Option<String>,
    /// Where the data is to be, for instance files:~/Tandem. An empty or missing folder gets the layout made. Can be given
    /// several times: then the data lies in all of these places.
    #[arg(long = "store", value_name = "STORE", required = true)]
    pub(crate) stores: Vec<String>,
    #[command(flatten)]
    pub(crate) password: PasswordFrom,
    /// What to do with items that only one side has.
    #[arg(long, value_enum, default_value_t = Mode::Combine)]
    pub(crate) mode: Mode,
    /// Only this folder of the server and those in it, for instance "calendar/Private"; can be given several times.
    #[arg(long, value_name = "FOLDER")]
    pub(crate) only: Vec<String>,
    /// The server's folder THEIRS is the folder MINE here; can be given several times.
    #[arg(long, value_name = "THEIRS=MINE")]
    pub(crate) map: Vec<FolderPair>,
    /// Only show what the first synchronization would do.
    #[arg(long, conflicts_with = "yes")]
    pub(crate) preview: bool,
    /// Start the first synchronization without asking.
    #[arg(long)]
    pub(crate) yes: bool,
    /// What this computer is called on the server. Without it, as it is called here.
    #[arg(long, value_name = "NAME")]
    pub(crate) name: Option<String>,
    /// Look for the server at this address, too; can be given several times.
    #[arg(long = "address", value_name = "ADDR:PORT")]
    pub(crate) addresses: Vec<SocketAddr>,
    #[command(flatten)]
    pub(crate) secrets: Secrets,
}

#[derive(Args, Debug)]
pub(crate) struct Leave {
    /// On a client: give this computer what it had before its first synchronization. What it brought to the server
    /// stays there.
    #[arg(long)]
    pub(crate) undo: bool,
    /// Do it without asking.
    #[arg(long)]
    pub(crate) yes: bool,
}

#[derive(Args, Debug)]
pub(crate) struct Folders {
    #[command(subcommand)]
    pub(crate) change: Option<FoldersChange>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum FoldersChange {
    /// Say which way the changes of a folder go. This never deletes anything.
    Set {
        /// Its path, as "tandem folders" lists it.
        folder: String,
        /// Which way.
        #[arg(long, value_name = "WAY", value_parser = direction_parser())]
        direction: Direction,
    },
    /// Hold a folder still. (On a client.)
    Pause {
        /// Its path, as "tandem folders" lists it.
        folder: String,
    },
    /// Let a folder that rests go on the way it went before. (On a client.)
    Resume {
        /// Its path, as "tandem folders" lists it.
        folder: String,
    },
    /// Release a folder for a computer, or keep it from it. (On the server.)
    Release {
        /// Its path, as "tandem folders" lists it.
        folder: String,
        /// The computer's ID, or the beginning of it.
        #[arg(long, value_name = "ID")]
        device: String,
        /// Whether the computer may have it.
        #[arg(value_name = "on|off", hide_possible_values = true)]
        released: Switch,
    },
}

#[derive(Args, Debug)]
pub(crate) struct Held {
    #[command(subcommand)]
    pub(crate) decision: Option<HeldDecision>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum HeldDecision {
    /// They were meant: delete the items everywhere.
    Allow {
        /// The folder's path, as "tandem held" lists it.
        folder: String,
    },
    /// They were not meant: bring the items back.
    Restore {
        /// The folder's path, as "tandem held" lists it.
        folder: String,
    },
}

#[derive(Args, Debug)]
pub(crate) struct Conflicts {
    #[command(subcommand)]
    pub(crate) one: Option<ConflictsOne>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ConflictsOne {
    /// Show both sides of a conflict.
    Show {
        /// Its ID, or the beginning of it.
        id: String,
    },
    /// Decide a conflict. The decision counts on every computer, and can be undone.
    Resolve {
        /// Its ID, or the beginning of it.
        id: String,
        /// What to keep.
        #[arg(long, value_name = "WHAT", value_parser = keep_parser())]
        keep: Keep,
    },
}

#[derive(Args, Debug)]
pub(crate) struct History {
    /// Show the changes of this run.
    pub(crate) run: Option<i64>,
    /// List the runs before this one.
    #[arg(long, value_name = "RUN", conflicts_with = "run")]
    pub(crate) before: Option<i64>,
}

#[derive(Args, Debug)]
pub(crate) struct Undo {
    /// A run's number or an item's ID, as "tandem history" lists them.
    #[arg(value_name = "RUN|ITEM")]
    pub(crate) what: String,
}

#[derive(Args, Debug)]
pub(crate) struct Devices {
    #[command(subcommand)]
    pub(crate) decision: Option<DevicesDecision>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum DevicesDecision {
    /// Take a computer's access away, at once. Data already there stays there.
    Remove {
        /// The computer's ID, or the beginning of it.
        id: String,
    },
    /// Call a computer otherwise, for people here.
    Rename {
        /// The computer's ID, or the beginning of it.
        id: String,
        /// What it is called from now on.
        name: String,
    },
    /// Let a removed computer connect anew.
    Allow {
        /// The computer's ID, or the beginning of it.
        id: String,
    },
    /// Give extra tries at the password for ten minutes, for adding a computer now.
    AddWindow,
    /// Taking over the server's data by another computer.
    Takeover(Takeover),
}

#[derive(Args, Debug)]
pub(crate) struct Takeover {
    #[command(subcommand)]
    pub(crate) decision: TakeoverDecision,
}

#[derive(Debug, Subcommand)]
pub(crate) enum TakeoverDecision {
    /// Let a computer replace the server's data with its own, once.
    Allow {
        /// The computer's ID, or the beginning of it.
        id: String,
    },
}

#[derive(Args, Debug)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Password {
    #[command(flatten)]
    pub(crate) from: PasswordFrom,
    /// Every computer has to enter the new password.
    #[arg(long)]
    pub(crate) sign_out_all: bool,
    #[command(subcommand)]
    pub(crate) door: Option<PasswordDoor>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum PasswordDoor {
    /// Let computers be added again after too many wrong passwords.
    OpenDoor,
}

#[derive(Args, Debug)]
pub(crate) struct ServiceId {
    #[command(subcommand)]
    pub(crate) change: ServiceIdChange,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ServiceIdChange {
    /// Make a new one. Computers that may connect learn it when they next do; old invitations stop working.
    Renew,
}

#[derive(Args, Debug)]
pub(crate) struct Pause {
    /// For how long: 30m, 2h, 1d. Without it, until "tandem resume".
    #[arg(value_name = "FOR")]
    pub(crate) how_long: Option<PauseFor>,
}

#[derive(Args, Debug)]
pub(crate) struct Internet {
    /// On or off.
    #[arg(value_name = "on|off", hide_possible_values = true)]
    pub(crate) switch: Switch,
}

#[derive(Args, Debug)]
pub(crate) struct Rendezvous {
    /// At most two, as tandem-directory prints them at its start; "off": none. Without any, shows how things stand.
    #[arg(value_name = "HOST:PORT=KEY|off")]
    pub(crate) rendezvous: Vec<String>,
}

#[derive(Args, Debug)]
pub(crate) struct Relay {
    /// Use this relay, a TURN server (UDP, usually port 3478); `off`: none. Without it, how things stand.
    #[arg(value_name = "HOST:PORT|off")]
    pub(crate) relay: Option<String>,
    /// What it knows this server by.
    #[arg(long, value_name = "NAME", requires = "relay")]
    pub(crate) user: Option<String>,
    /// Take the user's password from the first line of this file; "-" is standard input. Without it, it is asked for.
    #[arg(long, value_name = "FILE", requires = "relay")]
    pub(crate) password_file: Option<PathBuf>,
}

#[derive(Args, Debug)]
pub(crate) struct Firewall {
    /// Open this server's UDP port. The system may ask for an administrator. Without it, how things stand.
    #[arg(value_name = "allow", hide_possible_values = true)]
    pub(crate) change: Option<FirewallChange>,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
pub(crate) enum FirewallChange {
    Allow,
}

#[derive(Args, Debug)]
pub(crate) struct Stores {
    /// A folder to look into. Without it, the usual places.
    pub(crate) path: Option<PathBuf>,
}

#[derive(Args, Debug)]
pub(crate) struct Selftest {
    /// Which program.
    pub(crate) program: Tested,
    /// Where the report goes, instead of tandem-outlook-report.txt in this folder. The file must not be there yet.
    #[arg(long, value_name = "FILE")]
    pub(crate) report: Option<PathBuf>,
}

/// A program whose connector can be tested on a person's computer.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Tested {
    /// Classic Outlook for Windows.
    Outlook,
}

#[derive(Args, Debug)]
pub(crate) struct Import {
    /// The files: .pst, .msg, .mbox, .eml, .vcf, .ics.
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    /// A store (files:~/Tandem), or a folder of the store that is set up (mail/Old). Without it, that store, with folders
    /// named after the files.
    #[arg(long, value_name = "STORE|FOLDER")]
    pub(crate) into: Option<String>,
    /// Only say what would come in. Nothing is written.
    #[arg(long)]
    pub(crate) preview: bool,
}

#[derive(Args, Debug)]
pub(crate) struct Export {
    /// The folder, for instance mail/Inbox.
    #[arg(long)]
    pub(crate) folder: String,
    /// The file: .mbox for mail, .vcf for contacts, .ics for calendars, tasks and notes. It must not exist yet.
    #[arg(long, value_name = "FILE")]
    pub(crate) to: PathBuf,
    /// The store, if it isn't the one that is set up.
    #[arg(long, value_name = "STORE")]
    pub(crate) from: Option<String>,
}

#[derive(Args, Debug)]
pub(crate) struct Log {
    #[command(subcommand)]
    pub(crate) what: LogWhat,
}

#[derive(Debug, Subcommand)]
pub(crate) enum LogWhat {
    /// Print the folder the log is in.
    Path,
}

#[derive(Args, Debug)]
pub(crate) struct Completions {
    /// Which shell.
    #[arg(value_enum)]
    pub(crate) shell: Shell,
}

#[derive(Args, Debug)]
pub(crate) struct Man {
    /// Write a page for each command into this folder.
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
}

/// On or off.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(crate) enum Switch {
    On,
    Off,
}

impl Switch {
    pub(crate) fn is_on(self) -> bool {
        self == Self::On
    }
}

/// What to do with items that only one side has.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(crate) enum Mode {
    /// Each side gets what only the other has. Nothing is deleted.
    Combine,
    /// This computer becomes a copy of the server; what is only here goes to the backup.
    Server,
    /// The server becomes a copy of this computer, if its owner agrees.
    Client,
}

impl From<Mode> for Pairing {
    fn from(mode: Mode) -> Self {
        match mode {
            Mode::Combine => Self::Combine,
            Mode::Server => Self::TakeServer,
            Mode::Client => Self::TakeClient,
        }
    }
}

/// Where this computer's key is kept.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(crate) enum SecretsPlace {
    Keyring,
    File,
}

impl From<SecretsPlace> for StoreKind {
    fn from(place: SecretsPlace) -> Self {
        match place {
            SecretsPlace::Keyring => Self::Keyring,
            SecretsPlace::File => Self::File,
        }
    }
}

fn direction_parser() -> impl clap::builder::TypedValueParser<Value = Direction> {
    value::one_of([
        (PossibleValue::new("both").help("Both ways"), Direction::Both),
        (PossibleValue::new("to-server").help("Only to the server"), Direction::ToServer),
        (PossibleValue::new("to-here").help("Only to this computer"), Direction::ToHere),
        (PossibleValue::new("off").help("Not at all; what is there stays"), Direction::Off),
    ])
}

fn keep_parser() -> impl clap::builder::TypedValueParser<Value = Keep> {
    value::one_of([
        (PossibleValue::new("server").help("The version everybody has now"), Keep::Server),
        (PossibleValue::new("client").help("The other version"), Keep::Client),
        (PossibleValue::new("both").help("Both, as two items"), Keep::Both),
        (PossibleValue::new("merge").help("What only the other version has is added to the server's"), Keep::Merge),
    ])
}

fn node_address(text: &str) -> Result<String, &'static str> {
    identity::HostPort::parse(text).map(|node| node.to_string()).ok_or("a node is written HOST:PORT")
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    fn read(line: &str) -> Result<Tandem, clap::Error> {
        Tandem::try_parse_from(line.split(' '))
    }

    #[test]
    fn the_commands_fit_together() {
        Tandem::command().debug_assert();
    }

    #[test]
    fn every_command_and_option_says_what_it_is_for() {
        fn check(command: &clap::Command, path: &str) {
            assert!(command.get_about().is_some(), "{path}");
            for argument in command.get_arguments() {
                assert!(argument.get_help().is_some(), "{path} {}", argument.get_id());
            }
            for below in command.get_subcommands() {
                check(below, &format!("{path} {}", below.get_name()));
            }
        }
        check(&Tandem::command(), "tandem");
    }

    #[test]
    fn the_lines_of_the_documentation_are_understood() {
        for line in [
            "tandem init --server --name Office --store files:/d --password-file p --internet on --listen [::]:0",
            "tandem serve --json",
            "tandem invite --out o.tandem --ticket --ticket-days 3 --hint 192.168.1.10:47113 --hint [2001:db8::1]:47113",
            "tandem join o.tandem --store files:/d --password-file - --mode server --only calendar/A --map mail/A=mail/B --preview",
            "tandem join tandem:join?v=1&i=x --store files:/d --yes --address 127.0.0.1:4000",
            "tandem folders set mail/Inbox --direction to-here",
            "tandem folders pause mail/Inbox",
            "tandem folders resume mail/Inbox",
            "tandem folders release mail/Inbox --device 3f on",
            "tandem held restore calendar/Private",
            "tandem conflicts resolve 3f --keep merge",
            "tandem history 4",
            "tandem undo 4",
            "tandem devices takeover allow 3f",
            "tandem devices add-window",
            "tandem password open-door",
            "tandem password --password-file p --sign-out-all",
            "tandem service-id renew",
            "tandem pause 30m",
            "tandem pause",
            "tandem import a.pst b.ics --into files:/d --preview",
            "tandem import a.mbox --into mail/Old",
            "tandem export --folder mail/Old --to a.mbox --from files:/d",
            "tandem stores /d",
            "tandem --config-dir /c --lang de status --json",
        ] {
            read(line).unwrap_or_else(|error| panic!("{line}: {error}"));
        }
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        for line in [
            "tandem",
            "tandem init --name Office --store files:/d",
            "tandem join o.tandem --store files:/d --preview --yes",
            "tandem join o.tandem --store files:/d --map nonsense",
            "tandem invite --ticket-days 3",
            "tandem invite --ticket --ticket-days 0",
            "tandem pause soon",
            "tandem folders set mail/Inbox --direction sideways",
            "tandem --lang xx status",
            "tandem status --password secret",
        ] {
            assert!(read(line).is_err(), "{line}");
        }
    }

    #[test]
    fn no_option_takes_a_password_on_the_command_line() {
        fn check(command: &clap::Command) {
            for argument in command.get_arguments() {
                let long = argument.get_long().unwrap_or_default();
                assert!(!long.contains("password") || long == "password-file", "{long}");
            }
            command.get_subcommands().for_each(check);
        }
        check(&Tandem::command());
    }
}
