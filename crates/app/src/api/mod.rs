//! The one typed list of commands, and how it is written down.
//!
//! [`commands!`](crate::commands!) turns a list of commands into two things that therefore can't differ: a `dispatch`
//! that takes a command's name and JSON (from the control channel, from the window) to its handler, and a TypeScript type
//! `Commands` from which the window's one `call` knows every name, request and answer.
//!
//! ```text
//! commands! {
//!     #[ts(export, export_to = "Commands.ts")]
//!     node: Instance, events: Event;
//!     /// What is going on.
//!     status(StatusRequest) -> Status;
//!     /// Stops synchronizing for a while.
//!     pause(PauseRequest) -> Status;
//! }
//!
//! impl Instance {
//!     async fn status(&self, request: StatusRequest) -> message::Result<Status> { … }
//! }
//! ```
//!
//! Requests derive `Deserialize`, answers `Serialize`, and all of them `ts_rs::TS`. A plain `cargo test` writes the types to
//! `ui/src/ipc/bindings`. Numbers that can pass 2^53 travel as text.

mod list;
pub mod types;

pub use list::{Commands, dispatch};

use crate::message::{Code, Problem};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;
use ts_rs::TS;

/// One command's request and answer, as the window sees them.
#[derive(Debug, TS)]
#[ts(export_to = "Command.ts")]
pub struct Command<Q, A> {
    /// What it is told.
    pub request: Q,
    /// What it answers.
    pub answer: A,
}

/// Makes `dispatch` and the TypeScript list out of a list of commands; see the module [`api`](crate::api).
#[macro_export]
macro_rules! commands {
    (
        $(#[$export:meta])*
        node: $node:ty, events: $event:ty;
        $($(#[$meta:meta])* $name:ident($request:ty) -> $answer:ty;)*
    ) => {
        /// Every command, by name, with the events and the problem as the window sees them.
        #[derive(ts_rs::TS)]
        $(#[$export])*
        #[allow(dead_code, missing_debug_implementations)] // Only its TypeScript form is used.
        pub struct Commands {
            $($(#[$meta])* pub $name: $crate::api::Command<$request, $answer>,)*
            /// What the running instance tells unasked.
            pub events: $event,
            /// What stands in the way, in the window's language.
            pub problem: $crate::message::ProblemView,
        }

        impl Commands {
            /// The names of all commands.
            pub const NAMES: &[&str] = &[$(stringify!($name)),*];
        }

        /// Carries out the command with this name.
        pub async fn dispatch(
            node: &$node,
            name: &str,
            request: serde_json::Value,
        ) -> $crate::message::Result<serde_json::Value> {
            match name {
                $(stringify!($name) => {
                    let request: $request = $crate::api::read_request(request)?;
                    let answer: $answer = node.$name(request).await?;
                    $crate::api::write_answer(&answer)
                })*
                _ => Err($crate::api::no_such_command(name)),
            }
        }
    };
}

/// Reads a request, which is an object; what doesn't fit is told by field.
pub fn read_request<Q: DeserializeOwned>(request: Value) -> Result<Q, Problem> {
    let not_understood = |reason: String| Problem::new(Code::NotUnderstood).with("reason", reason);
    match request {
        // `null` and `{}` both say that there is nothing to say.
        Value::Null => serde_json::from_value(Value::Object(serde_json::Map::new())),
        Value::Object(_) => serde_json::from_value(request),
        _ => return Err(not_understood("a request is an object".to_owned())),
    }
    .map_err(|error| not_understood(error.to_string()))
}

/// Writes an answer.
pub fn write_answer(answer: &impl Serialize) -> Result<Value, Problem> {
    serde_json::to_value(answer).map_err(|error| Problem::new(Code::Unexpected).because(error))
}

/// A name that isn't on the list, as a newer caller or a mistyped one may send.
#[must_use]
pub fn no_such_command(name: &str) -> Problem {
    let name: String = name.chars().take(64).collect();
    Problem::new(Code::NotUnderstood).with("reason", format!("there is no command `{name}`"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::language::Language;
    use serde::Deserialize;
    use serde_json::json;

    struct Counter(u32);

    #[derive(Deserialize, TS)]
    #[serde(deny_unknown_fields)]
    struct Add {
        #[serde(default)]
        number: u32,
    }

    #[derive(Serialize, TS)]
    struct Sum {
        sum: u32,
    }

    #[derive(TS)]
    #[allow(dead_code)] // Only its TypeScript form is used.
    struct Counted {
        sum: u32,
    }

    impl Counter {
        async fn add(&self, request: Add) -> crate::message::Result<Sum> {
            Ok(Sum { sum: self.0 + request.number })
        }
    }

    #[allow(unreachable_pub)] // The real list is public.
    mod list {
        use super::{Add, Counted, Counter, Sum};

        crate::commands! {
            node: Counter, events: Counted;
            /// Adds a number.
            add(Add) -> Sum;
        }
    }

    #[tokio::test]
    async fn a_command_finds_its_handler_by_name() {
        let answer = list::dispatch(&Counter(40), "add", json!({"number": 2})).await.unwrap();
        assert_eq!(answer, json!({"sum": 42}));
        assert_eq!(list::dispatch(&Counter(40), "add", Value::Null).await.unwrap(), json!({"sum": 40}));
        assert_eq!(list::Commands::NAMES, ["add"]);
    }

    #[tokio::test]
    async fn an_unknown_command_and_a_request_that_does_not_fit_are_told_as_such() {
        for (name, request, told) in [
            ("substract", json!({}), "substract"),
            ("add", json!({"numbre": 2}), "numbre"),
            ("add", json!({"number": "two"}), "two"),
            ("add", json!([]), "object"),
        ] {
            let Err(problem) = list::dispatch(&Counter(0), name, request).await else { panic!("{told}") };
            assert_eq!(problem.code, Code::NotUnderstood);
            let message = problem.view(Language::English).message;
            assert!(message.contains(told), "{message}");
        }
    }

    #[test]
    fn the_window_sees_the_same_names_requests_and_answers() {
        let typescript = list::Commands::decl(&ts_rs::Config::default());
        assert!(typescript.contains("add: Command<Add, Sum>"), "{typescript}");
        assert!(typescript.contains("events: Counted"), "{typescript}");
        assert!(typescript.contains("problem: ProblemView"), "{typescript}");
    }
}
