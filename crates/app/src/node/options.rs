//! The settings of a running instance.

use super::{Instance, blocking};
use crate::{
    api::types::{ConflictRuleView, Nothing, Options, SetOptions},
    blobs::{Blobs, Keep, place},
    message::{Code, Problem, Result},
    settings::{ConflictRule, History},
};
use identity::ServerName;

/// Earlier versions are kept at least a day and at most ten years.
const DAYS: std::ops::RangeInclusive<u16> = 1..=3_650;

impl Instance {
    pub(crate) async fn options(&self, _: Nothing) -> Result<Options> {
        let settings = self.settings().clone();
        let folder = place::folder(&self.profile, &settings);
        let measured = folder.clone();
        let backup_bytes = blocking(move || {
            let usage = Blobs::in_folder(&measured).and_then(|blobs| blobs.usage());
            Ok(usage.map(|usage| usage.bytes).unwrap_or_default())
        })
        .await?;
        Ok(Options {
            language: settings.language.map(|language| language.tag().to_owned()),
            name: settings.name.as_ref().map(ToString::to_string),
            peer_names: settings.network.peer_names,
            port: settings.network.listen.port(),
            upload_bytes_per_sec_max: settings.network.upload_bytes_per_sec_max.unwrap_or(0),
            download_bytes_per_sec_max: settings.network.download_bytes_per_sec_max.unwrap_or(0),
            waits_on_metered: settings.network.waits_on_metered,
            detailed_log: settings.detailed_log,
            conflicts: match settings.conflicts.rule {
                ConflictRule::Ask => ConflictRuleView::Ask,
                ConflictRule::Client => ConflictRuleView::Client,
                ConflictRule::Server => ConflictRuleView::Server,
            },
            backup_days: settings.history.days,
            backup_bytes_max: keep_of(&settings.history).bytes_max,
            backup_bytes,
            backup_place: folder.display().to_string(),
        })
    }

    pub(crate) async fn set_options(&self, request: SetOptions) -> Result<Options> {
        let name = request.name.as_deref().map(ServerName::parse).transpose()?;
        let language = match request.language.as_deref() {
            None => None,
            Some("") => Some(None),
            Some(tag) => Some(Some(tag.parse().map_err(|_| {
                Problem::new(Code::NotUnderstood).with("reason", format!("there is no language `{tag}`"))
            })?)),
        };
        {
            let mut settings = self.settings();
            if let Some(name) = name {
                settings.name = Some(name);
            }
            if let Some(language) = language {
                settings.language = language;
            }
            if let Some(on) = request.peer_names {
                settings.network.peer_names = on;
            }
            if let Some(port) = request.port {
                settings.network.listen.set_port(port);
            }
            if let Some(bytes) = request.upload_bytes_per_sec_max {
                settings.network.upload_bytes_per_sec_max = limit(bytes);
            }
            if let Some(bytes) = request.download_bytes_per_sec_max {
                settings.network.download_bytes_per_sec_max = limit(bytes);
            }
            if let Some(on) = request.waits_on_metered {
                settings.network.waits_on_metered = on;
            }
            if let Some(on) = request.detailed_log {
                settings.detailed_log = on;
            }
            if let Some(conflicts) = request.conflicts {
                settings.conflicts.rule = match conflicts {
                    ConflictRuleView::Ask => ConflictRule::Ask,
                    ConflictRuleView::Client => ConflictRule::Client,
                    ConflictRuleView::Server => ConflictRule::Server,
                };
            }
            if let Some(days) = request.backup_days {
                settings.history.days = days.clamp(*DAYS.start(), *DAYS.end());
            }
            if let Some(bytes) = request.backup_bytes_max {
                settings.history.size_max_bytes = (bytes > 0).then_some(bytes);
            }
            if request.is_backup_as_made {
                // Where they are is no preference, but a fact.
                let History { place, moved_from, .. } = std::mem::take(&mut settings.history);
                settings.history = History { place, moved_from, ..History::default() };
            }
        }
        self.save_settings()?;
        self.rules.send_replace(());
        self.do_as_chosen().await?;
        self.options(Nothing {}).await
    }

    /// Tells the engine how long and how much is to be kept, the network how fast it may be, the log how much it says.
    pub(super) async fn do_as_chosen(&self) -> Result<()> {
        let (keep, bandwidth, detailed_log) = {
            let settings = self.settings();
            (keep_of(&settings.history), settings.network.bandwidth(), settings.detailed_log)
        };
        if let Some(endpoint) = &self.endpoint {
            endpoint.limit(bandwidth);
        }
        crate::log::set_detailed(detailed_log);
        self.ask(move |room| {
            room.keep = keep;
            Ok(())
        })
        .await
    }

    pub(crate) async fn empty_backup(&self, _: Nothing) -> Result<Options> {
        self.ask(|room| Ok(room.collect_contents(Keep { age_max: 0, bytes_max: 0 })?)).await?;
        self.options(Nothing {}).await
    }
}

/// 0: none.
fn limit(bytes_per_sec: u32) -> Option<u32> {
    (bytes_per_sec > 0).then(|| bytes_per_sec.max(net::Bandwidth::BYTES_PER_SEC_MIN))
}

fn keep_of(history: &History) -> Keep {
    Keep {
        age_max: u64::from(history.days) * 24 * 60 * 60,
        bytes_max: history.size_max_bytes.unwrap_or(Keep::DEFAULT.bytes_max),
    }
}
