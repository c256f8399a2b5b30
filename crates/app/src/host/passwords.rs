//! Passwords: a good one, how good one is, and looking one's own up.

use super::{
    Host, blocking,
    types::{JudgePassword, PasswordAnswer, PasswordText, PasswordVerdict},
};
use crate::{
    api::types::Nothing,
    message::Result,
    password::{self, Rule, Verdict},
    secrets::{self, SecretError, SecretName, StoreKind},
    settings::Settings,
};
use identity::Secret;

impl Host {
    pub(super) async fn suggest_password(&self, _: Nothing) -> Result<PasswordAnswer> {
        Ok(PasswordAnswer { password: Some(shown(&password::suggest(self.language()))) })
    }

    pub(super) async fn judge_password(&self, request: JudgePassword) -> Result<PasswordVerdict> {
        let language = self.language();
        let rule = Rule::new(request.internet);
        let own: Vec<&str> = request.own.iter().map(String::as_str).collect();
        let strength = rule.rate(&Secret::new(request.password.0), &own);
        let verdict = match strength.verdict {
            Verdict::TooShort => "tooShort",
            Verdict::Weak => "weak",
            Verdict::Good => "good",
            Verdict::Strong => "strong",
        };
        Ok(PasswordVerdict {
            verdict: verdict.to_owned(),
            word: strength.verdict.say(language),
            reason: strength.reason.map(|reason| rule.say(reason, language)),
            guesses_log10: strength.guesses_log10,
            is_enough: strength.is_enough(),
        })
    }

    pub(super) async fn show_password(&self, _: Nothing) -> Result<PasswordAnswer> {
        let profile = self.profile().clone();
        blocking(move || {
            let settings = Settings::load(&profile.settings_file())?;
            let (Some(id), Some(StoreKind::Keyring)) = (settings.profile, settings.secrets) else {
                return Ok(PasswordAnswer { password: None });
            };
            match secrets::open(&profile, &id, StoreKind::Keyring).get(SecretName::ServerPassword) {
                Ok(password) => Ok(PasswordAnswer { password: Some(shown(&password)) }),
                Err(SecretError::Absent) => Ok(PasswordAnswer { password: None }),
                Err(error) => Err(error.into()),
            }
        })
        .await
    }
}

/// The one way a password goes to the window: when a person asked to see it.
fn shown(password: &Secret) -> PasswordText {
    PasswordText(password.expose().to_owned())
}
