//! Somebody in front of a window.

use app::host::{Answer, Desktop, FileKind, Notice, Target, types::HostEvent};
use std::{
    io,
    path::{Path, PathBuf},
    sync::Mutex,
};

/// A person at a desktop: answers dialogs with what was laid ready, and keeps what was told.
#[derive(Debug, Default)]
pub struct Person {
    pub chooses: Mutex<Vec<PathBuf>>,
    pub opened: Mutex<Vec<Target>>,
    pub starts: Mutex<bool>,
    pub quits: Mutex<u32>,
    pub hides: Mutex<u32>,
    pub notices: Mutex<Vec<Notice>>,
}

impl Person {
    pub fn will_choose(&self, path: &Path) {
        self.chooses.lock().unwrap().push(path.to_owned());
    }

    fn answer(&self) -> Answer<Option<PathBuf>> {
        let path = self.chooses.lock().unwrap().pop();
        Box::pin(async move { path })
    }
}

impl Desktop for Person {
    fn choose_folder(&self, _: String) -> Answer<Option<PathBuf>> {
        self.answer()
    }

    fn choose_file(&self, _: String, _: FileKind) -> Answer<Option<PathBuf>> {
        self.answer()
    }

    fn save_file(&self, _: String, _: String, _: FileKind) -> Answer<Option<PathBuf>> {
        self.answer()
    }

    fn open(&self, target: Target) -> io::Result<()> {
        self.opened.lock().unwrap().push(target);
        Ok(())
    }

    fn starts_with_computer(&self) -> io::Result<bool> {
        Ok(*self.starts.lock().unwrap())
    }

    fn set_starts_with_computer(&self, on: bool) -> io::Result<()> {
        *self.starts.lock().unwrap() = on;
        Ok(())
    }

    fn has_tray(&self) -> bool {
        false
    }

    fn told(&self, _: &HostEvent) {}

    fn notify(&self, notice: Notice) {
        self.notices.lock().unwrap().push(notice);
    }

    fn hide(&self) {
        *self.hides.lock().unwrap() += 1;
    }

    fn quit(&self) {
        *self.quits.lock().unwrap() += 1;
    }
}
