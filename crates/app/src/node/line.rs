//! Whether a client may use the Internet now: it is switched on, and doesn't wait for a line that isn't metered.

use super::Instance;
use crate::metered::Line;
use std::time::Duration;
use tokio::time::{sleep, timeout};

/// How often the system is asked.
const EVERY: Duration = Duration::from_secs(5);
/// A system that says nothing for so long doesn't know.
const PATIENCE: Duration = Duration::from_secs(4);

impl Instance {
    /// Whether anything may leave the local network.
    pub(super) fn may_use_internet(&self) -> bool {
        self.settings().network.internet && !self.waits_for_line()
    }

    /// Whether only a metered line stands in the way.
    pub(super) fn waits_for_line(&self) -> bool {
        *self.metered.borrow() && self.settings().network.internet
    }

    /// Asks again and again, as long as it matters.
    pub(super) async fn watch_line(&self) {
        let mut rules = self.rules.subscribe();
        let mut line = None;
        loop {
            self.look_at_line(&mut line).await;
            let matters = self.settings().network.waits_on_metered;
            tokio::select! {
                () = sleep(EVERY), if matters => {}
                changed = rules.changed() => if changed.is_err() { return },
            }
        }
    }

    /// Asks once, if it matters. `line` is who was asked before.
    pub(super) async fn look_at_line(&self, line: &mut Option<Line>) {
        let asked = async {
            if !self.settings().network.waits_on_metered {
                return false;
            }
            if line.is_none() {
                *line = Line::ask().await;
            }
            let said = match line {
                Some(line) => line.is_metered().await,
                None => None,
            };
            if said.is_none() {
                *line = None;
            }
            said.unwrap_or(false)
        };
        // A system too busy to answer hasn't another line.
        let Ok(is_metered) = timeout(PATIENCE, asked).await else { return };
        let is_other = self.metered.send_if_modified(|before| std::mem::replace(before, is_metered) != is_metered);
        if is_other {
            tracing::info!(is_metered, "the line to the Internet is another one");
            if let Some(endpoint) = &self.endpoint {
                endpoint.keep_local(!self.may_use_internet());
            }
            if is_metered {
                self.leave_dht().await;
            }
            // Whom to call, and by which way, is decided anew.
            self.rules.send_replace(());
        }
    }
}
