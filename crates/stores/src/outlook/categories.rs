//! Outlook's list of categories, which gives them their colours.

use super::{
    dispatch::Variant,
    session::{Outlook, Session, each},
};
use crate::StoreError;
use std::collections::BTreeSet;

/// `OlCategoryColor` goes from 1, red, to 25, dark maroon; 0 is none.
const COLORS: u8 = 25;

impl Outlook {
    /// Puts categories into the list of the store if they aren't in it, each with a colour that its name decides: the same
    /// on every computer. What is in the list stays as it is. Nothing is worse than before where that can't be done, so
    /// only an Outlook that can't be asked any more is told.
    pub(super) fn list_categories(&self, session: &Session, names: &[String]) -> Result<(), StoreError> {
        // Marks of mail programs (`$Forwarded`, `$Label1`) are nobody's categories.
        let names = || names.iter().filter(|name| !name.starts_with('$') && !name.trim().is_empty());
        let mut known = self.categories.borrow_mut();
        if names().all(|name| known.contains(&name.to_lowercase())) {
            return Ok(());
        }
        let listed = (|| {
            let list = session.store.object("Categories")?;
            for category in each(&list)? {
                known.insert(category.text("Name")?.to_lowercase());
            }
            for name in names() {
                if known.insert(name.to_lowercase()) {
                    list.call("Add", &[Variant::Text(name.clone()), color(name).into()])?;
                }
            }
            Ok(())
        })();
        match listed {
            Err(error @ StoreError::Program { .. }) => Err(error),
            Err(error) => {
                tracing::debug!(%error, "a category can't be put into Outlook's list");
                Ok(())
            }
            Ok(()) => Ok(()),
        }
    }
}

fn color(name: &str) -> i32 {
    i32::from(1 + blake3::hash(name.to_lowercase().as_bytes()).as_bytes()[0] % COLORS)
}

/// Names of categories that are known to be in the list, in small letters.
pub(super) type Categories = std::cell::RefCell<BTreeSet<String>>;
