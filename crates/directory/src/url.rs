//! Where a directory is.

use reqwest::Url;
use std::{fmt, str::FromStr};

/// The address of a directory: `https://` and a host, perhaps a port. `http://` only if somebody wrote just that.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct DirectoryUrl(Url);

/// Why a text is no address of a directory.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum UrlError {
    /// Not an address of the web.
    #[error("this is no web address")]
    NotAWebAddress,
    /// More than scheme, host and port.
    #[error("a directory's address has only a host name and perhaps a port")]
    MoreThanAHost,
}

impl DirectoryUrl {
    /// Reads what somebody typed: `directory.example`, `directory.example:8443`, or the same with `https://` or
    /// `http://`.
    pub fn parse(text: &str) -> Result<Self, UrlError> {
        let text = text.trim();
        let url = if text.contains("://") { Url::parse(text) } else { Url::parse(&format!("https://{text}")) };
        let url = url.map_err(|_| UrlError::NotAWebAddress)?;
        if !matches!(url.scheme(), "https" | "http") {
            return Err(UrlError::NotAWebAddress);
        }
        let is_host_only = url.path() == "/"
            && url.query().is_none()
            && url.fragment().is_none()
            && url.username().is_empty()
            && url.password().is_none();
        is_host_only.then_some(Self(url)).ok_or(UrlError::MoreThanAHost)
    }

    /// What requests to this directory are signed for: its host, with the port if it isn't the scheme's own.
    #[must_use]
    pub fn authority(&self) -> &str {
        self.0.authority()
    }

    /// Says whether what is sent there can be read and changed on the way.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        self.0.scheme() == "http"
    }

    pub(crate) fn join(&self, path: &str) -> Url {
        let mut url = self.0.clone();
        url.set_path(path);
        url
    }
}

impl From<&identity::Directory> for DirectoryUrl {
    /// What came in an invitation or a link is a host name, and is always asked by https.
    fn from(directory: &identity::Directory) -> Self {
        Self::parse(&format!("https://{directory}")).expect("a directory is written as a host and a port")
    }
}

impl fmt::Display for DirectoryUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.as_str().trim_end_matches('/'))
    }
}

impl FromStr for DirectoryUrl {
    type Err = UrlError;

    fn from_str(text: &str) -> Result<Self, UrlError> {
        Self::parse(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_asked_by_https_unless_somebody_wrote_http() {
        for (typed, meant) in [
            (" Directory.Example ", "https://directory.example"),
            ("directory.example:8443", "https://directory.example:8443"),
            ("https://directory.example:443/", "https://directory.example"),
            ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
        ] {
            let url = DirectoryUrl::parse(typed).expect("an address");
            assert_eq!(url.to_string(), meant);
            assert_eq!(url.is_plain(), meant.starts_with("http:"));
        }
        assert_eq!(DirectoryUrl::parse("directory.example:443").expect("an address").authority(), "directory.example");
        assert_eq!(DirectoryUrl::parse("directory.example:8443").expect("one").authority(), "directory.example:8443");
    }

    #[test]
    fn what_is_more_or_less_than_a_host_is_refused() {
        for typed in ["", "https://", "ftp://directory.example", "file:///etc/passwd", "a b"] {
            assert_eq!(DirectoryUrl::parse(typed), Err(UrlError::NotAWebAddress), "{typed:?}");
        }
        for typed in ["a.example/x", "a.example/?x", "a.example/#x", "https://me:secret@a.example", "me@a.example"] {
            assert_eq!(DirectoryUrl::parse(typed), Err(UrlError::MoreThanAHost), "{typed:?}");
        }
    }

    #[test]
    fn a_directory_of_an_invitation_is_asked_by_https() {
        for text in ["directory.example", "directory.example:80", "directory.example:8443"] {
            let directory = identity::Directory::parse(text).expect("a host");
            assert_eq!(DirectoryUrl::from(&directory).to_string(), format!("https://{text}"));
        }
    }
}
