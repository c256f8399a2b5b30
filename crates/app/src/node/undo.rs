//! Bringing items back to how they were.

use super::Instance;
use crate::{
    api::types::{HistoryAnswer, HistoryRequest, UndoAnswer, UndoRequest},
    message::Result,
};

impl Instance {
    pub(crate) async fn history(&self, _: HistoryRequest) -> Result<HistoryAnswer> {
        Ok(HistoryAnswer::default())
    }

    pub(crate) async fn undo(&self, _: UndoRequest) -> Result<UndoAnswer> {
        Ok(UndoAnswer::default())
    }
}
