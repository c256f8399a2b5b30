//! Counters for the operator, in the text format of Prometheus. They count; they don't say who.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

/// What happened since the start.
#[derive(Debug, Default)]
pub(crate) struct Metrics {
    /// By request and outcome.
    requests: Mutex<BTreeMap<(&'static str, &'static str), u64>>,
    /// As of the last count.
    pub(crate) records: AtomicU64,
    pub(crate) connections: AtomicU64,
    pub(crate) connections_refused: AtomicU64,
}

impl Metrics {
    pub(crate) fn count(&self, request: &'static str, outcome: &'static str) {
        *self.requests.lock().unwrap_or_else(PoisonError::into_inner).entry((request, outcome)).or_default() += 1;
    }

    /// As `/metrics` shows them.
    pub(crate) fn text(&self, remembered_budgets: usize) -> String {
        let mut text = String::from(
            "# HELP tandem_directory_requests_total Requests by kind and outcome.\n\
             # TYPE tandem_directory_requests_total counter\n",
        );
        for ((request, outcome), count) in &*self.requests.lock().unwrap_or_else(PoisonError::into_inner) {
            let _ = writeln!(
                text,
                "tandem_directory_requests_total{{request=\"{request}\",outcome=\"{outcome}\"}} {count}"
            );
        }
        let number = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        for (name, kind, help, value) in [
            ("records", "gauge", "Records, as of the last count.", number(&self.records)),
            ("connections", "gauge", "Open connections.", number(&self.connections)),
            ("connections_refused_total", "counter", "Connections above the limit.", number(&self.connections_refused)),
            ("limiter_budgets", "gauge", "Budgets that aren't full.", remembered_budgets as u64),
        ] {
            let _ = write!(
                text,
                "# HELP tandem_directory_{name} {help}\n# TYPE tandem_directory_{name} {kind}\n\
                 tandem_directory_{name} {value}\n"
            );
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_counted_by_kind_and_outcome() {
        let metrics = Metrics::default();
        metrics.count("lookup", "ok");
        metrics.count("lookup", "ok");
        metrics.count("lookup", "not_found");
        metrics.records.store(7, Ordering::Relaxed);
        let text = metrics.text(0);
        assert!(text.contains("tandem_directory_requests_total{request=\"lookup\",outcome=\"ok\"} 2\n"), "{text}");
        assert!(text.contains("tandem_directory_requests_total{request=\"lookup\",outcome=\"not_found\"} 1\n"));
        assert!(text.contains("\ntandem_directory_records 7\n"), "{text}");
    }
}
