//! What a command prints: data on standard output, everything about it on standard error.

use crate::words::{Words, printable};
use anstyle::Style;
use app::message::{Exit, Problem, ProblemView};
use serde_json::{Value, json};
use std::io::{self, IsTerminal as _, Write as _};

/// Of all JSON documents that commands print. Grows when a field changes its meaning or goes; new fields may come any time.
pub(crate) const SHAPE: u32 = 1;

/// How and in which language to print.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Output {
    pub(crate) words: Words,
    pub(crate) json: bool,
    /// A person is there who can be asked.
    pub(crate) can_ask: bool,
}

/// What a command found out or did.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) json: Value,
    pub(crate) text: String,
    pub(crate) exit: u8,
}

impl Answer {
    /// What shells say of a program that was interrupted.
    pub(crate) const INTERRUPTED: u8 = 130;

    /// There is none: somebody interrupted the command.
    pub(crate) fn interrupted() -> Self {
        Self { json: Value::Null, text: String::new(), exit: Self::INTERRUPTED }
    }

    /// An answer that ends with 0. `json` is an object.
    pub(crate) fn new(json: Value, text: String) -> Self {
        Self { json, text, exit: Exit::Ok as u8 }
    }

    /// Nothing but that it was done, in words.
    pub(crate) fn done(text: String) -> Self {
        Self::new(json!({"done": true}), text)
    }

    pub(crate) fn ending(mut self, exit: Exit) -> Self {
        self.exit = exit as u8;
        self
    }
}

impl Output {
    /// Prints an answer.
    pub(crate) fn answer(self, answer: &Answer) {
        if self.json {
            self.document(answer.json.clone());
        } else if !answer.text.is_empty() {
            print(answer.text.trim_end_matches('\n'));
        }
    }

    /// Prints a JSON object as one line, with the version of the shapes.
    pub(crate) fn document(self, mut document: Value) {
        if let Value::Object(fields) = &mut document {
            fields.insert("shape".to_owned(), SHAPE.into());
        }
        print(&document.to_string());
    }

    /// Prints one of many JSON objects, a line each.
    pub(crate) fn event(self, event: &Value) {
        print(&event.to_string());
    }

    /// Prints a JSON object as a line, or the same in words.
    pub(crate) fn event_or_line(self, event: &Value, words: impl FnOnce() -> String) {
        if self.json {
            self.event(event);
        } else {
            print(&words());
        }
    }

    /// Prints a line of an account that goes on, where a person reads it.
    pub(crate) fn line(self, text: &str) {
        if !self.json {
            print(text);
        }
    }

    /// Says something about the work to whoever watches.
    pub(crate) fn note(self, text: &str) {
        if !self.json {
            say_aside(text);
        }
    }

    /// Prints what stands in the way: in words, or as a document.
    pub(crate) fn problem(self, problem: &Problem) {
        if let Some(source) = &problem.source {
            tracing::warn!(code = problem.code.as_str(), %source, "a command met a problem");
        }
        let view = problem.view(self.words.language);
        if self.json {
            self.document(json!({"problem": view}));
        } else {
            self.view(&view);
        }
    }

    /// Prints a problem beside an answer that says the same to programs.
    pub(crate) fn problem_beside(self, problem: &Problem) {
        if !self.json {
            self.view(&problem.view(self.words.language));
        }
    }

    /// Prints a problem that came in words.
    pub(crate) fn view(self, view: &ProblemView) {
        let bold = Style::new().bold();
        let body = view.message.strip_prefix(&view.headline).unwrap_or(&view.message).trim();
        say_aside(&format!("{bold}{}{bold:#}", printable(&view.headline)));
        if !body.is_empty() {
            say_aside(&printable(body));
        }
        let command = view.command.as_deref().map(|command| format!(": {command}")).unwrap_or_default();
        say_aside(&format!("→ {}{}  [{}]", printable(&view.action), printable(&command), view.code));
    }

    /// Whether standard error shows progress to a person.
    pub(crate) fn shows_progress(self) -> bool {
        !self.json && io::stderr().is_terminal()
    }
}

/// A reader that went away (`tandem history | head`) is no reason to complain.
fn print(text: &str) {
    let mut out = io::stdout().lock();
    let _ = writeln!(out, "{text}").and_then(|()| out.flush());
}

fn say_aside(text: &str) {
    // Colours only on a terminal, and never with NO_COLOR.
    let _ = writeln!(anstream::stderr().lock(), "{text}");
}
