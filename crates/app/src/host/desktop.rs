//! What only a desktop has: dialogs, a tray, starting with the computer. The window's program brings it; tests bring
//! answers of their own.

use super::{Notice, types::HostEvent};
use std::{fmt, future::Future, io, path::PathBuf, pin::Pin};

/// An answer that waits for a person.
pub type Answer<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// What a dialog for a file is about.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct FileKind {
    /// In words.
    pub name: String,
    /// Without the dot.
    pub extensions: Vec<&'static str>,
}

/// A letter, a page, a folder or a text for the system's own programs.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Target {
    /// A web page or a letter (`mailto:`).
    Url(String),
    /// A folder.
    Folder(PathBuf),
    /// A text of ours.
    Text(PathBuf),
    /// A file, shown in its folder.
    FileInFolder(PathBuf),
    /// The page of the system's settings that says when the computer sleeps.
    EnergySettings,
}

/// What only a desktop has.
pub trait Desktop: fmt::Debug + Send + Sync {
    /// Asks for a folder.
    fn choose_folder(&self, title: String) -> Answer<Option<PathBuf>>;
    /// Asks for a file to read.
    fn choose_file(&self, title: String, kind: FileKind) -> Answer<Option<PathBuf>>;
    /// Asks where to write a file.
    fn save_file(&self, title: String, name: String, kind: FileKind) -> Answer<Option<PathBuf>>;
    /// Opens something with the system's own program.
    fn open(&self, target: Target) -> io::Result<()>;
    /// Whether the system starts Tandem with the computer.
    fn starts_with_computer(&self) -> io::Result<bool>;
    /// Has the system start Tandem with the computer, or not.
    fn set_starts_with_computer(&self, on: bool) -> io::Result<()>;
    /// Whether there is a tray icon to come back by.
    fn has_tray(&self) -> bool;
    /// Something was told to the window; the tray and notifications may want to tell it too.
    fn told(&self, event: &HostEvent);
    /// Tells a person who doesn't look at the window.
    fn notify(&self, notice: Notice);
    /// Takes the window away; Tandem keeps running.
    fn hide(&self);
    /// Ends the program.
    fn quit(&self);
}
