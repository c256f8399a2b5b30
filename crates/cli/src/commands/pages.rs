//! What the program tells about itself: completions, manual pages, where its log is.

use crate::{
    args::{Completions, Log, LogWhat, Man, Tandem},
    output::Answer,
};
use app::{
    message::{Code, Problem, Result},
    profile::Profile,
};
use clap::CommandFactory as _;
use serde_json::json;
use std::{fs, io, path::Path};

pub(crate) fn log(args: &Log, profile: &Profile) -> Answer {
    let LogWhat::Path = args.what;
    let folder = profile.logs().display().to_string();
    Answer::new(json!({"path": folder}), folder)
}

pub(crate) fn completions(args: &Completions) -> Answer {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Tandem::command(), "tandem", &mut script);
    let script = String::from_utf8_lossy(&script).into_owned();
    Answer::new(json!({"completions": script}), script)
}

pub(crate) fn man(args: &Man) -> Result<Answer> {
    let Some(folder) = &args.out else {
        let page = page(Tandem::command()).map_err(|error| Problem::new(Code::Unexpected).because(error))?;
        return Ok(Answer::new(json!({"page": page}), page));
    };
    let unwritable =
        |error: io::Error| Problem::new(Code::FileNotWritable).with("file", folder.as_path()).because(error);
    fs::create_dir_all(folder).map_err(unwritable)?;
    let mut written = Vec::new();
    let mut command = Tandem::command();
    command.build();
    write(&command, "tandem", folder, &mut written).map_err(unwritable)?;
    let text = written.join("\n");
    Ok(Answer::new(json!({"pages": written}), text))
}

fn page(command: clap::Command) -> io::Result<String> {
    let mut page = Vec::new();
    clap_mangen::Man::new(command).render(&mut page)?;
    Ok(String::from_utf8_lossy(&page).into_owned())
}

/// A page for the command and one for each below it: `tandem-conflicts-resolve.1`.
fn write(command: &clap::Command, name: &str, folder: &Path, written: &mut Vec<String>) -> io::Result<()> {
    let path = folder.join(format!("{name}.1"));
    let own_name: &'static str = Box::leak(name.to_owned().into_boxed_str());
    fs::write(&path, page(command.clone().name(own_name))?)?;
    written.push(path.display().to_string());
    for below in command.get_subcommands().filter(|below| below.get_name() != "help") {
        write(below, &format!("{name}-{}", below.get_name()), folder, written)?;
    }
    Ok(())
}
