//! Where a password comes from: a file, standard input or a person at the terminal. Never the command line, which other
//! users of the computer can read.

use crate::{args::PasswordFrom, output::Output, terminal, words::say};
use app::{
    message::{Code, Problem, Result},
    password::{self, Rule},
};
use identity::Secret;
use std::{
    fs,
    io::{self, Read},
    path::Path,
};
use zeroize::Zeroizing;

/// More than any password has; the rest of a larger file isn't read.
const FILE_BYTES_MAX: u64 = 4_096;

/// The password of a server that exists.
pub(crate) async fn existing(from: &PasswordFrom, output: Output, server: &str) -> Result<Secret> {
    let question = say!(output.words, "password-of", server = server);
    read(from, output, move || prompt(&question)).await
}

/// A new password. A person is shown a suggestion and types twice what nobody else shall see.
pub(crate) async fn new(from: &PasswordFrom, output: Output, rule: Rule, own: &[&str]) -> Result<Secret> {
    let own: Vec<String> = own.iter().map(|&word| word.to_owned()).collect();
    read(from, output, move || choose(output, rule, &own)).await
}

async fn read(
    from: &PasswordFrom,
    output: Output,
    ask: impl FnOnce() -> Result<Secret> + Send + 'static,
) -> Result<Secret> {
    let file = from.password_file.clone();
    if file.is_none() && !output.can_ask {
        return Err(Problem::new(Code::PasswordMissing));
    }
    // A person takes their time, and an interruption must be noticed meanwhile.
    terminal::waiting(move || match file {
        Some(file) => read_file(&file),
        None => ask(),
    })
    .await
}

fn choose(output: Output, rule: Rule, own: &[String]) -> Result<Secret> {
    let own: Vec<&str> = own.iter().map(String::as_str).collect();
    let words = output.words;
    let suggestion = password::suggest(words.language);
    eprintln!("{}", say!(words, "password-suggestion", password = suggestion.expose()));
    loop {
        let typed = prompt(&say!(words, "password-new"))?;
        if typed.expose().is_empty() {
            return Ok(suggestion);
        }
        if let Err(strength) = rule.accept(&typed, &own) {
            output.problem(&rule.problem(&strength));
        } else if prompt(&say!(words, "password-again"))? == typed {
            return Ok(typed);
        } else {
            eprintln!("{}", say!(words, "password-differs"));
        }
    }
}

fn prompt(question: &str) -> Result<Secret> {
    let typed = rpassword::prompt_password(format!("{question}: "));
    typed.map(Secret::new).map_err(|error| Problem::new(Code::PasswordMissing).because(error))
}

fn read_file(file: &Path) -> Result<Secret> {
    let read = if file == Path::new("-") { first_line(io::stdin()) } else { fs::File::open(file).and_then(first_line) };
    let line = read.map_err(|error| Problem::new(Code::FileNotReadable).with("file", file).because(error))?;
    if line.expose().is_empty() { Err(Problem::new(Code::PasswordMissing)) } else { Ok(line) }
}

/// The first line without its end: editors and `echo` add one that nobody means.
fn first_line(source: impl Read) -> io::Result<Secret> {
    let mut text = Zeroizing::new(String::with_capacity(FILE_BYTES_MAX as usize + 1));
    source.take(FILE_BYTES_MAX).read_to_string(&mut text)?;
    Ok(Secret::new(text.lines().next().unwrap_or_default().to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_line_counts_without_its_end() {
        for text in ["Blumentopf ä", "Blumentopf ä\n", "Blumentopf ä\r\nsecond line\n"] {
            assert_eq!(first_line(text.as_bytes()).unwrap().expose(), "Blumentopf ä");
        }
        assert_eq!(first_line(&b"  spaces count \n"[..]).unwrap().expose(), "  spaces count ");
    }

    #[test]
    fn an_empty_file_holds_no_password_and_a_missing_one_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("p");
        assert_eq!(read_file(&file).unwrap_err().code, Code::FileNotReadable);
        fs::write(&file, "\n").unwrap();
        assert_eq!(read_file(&file).unwrap_err().code, Code::PasswordMissing);
    }

    #[test]
    fn an_endless_file_is_not_read_to_its_end() {
        assert_eq!(first_line(io::repeat(b'a')).unwrap().expose().len() as u64, FILE_BYTES_MAX);
    }
}
