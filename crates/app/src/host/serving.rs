//! Becoming a server, and letting other computers in.

use super::{
    Host,
    desktop::{FileKind, Target},
    types::{CreateServer, CreatedServer, FolderChoice, HostEvent, SaveInvitation, SavedFile, WriteMail},
};
use crate::{
    api::types::{Check, Done, InviteAnswer, Nothing, Status},
    message::{Code, Problem, Result},
    node::{self, InitServer, Node, Use},
};
use identity::{Invitation, Secret};

/// Some mail programs cut longer letters, bytes.
const MAIL_URL_MAX: usize = 8_000;

impl Host {
    pub(super) async fn create_server(&self, request: CreateServer) -> Result<CreatedServer> {
        let _one_at_a_time = self.changing().await;
        let source = self.source(&request.source)?;
        if source.stores.is_empty() {
            let place = source.view.path.unwrap_or_default();
            return Err(Problem::new(Code::ImportFirst).with("place", place).with("found", source.view.items));
        }
        let created = Node::init_server(
            self.profile(),
            InitServer {
                name: request.name,
                stores: source.stores,
                password: Secret::new(request.password.0),
                internet: request.internet,
                listen: self.listen(),
                secrets: self.secrets_kind(),
                folders: match request.folders {
                    FolderChoice::Everything => None,
                    FolderChoice::ExceptMail => Some(self.folders_except_mail(&request.source).await?),
                    FolderChoice::Named { paths } => Some(paths),
                },
            },
        )
        .await?;
        if !request.is_remembered {
            self.forget_server_password().await?;
        }
        let node = self.open_set_up(Use::Serve).await?;
        self.run(node);
        self.state_changed().await?;
        let status: Status = self.ask("status", serde_json::json!({})).await?;
        Ok(CreatedServer { status, note: created.note.map(|note| note.view(self.language())) })
    }

    pub(super) async fn check_internet(&self, _: Nothing) -> Result<Vec<Check>> {
        let tell = |check| self.tell(HostEvent::Check { check });
        node::check_from_outside(self.listen(), self.language(), &tell).await
    }

    async fn folders_except_mail(&self, source: &str) -> Result<Vec<String>> {
        let request = super::types::SourceRequest { source: source.to_owned() };
        let folders = self.source_folders(request).await?;
        Ok(folders.into_iter().filter(|folder| folder.kind != "mail").map(|folder| folder.path).collect())
    }

    pub(super) async fn save_invitation(&self, request: SaveInvitation) -> Result<SavedFile> {
        let invitation: InviteAnswer = self.ask("invite", serde_json::json!({ "ticket": request.ticket })).await?;
        let title = "window-save-invitation";
        self.save_text(title, &invitation.file_name, Invitation::FILE_EXTENSION, invitation.file).await
    }

    pub(super) async fn invitation_link(&self, _: Nothing) -> Result<InviteAnswer> {
        self.ask("invite", serde_json::json!({})).await
    }

    pub(super) async fn write_mail(&self, request: WriteMail) -> Result<Done> {
        let url = format!("mailto:?subject={}&body={}", percent(&request.subject), percent(&request.body));
        if url.len() > MAIL_URL_MAX {
            return Err(Problem::new(Code::NotUnderstood).with("reason", "the letter is too long"));
        }
        self.open_target(Target::Url(url))?;
        Ok(Done {})
    }

    /// Asks where to write a text, and writes it.
    pub(super) async fn save_text(
        &self,
        title: &str,
        name: &str,
        extension: &'static str,
        text: String,
    ) -> Result<SavedFile> {
        let kind = FileKind { name: self.word("window-files"), extensions: vec![extension] };
        let Some(path) = self.desktop().save_file(self.word(title), name.to_owned(), kind).await else {
            return Ok(SavedFile { path: None });
        };
        let written = path.clone();
        super::blocking(move || {
            std::fs::write(&written, text)
                .map_err(|error| Problem::new(Code::FileNotWritable).with("file", written.as_path()).because(error))
        })
        .await?;
        *self.saved_file() = Some(path.clone());
        Ok(SavedFile { path: Some(path.display().to_string()) })
    }
}

/// Text for a URL (RFC 3986, 2.1); line ends as letters want them (RFC 6068).
fn percent(text: &str) -> String {
    let text = text.replace("\r\n", "\n").replace('\n', "\r\n");
    let mut url = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            url.push(char::from(byte));
        } else {
            url.push_str(&format!("%{byte:02X}"));
        }
    }
    url
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_letter_keeps_its_lines_and_umlauts_in_a_url() {
        assert_eq!(percent("a b&ü\nc"), "a%20b%26%C3%BC%0D%0Ac");
    }
}
