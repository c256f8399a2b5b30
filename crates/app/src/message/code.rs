//! The codes, the facts their texts use, and the exit code each ends a command with.

use serde::{Deserialize, Serialize};
use std::fmt;

/// What a command ends with, for scripts.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[repr(u8)]
pub enum Exit {
    /// All is well, or there is only something to know.
    Ok = 0,
    /// Anything that has no code of its own.
    Other = 1,
    /// The command was used in a way it isn't meant to be.
    Usage = 2,
    /// The other computer can't be reached.
    NotConnected = 3,
    /// A password, a key or a permission.
    Trust = 4,
    /// Conflicts wait for a decision.
    Conflicts = 5,
    /// Deletions or reversions are held.
    Held = 6,
    /// The data on this computer.
    Data = 7,
    /// Nothing is wrong; try later.
    TryLater = 75,
}

macro_rules! codes {
    ($($name:ident = $code:literal, $exit:ident, [$($fact:literal),*];)*) => {
        /// Which problem it is. The short codes are stable: people search for them, programs compare them.
        #[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
        #[allow(missing_docs)] // What each means is said by its text, `locales/en.ftl`.
        pub enum Code { $($name,)* }

        impl Code {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// The stable short code.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $code,)* }
            }

            /// The names of the facts its text is made with.
            #[must_use]
            pub const fn facts(self) -> &'static [&'static str] {
                match self { $(Self::$name => &[$($fact),*],)* }
            }

            /// What a command that meets it ends with.
            #[must_use]
            pub const fn exit(self) -> Exit {
                match self { $(Self::$name => Exit::$exit,)* }
            }
        }
    };
}

codes! {
    NoServerFound = "L01", NotConnected, [];
    SeveralServers = "L02", Usage, ["server", "n"];
    NoSuchServer = "L03", NotConnected, ["server"];

    ServerIdMistyped = "I01", Usage, [];
    ServerIdNotPublished = "I02", NotConnected, [];
    AnswerDoesNotMatchId = "I04", Trust, [];
    ServerIdIncomplete = "I05", Usage, ["found"];
    PublicationStays = "I06", Ok, ["server_id", "left_secs"];

    InvitationDamaged = "V01", Usage, [];
    InvitationNewer = "V02", Other, ["have", "need"];
    TicketExpired = "V03", Trust, ["expired_at"];
    NotAnInvitation = "V04", Usage, ["file"];
    AlreadyConnected = "V05", Ok, ["server"];
    OtherServer = "V06", Usage, ["server", "other"];
    InvitationOutdated = "V07", Trust, ["server"];

    Offline = "N01", NotConnected, [];
    DirectorySilent = "N02", NotConnected, ["directory"];
    RouterClosed = "N03", NotConnected, ["port", "address"];
    ServerSilent = "N04", NotConnected, ["server", "last_seen_secs"];
    ServerPaused = "N05", TryLater, ["server", "left_secs"];
    VersionsDiffer = "N07", NotConnected, ["server", "have", "other", "older"];
    InternetOffOnServer = "N08", NotConnected, ["server"];
    InternetOffHere = "N09", NotConnected, ["server"];
    NoWayToServer = "N10", NotConnected, [];
    ServerBusy = "N11", TryLater, ["server"];
    AddressNotUsable = "N12", Other, ["address"];
    PublishNeedsInternet = "N13", Usage, [];
    DirectoryRefused = "N14", Other, ["directory", "why"];
    DirectoryAddress = "N15", Usage, ["address"];
    DirectoryBusy = "N16", TryLater, ["directory", "wait_secs"];
    PublishNowhere = "N17", Usage, [];
    SecondRouter = "N20", NotConnected, ["port"];
    CarrierNat = "N21", NotConnected, [];
    NoGateway = "N22", NotConnected, [];
    FirewallCloses = "N23", NotConnected, ["port", "program"];
    FirewallUnknown = "N24", Ok, ["port", "program"];
    RendezvousNotUsable = "N30", Usage, ["given"];
    RelayNotUsable = "N31", Usage, ["given"];
    RoutersInTheWay = "N32", NotConnected, ["server"];
    RelayNeeded = "N33", NotConnected, [];
    OtherVersionCame = "N34", Ok, ["address", "have", "other", "older"];
    RelayRefused = "N35", Trust, ["relay"];
    RelaySilent = "N36", NotConnected, ["relay"];
    RelayNeedsRendezvous = "N37", Other, ["relay"];
    UdpBlocked = "N38", NotConnected, [];
    ManagedComputer = "N39", Ok, ["domain"];
    MulticastFiltered = "N40", Ok, ["server"];
    FirewallUnchanged = "N41", Other, ["port", "program"];
    LineMetered = "N42", TryLater, ["server"];

    PasswordWrong = "A01", Trust, ["server", "tries", "wait_secs"];
    KeyDiffers = "A02", Trust, ["server", "known_by"];
    Removed = "A03", Trust, ["server"];
    DoorClosedInternet = "A04", Trust, ["server"];
    PasswordWeak = "A05", Trust, ["reason", "chars_min", "bytes_max"];
    OwnerMustAllow = "A06", Trust, ["server"];
    TooManyTries = "A07", TryLater, ["server", "wait_secs"];
    DoorClosedHere = "A08", Trust, ["server"];
    TakeoverNotAllowed = "A09", Trust, ["server"];
    PasswordMissing = "A10", Trust, [];
    NotOnList = "A11", Trust, ["server"];

    KeyringLocked = "K01", Trust, [];
    NoKeyring = "K02", Ok, [];
    KeyLost = "K03", Trust, [];
    KeyDamaged = "K04", Trust, [];
    KeyringSilent = "K05", Trust, [];
    SecretsExposed = "K06", Trust, ["file"];

    OutlookAsks = "D01", Data, [];
    DataInUse = "D02", TryLater, ["program"];
    StoreGone = "D03", Data, ["place"];
    StoreReplaced = "D04", Data, ["place"];
    FolderEmptied = "D05", Held, ["folder"];
    NothingKnownThere = "D06", Data, ["place", "found"];
    NotReadable = "D07", Data, ["path"];
    NotWritable = "D08", Data, ["path"];
    ImportFirst = "D09", Data, ["place", "found"];
    ItemOpaque = "D10", Ok, ["name", "folder"];
    ItemTooLarge = "D11", Data, ["name", "folder", "size_bytes", "max_bytes"];
    KindNotHeld = "D13", Data, ["name", "folder"];
    StoreUnknown = "D14", Usage, ["spec"];
    OutlookClosed = "D15", Data, [];
    OutlookMissing = "D16", Data, [];
    OutlookNew = "D17", Data, [];
    OutlookBusy = "D18", TryLater, [];
    OutlookElevated = "D19", Data, [];
    OutlookRefuses = "D20", Data, [];
    NotADataFile = "D21", Data, ["file"];
    DataFileVersion = "D22", Data, ["file", "version"];
    DataFileDamaged = "D23", Data, ["file"];
    EvolutionMissing = "D24", Data, [];
    EvolutionClosed = "D25", Data, [];
    EvolutionBusy = "D26", TryLater, [];
    EvolutionRefuses = "D27", Data, [];
    StoreTwice = "D28", Usage, ["spec"];

    DeletionsHeld = "S01", Held, ["n", "all", "folder", "computer"];
    NoRoom = "S02", Data, ["need_bytes", "free_bytes"];
    ConnectionBroke = "S03", NotConnected, ["done", "all"];
    ItemsLeftOut = "S04", Data, ["n", "reason", "name"];
    ReversionsHeld = "S05", Held, ["n", "folder"];
    RecordsApart = "S06", Ok, [];
    NotConfirmed = "S07", Usage, [];
    ChangedSince = "S08", Other, ["n"];
    IndexDamaged = "S09", Ok, ["file"];
    ConflictsWait = "S10", Conflicts, ["n"];
    PlanningEndless = "S11", Other, [];
    FirstRun = "S12", Usage, ["server"];

    SettingsNotSaved = "C01", Other, ["folder"];
    SettingsNotUnderstood = "C02", Usage, ["file", "line", "reason"];
    SettingsNewer = "C03", Other, ["file", "version"];
    ProfileInUse = "C04", TryLater, ["folder"];
    NotSetUp = "C05", Usage, [];
    AlreadySetUp = "C06", Usage, ["role"];
    NoSuchDevice = "C07", Usage, ["device"];
    NoSuchFolder = "C08", Usage, ["folder"];
    NoSuchConflict = "C09", Usage, ["id"];
    NothingToUndo = "C10", Usage, ["id"];
    NotUnderstood = "C11", Usage, ["reason"];
    NotRunning = "C12", TryLater, ["folder"];
    Unexpected = "C13", Other, [];
    ProfileUnusable = "C14", Other, ["folder"];
    OnServerOnly = "C15", Usage, [];
    OnClientOnly = "C16", Usage, [];
    IndexNewer = "C17", Other, ["file"];
    Ambiguous = "C18", Usage, ["name", "n"];
    FileNotWritable = "C19", Usage, ["file"];
    FileNotReadable = "C20", Usage, ["file"];
    NameNotUsable = "C21", Usage, ["chars_max"];
    CommentNotUsable = "C22", Usage, ["chars_max"];
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for Code {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Code {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        // A newer Tandem may know codes we don't; its problem is still one.
        Ok(Self::ALL.iter().copied().find(|code| code.as_str() == text).unwrap_or(Self::Unexpected))
    }
}
