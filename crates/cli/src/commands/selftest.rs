//! Testing a connector with the real program.

use crate::{
    args::{Selftest, Tested},
    output::{Answer, Output},
    progress::Meter,
    terminal::waiting,
    words::{printable, say},
};
use app::{
    message::{Code, Exit, Problem, Result},
    selftest,
};
use serde_json::json;
use std::{fs::File, io::Write as _, iter, path::PathBuf};

pub(crate) async fn selftest(args: Selftest, output: Output) -> Result<Answer> {
    let words = output.words;
    let Tested::Outlook = args.program;
    let (mut file, path) = new_file(args.report)?;
    let written = test(output).await.and_then(|tested| {
        let not_writable = |error| Problem::new(Code::FileNotWritable).with("file", path.as_path()).because(error);
        file.write_all(tested.report.to_string().as_bytes()).map_err(not_writable)?;
        Ok(tested)
    });
    let tested = written.inspect_err(|_| drop(std::fs::remove_file(&path)))?;
    let (report, path) = (tested.report, path.display().to_string());
    let (failed, count) = (report.failed(), report.sentences.len());
    let mut text = say!(words, "selftest-done", n = count - failed, count = count, file = printable(&path));
    if let Some(left) = &tested.left {
        text.push('\n');
        text.push_str(&say!(words, "selftest-left", folder = printable(&left.display().to_string())));
    }
    let exit = if failed == 0 && report.speed.is_some() { Exit::Ok } else { Exit::Data };
    let mut answer = json!(report);
    answer["file"] = json!(path);
    Ok(Answer::new(answer, text).ending(exit))
}

async fn test(output: Output) -> Result<selftest::Tested> {
    let meter = Meter::counting(output);
    waiting(move || {
        let tested = selftest::outlook(&mut |done, of| meter.show(done as u64, of as u64));
        meter.end();
        tested
    })
    .await
}

/// The report's file, where nothing is yet.
fn new_file(wish: Option<PathBuf>) -> Result<(File, PathBuf)> {
    let numbered = || (2..100).map(|number| PathBuf::from(format!("tandem-outlook-report-{number}.txt")));
    let is_free = |path: &PathBuf| !path.exists();
    let first = PathBuf::from("tandem-outlook-report.txt");
    let path = wish.unwrap_or_else(|| iter::once(first.clone()).chain(numbered()).find(is_free).unwrap_or(first));
    let refused = |error| Problem::new(Code::FileNotWritable).with("file", path.as_path()).because(error);
    let file = File::create_new(&path).map_err(refused)?;
    Ok((file, path))
}
