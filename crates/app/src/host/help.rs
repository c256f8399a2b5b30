//! About, logs, reports, and opening what the system opens.

use super::{
    Host, Running, blocking,
    desktop::Target,
    types::{
        AboutView, ExportFormat, LogLine, LogRequest, OpenPlace, Place, Removed, Report, ReportRequest, SaveHistory,
        SavedFile, TrafficHour,
    },
};
use crate::{
    api::types::{Done, HistoryAnswer, Nothing, RoleView, Status},
    blobs, log,
    message::{Code, Problem, Result},
    node::Node,
    settings::{Settings, StoreSpec},
};
use serde_json::{Value, json};
use std::{collections::BTreeMap, path::PathBuf};
use stores::files::FilesSpec;

const THIRD_PARTY: &str = "third-party.txt";

/// The file beside the program, where the package of each system puts it. A program that was only built has none.
fn third_party() -> Option<PathBuf> {
    let program = std::env::current_exe().ok()?;
    let places = ["../share/doc/tandem", ".", "../Resources"];
    places.iter().map(|place| program.parent().map(|folder| folder.join(place).join(THIRD_PARTY))).find_map(|file| {
        let file = file?.canonicalize().ok()?;
        file.is_file().then_some(file)
    })
}

const LINES: usize = 500;
const LINES_MAX: usize = 5_000;

impl Host {
    pub(super) async fn open_place(&self, request: OpenPlace) -> Result<Done> {
        let settings = Settings::load(&self.profile().settings_file()).unwrap_or_default();
        let target = match request.place {
            Place::Logs => Target::Folder(self.profile().logs().to_owned()),
            Place::Settings => Target::Folder(self.profile().folder().to_owned()),
            Place::Data => {
                let nowhere = || Problem::new(Code::NotSetUp);
                let folder = |spec: &StoreSpec| FilesSpec::parse(&spec.to_string()).ok()?.roots().first().cloned();
                Target::Folder(settings.stores.iter().find_map(folder).ok_or_else(nowhere)?)
            }
            Place::Backup => Target::Folder(blobs::place::folder(self.profile(), &settings)),
            Place::SavedFile => match self.saved_file().clone() {
                Some(path) => Target::FileInFolder(path),
                None => return Err(Problem::new(Code::NotUnderstood).with("reason", "nothing was saved yet")),
            },
            Place::EnergySettings => Target::EnergySettings,
            Place::ThirdParty => {
                let nowhere = || Problem::new(Code::FileNotReadable).with("file", THIRD_PARTY);
                Target::Text(third_party().ok_or_else(nowhere)?)
            }
        };
        self.open_target(target)?;
        Ok(Done {})
    }

    pub(super) fn open_target(&self, target: Target) -> Result<()> {
        let what = format!("{target:?}");
        self.desktop()
            .open(target)
            .map_err(|error| Problem::new(Code::FileNotReadable).with("file", what).because(error))
    }

    pub(super) async fn about(&self, _: Nothing) -> Result<AboutView> {
        let settings = Settings::load(&self.profile().settings_file()).unwrap_or_default();
        Ok(AboutView {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            platform: format!("{} {}", std::env::consts::OS, std::env::consts::ARCH),
            settings_folder: self.profile().folder().display().to_string(),
            logs_folder: self.profile().logs().display().to_string(),
            data: settings.stores.iter().map(ToString::to_string).collect(),
            licence: env!("CARGO_PKG_LICENSE").to_owned(),
            has_third_party: third_party().is_some(),
        })
    }

    pub(super) async fn log(&self, request: LogRequest) -> Result<Vec<LogLine>> {
        let folder = self.profile().logs().to_owned();
        let lines = request.lines.map_or(LINES, |lines| usize::try_from(lines).unwrap_or(LINES_MAX)).min(LINES_MAX);
        let least = level_of(request.level.as_deref().unwrap_or("debug"));
        blocking(move || {
            let text = log::read_last(&folder);
            let parsed = text.lines().filter_map(parse_line).filter(|line| level_of(&line.level) >= least);
            let mut parsed: Vec<LogLine> = parsed.collect();
            Ok(parsed.split_off(parsed.len().saturating_sub(lines)))
        })
        .await
    }

    pub(super) async fn report(&self, request: ReportRequest) -> Result<Report> {
        let settings = Settings::load(&self.profile().settings_file()).unwrap_or_default();
        let mut document = json!({
            "version": env!("CARGO_PKG_VERSION"),
            "system": format!("{} {}", std::env::consts::OS, std::env::consts::ARCH),
            "role": settings.role,
            "secrets": settings.secrets,
            "internet": settings.network.internet,
            "peerNames": settings.network.peer_names,
            "conflicts": settings.conflicts.rule,
            "backupDays": settings.history.days,
        });
        let mut labels = Labels::default();
        if !self.running().is_none() {
            let status: Status = self.ask("status", json!({})).await?;
            labels.name(&status.name, "computer A");
            labels.name(&status.server_name, "server");
            let role = matches!(status.role, RoleView::Server);
            document["status"] = json!({
                "word": status.word, "isServer": role, "isConnected": status.is_connected,
                "isReading": status.is_reading, "isQuiet": status.is_quiet, "pending": status.pending,
                "conflicts": status.conflicts, "held": status.held, "addresses": status.addresses.len(),
                "problem": status.problem.map(|problem| problem.code),
            });
            let checks: Value = self.ask("doctor", json!({})).await?;
            document["connection"] = checks
                .as_array()
                .into_iter()
                .flatten()
                .map(|check| json!({"id": check["id"], "result": check["result"], "problem": check["problem"]["code"]}))
                .collect();
            let folders: Value = self.ask("folders", json!({})).await?;
            document["folders"] = folders
                .as_array()
                .into_iter()
                .flatten()
                .enumerate()
                .map(|(number, folder)| {
                    let path = folder["path"].as_str().unwrap_or_default();
                    labels.name(path, &format!("folder {}", number + 1));
                    let name = if request.folder_names { path.to_owned() } else { format!("folder {}", number + 1) };
                    json!({"folder": name, "kind": folder["kind"], "direction": folder["direction"],
                    "items": folder["items"], "agreed": folder["agreed"]})
                })
                .collect();
        }
        let lines = self.log(LogRequest { level: Some("info".to_owned()), lines: Some(200) }).await?;
        document["log"] = lines
            .iter()
            .map(|line| Value::from(format!("{} {} {}", line.at, line.level, labels.replace(&line.text))))
            .collect();
        let text =
            serde_json::to_string_pretty(&document).map_err(|error| Problem::new(Code::Unexpected).because(error))?;
        Ok(Report { text })
    }

    pub(super) async fn save_report(&self, request: ReportRequest) -> Result<SavedFile> {
        let Report { text } = self.report(request).await?;
        self.save_text("window-save-report", "tandem-report.json", "json", text).await
    }

    pub(super) async fn save_history(&self, request: SaveHistory) -> Result<SavedFile> {
        let mut all: HistoryAnswer = self.ask("history", json!({})).await?;
        while let (true, Some(last)) = (all.is_more, all.runs.last()) {
            let mut more: HistoryAnswer = self.ask("history", json!({ "before": last.id })).await?;
            all.runs.append(&mut more.runs);
            all.is_more = more.is_more;
        }
        let mut told = Vec::new();
        for run in all.runs {
            let mut of_run: HistoryAnswer = self.ask("history", json!({ "run": run.id })).await?;
            while let (true, Some(last)) = (of_run.is_more, of_run.entries.last()) {
                let request = json!({ "run": run.id, "after": last.id });
                let mut more: HistoryAnswer = self.ask("history", request).await?;
                of_run.entries.append(&mut more.entries);
                of_run.is_more = more.is_more;
            }
            told.push((run, of_run.entries));
        }
        match request.format {
            ExportFormat::Json => {
                let runs = told.iter().map(|(run, entries)| json!({ "run": run, "entries": entries }));
                let text = serde_json::to_string_pretty(&Value::from_iter(runs))
                    .map_err(|error| Problem::new(Code::Unexpected).because(error))?;
                self.save_text("window-save-history", "tandem-history.json", "json", text).await
            }
            ExportFormat::Csv => {
                let mut text = String::from("run;started;action;here;folder;title;undone\n");
                for (run, entries) in &told {
                    for entry in entries {
                        let (folder, title) = (cell(&entry.folder), cell(&entry.title));
                        text.push_str(&format!(
                            "{};{};{};{};{folder};{title};{}\n",
                            run.id, run.started, entry.action, entry.is_here, entry.is_undone
                        ));
                    }
                }
                self.save_text("window-save-history", "tandem-history.csv", "csv", text).await
            }
        }
    }

    pub(super) async fn traffic(&self, _: Nothing) -> Result<Vec<TrafficHour>> {
        Ok(self.traffic_hours())
    }

    pub(super) async fn remove_tandem(&self, _: Nothing) -> Result<Removed> {
        let _one_at_a_time = self.changing().await;
        if matches!(self.running(), Running::Attached(_)) {
            return Err(Problem::new(Code::ProfileInUse).with("folder", self.profile().folder()));
        }
        let language = self.language();
        let settings = Settings::load(&self.profile().settings_file()).unwrap_or_default();
        let data = settings.stores.iter().map(|store| store.place.clone()).collect();
        let (mut removed, mut problems, mut stays) = (Vec::new(), Vec::new(), None);
        self.drop_samples().await;
        self.end_running().await;
        if settings.role.is_some() {
            match Node::leave(self.profile()).await {
                Ok(published) => {
                    stays = published;
                    removed.push(self.word("removed-access"));
                }
                Err(problem) => problems.push(problem.view(language)),
            }
        }
        let desktop = self.desktop();
        if desktop.starts_with_computer().unwrap_or(false) {
            match desktop.set_starts_with_computer(false) {
                Ok(()) => removed.push(self.word("removed-autostart")),
                Err(error) => {
                    let problem = Problem::new(Code::SettingsNotSaved).with("folder", "autostart").because(error);
                    problems.push(problem.view(language));
                }
            }
        }
        if problems.is_empty() {
            let profile = self.profile().clone();
            match blocking(move || Ok(profile.remove()?)).await {
                Ok(()) => removed.push(self.word("removed-settings")),
                Err(problem) => problems.push(problem.view(language)),
            }
            self.known_servers().clear();
        }
        problems.extend(stays.map(|problem| problem.view(language)));
        self.reopen().await;
        self.state_changed().await?;
        Ok(Removed { removed, data, problems })
    }
}

/// Text in a cell of a table (RFC 4180). What a spreadsheet would take for a formula is text.
pub(super) fn cell(text: &str) -> String {
    let text = text.replace(['\n', '\r'], " ").replace('"', "\"\"");
    let guard = if text.starts_with(['=', '+', '-', '@']) { "'" } else { "" };
    format!("\"{guard}{text}\"")
}

/// Names that are replaced by the same label wherever they stand.
#[derive(Default)]
struct Labels(BTreeMap<String, String>);

impl Labels {
    fn name(&mut self, name: &str, label: &str) {
        if name.chars().count() > 2 {
            self.0.entry(name.to_owned()).or_insert_with(|| label.to_owned());
        }
    }

    /// The text without names, addresses and home folders.
    fn replace(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for (name, label) in self.0.iter().rev() {
            text = text.replace(name.as_str(), label);
        }
        let words = text.split_inclusive(' ').map(|word| {
            let bare = word.trim();
            let is_address = bare.trim_matches(|c: char| "[](),;".contains(c)).parse::<std::net::SocketAddr>().is_ok()
                || bare.trim_matches(|c: char| "[](),;".contains(c)).parse::<std::net::IpAddr>().is_ok();
            let is_path = bare.contains('/') && bare.len() > 3 || bare.contains(":\\");
            match (is_address, is_path || bare.contains('@')) {
                (true, _) => word.replace(bare, "(address)"),
                (_, true) => word.replace(bare, "(name)"),
                _ => word.to_owned(),
            }
        });
        words.collect()
    }
}

/// `2026-11-22T19:04:05.123456Z  INFO net::pair: text`, as the log is written. Other lines belong to the one before.
fn parse_line(line: &str) -> Option<LogLine> {
    let (at, rest) = line.split_once(' ')?;
    let (level, text) = rest.trim_start().split_once(' ')?;
    let level = level.to_ascii_lowercase();
    let is_level = ["trace", "debug", "info", "warn", "error"].contains(&level.as_str());
    is_level.then(|| LogLine { at: at.to_owned(), level, text: text.trim_start().to_owned() })
}

fn level_of(level: &str) -> usize {
    ["trace", "debug", "info", "warn", "error"].iter().position(|known| *known == level).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_the_log_is_taken_apart() {
        let line = parse_line("2026-11-22T19:04:05.123456Z  INFO app::node: the profile is set up at=1").unwrap();
        assert_eq!((line.level.as_str(), line.text.as_str()), ("info", "app::node: the profile is set up at=1"));
        assert!(parse_line("   0: somewhere").is_none());
    }

    #[test]
    fn a_title_in_a_table_is_never_a_formula_nor_a_second_cell() {
        assert_eq!(cell("=1+1"), "\"'=1+1\"");
        assert_eq!(cell("say \"hi\";\nthere"), "\"say \"\"hi\"\"; there\"");
    }

    #[test]
    fn a_report_holds_no_names_no_addresses_and_no_paths() {
        let mut labels = Labels::default();
        labels.name("Anna's PC", "computer A");
        let text = "calling Anna's PC at 192.168.1.7:4711 failed: /home/anna/mail, anna@example.org";
        let told = labels.replace(text);
        assert_eq!(told, "calling computer A at (address) failed: (name) (name)");
    }
}
