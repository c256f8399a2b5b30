//! Other computers: which there are, inviting one, the password, the service ID. All of it is the server's.

use super::{now_secs, short};
use crate::{
    args::{self, Devices, DevicesDecision, PasswordDoor, ServiceIdChange, TakeoverDecision},
    door::{Door, ask},
    output::{Answer, Output},
    password,
    table::{Cell, Table},
    words::{Words, say},
};
use app::{
    api::types::{
        DeviceRequest, DeviceView, Done, InviteAnswer, InviteRequest, Nothing, PasswordRequest, RenameDevice, Status,
    },
    message::{Code, Problem, Result},
    node::Use,
    password::Rule,
    profile::Profile,
};
use serde_json::json;
use std::{
    fs,
    io::Write as _,
    path::{Path, PathBuf},
};

pub(crate) async fn devices(args: Devices, profile: &Profile, words: Words) -> Result<Answer> {
    let (command, id, text) = match args.decision {
        None => return list(profile, words).await,
        Some(DevicesDecision::AddWindow) => {
            let Done {} = ask(profile, Use::Ask, "add_window", Nothing {}).await?;
            return Ok(Answer::done(say!(words, "add-window-open")));
        }
        Some(DevicesDecision::Rename { id, name }) => {
            let text = say!(words, "device-renamed", name = &name);
            let Done {} = ask(profile, Use::Ask, "rename_device", RenameDevice { id, name }).await?;
            return Ok(Answer::done(text));
        }
        Some(DevicesDecision::Remove { id }) => ("remove_device", id, say!(words, "device-removed")),
        Some(DevicesDecision::Allow { id }) => ("allow_device", id, say!(words, "device-allowed")),
        Some(DevicesDecision::Takeover(args::Takeover { decision: TakeoverDecision::Allow { id } })) => {
            ("allow_take_over", id, say!(words, "take-over-allowed"))
        }
    };
    let Done {} = ask(profile, Use::Ask, command, DeviceRequest { id }).await?;
    Ok(Answer::done(text))
}

async fn list(profile: &Profile, words: Words) -> Result<Answer> {
    let devices: Vec<DeviceView> = ask(profile, Use::Ask, "devices", Nothing {}).await?;
    if devices.is_empty() {
        return Ok(Answer::new(json!({"devices": devices}), say!(words, "devices-none")));
    }
    let mut table = Table::new([
        Cell::left(say!(words, "head-id")),
        Cell::left(say!(words, "head-name")),
        Cell::left(say!(words, "head-system")),
        Cell::left(say!(words, "head-version")),
        Cell::left(say!(words, "head-added-at")),
        Cell::left(say!(words, "head-seen")),
    ]);
    for device in &devices {
        let seen = match device.last_seen_day {
            _ if device.is_removed => say!(words, "device-is-removed"),
            _ if device.is_connected => say!(words, "device-is-connected"),
            None => "–".to_owned(),
            Some(day) => match (now_secs() / 86_400).saturating_sub(day) {
                0 => say!(words, "today"),
                days => say!(words, "ago-days", count = days),
            },
        };
        table.add([
            Cell::left(short(&device.id)),
            Cell::left(&device.name),
            Cell::left(&device.platform),
            Cell::left(device.version.as_deref().unwrap_or("–")),
            Cell::left(words.ago(device.paired_at, now_secs())),
            Cell::left(seen),
        ]);
    }
    Ok(Answer::new(json!({"devices": devices}), table.print()))
}

pub(crate) async fn password(args: args::Password, profile: &Profile, output: Output) -> Result<Answer> {
    let words = output.words;
    if let Some(PasswordDoor::OpenDoor) = args.door {
        let Done {} = ask(profile, Use::Ask, "open_door", Nothing {}).await?;
        return Ok(Answer::done(say!(words, "door-open")));
    }
    let door = Door::find(profile, Use::Ask).await?;
    let outcome = async {
        let status: Status = door.call("status", Nothing {}).await?;
        let password = password::new(&args.from, output, Rule::new(status.internet), &[&status.name]).await?;
        let request = PasswordRequest { password: password.expose().to_owned(), sign_out_all: args.sign_out_all };
        door.call::<Done>("set_password", request).await
    }
    .await;
    door.close().await;
    outcome?;
    let text = match args.sign_out_all {
        true => say!(words, "password-set-all-out"),
        false => say!(words, "password-set"),
    };
    Ok(Answer::done(text))
}

pub(crate) async fn service_id(args: &args::ServiceId, profile: &Profile, words: Words) -> Result<Answer> {
    let ServiceIdChange::Renew = args.change;
    let Done {} = ask(profile, Use::Ask, "renew_service_id", Nothing {}).await?;
    Ok(Answer::done(say!(words, "service-id-renewed")))
}

pub(crate) async fn invite(args: args::Invite, profile: &Profile, words: Words) -> Result<Answer> {
    let hints = args.hints.iter().map(ToString::to_string).collect();
    let request = InviteRequest { ticket: args.ticket, ticket_days: args.ticket.then_some(args.ticket_days), hints };
    let invitation: InviteAnswer = ask(profile, Use::Ask, "invite", request).await?;
    let InviteAnswer { file, link, file_name, hints, ticket_expires } = invitation;
    let saved = args.out.map(|out| save(&out, &file_name, &file)).transpose()?;
    let mut text = match &saved {
        Some(path) => say!(words, "invitation-saved", file = path.display().to_string()),
        None => link.clone(),
    };
    let mut add = |line: String| text.push_str(&format!("\n{line}"));
    if saved.is_some() {
        add(say!(words, "invitation-addresses", addresses = hints.join(", ")));
        if args.ticket {
            add(say!(words, "invitation-ticket", days = u64::from(args.ticket_days)));
        }
        add(say!(words, "invitation-no-password"));
    }
    Ok(Answer::new(
        json!({"file": saved, "link": link, "fileName": file_name, "hints": hints, "ticketExpires": ticket_expires}),
        text,
    ))
}

/// Only its owner can read the file: a ticket in it is worth something.
fn save(out: &Path, file_name: &str, text: &str) -> Result<PathBuf> {
    let path = if out.is_dir() { out.join(file_name) } else { out.to_owned() };
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let write = || {
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        file.write_all(text.as_bytes())?;
        file.as_file().sync_all()?;
        file.persist(&path)?;
        fs::canonicalize(&path)
    };
    write().map_err(|error| Problem::new(Code::FileNotWritable).with("file", path.as_path()).because(error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_invitation_is_saved_under_its_name_in_a_folder_or_under_the_name_given() {
        let folder = tempfile::tempdir().unwrap();
        let in_folder = save(folder.path(), "Office.tandem", "text").unwrap();
        assert_eq!(fs::read_to_string(&in_folder).unwrap(), "text");
        assert!(in_folder.ends_with("Office.tandem"));
        let named = folder.path().join("o.tandem");
        save(&named, "Office.tandem", "other").unwrap();
        assert_eq!(fs::read_to_string(named).unwrap(), "other");
        let nowhere = save(&folder.path().join("a/b"), "Office.tandem", "text").unwrap_err();
        assert_eq!(nowhere.code, Code::FileNotWritable);
    }
}
