pub(crate) mod person;
pub(crate) mod session;
pub(crate) mod subject;
