//! The program `tandem-directory`: settings from file, environment and command line; one line of JSON when it is ready; ends
//! in order on SIGTERM.

use clap::Parser;
use directory_server::{Config, Server};
use std::{error::Error, net::SocketAddr, path::PathBuf, process::ExitCode};

/// Leads from a server ID to a published Tandem server.
///
/// Every setting has an environment variable, and a key in the settings file. What is typed here goes over the environment,
/// which goes over the file.
#[derive(Debug, Parser)]
#[command(name = "tandem-directory", version)]
struct Args {
    /// Settings file (TOML)
    #[arg(long, value_name = "FILE", env = "TANDEM_DIRECTORY_CONFIG", hide_env_values = true)]
    config: Option<PathBuf>,
    /// Where to listen: HTTP on TCP, rendezvous on UDP
    #[arg(long, value_name = "ADDR:PORT")]
    listen: Option<SocketAddr>,
    /// Second UDP port, for telling routers apart; the one after the first unless set
    #[arg(long, value_name = "PORT")]
    probe_port: Option<u16>,
    /// Folder of the SQLite file
    #[arg(long, value_name = "DIR", conflicts_with = "database")]
    data: Option<PathBuf>,
    /// PostgreSQL database to use instead: postgres://user@host/database
    #[arg(long, value_name = "URL")]
    database: Option<String>,
}

const CONFIG_VARIABLE: &str = "TANDEM_DIRECTORY_CONFIG";

impl Args {
    fn config(self) -> Result<Config, directory_server::config::ConfigError> {
        let environment = std::env::vars().filter(|(name, _)| name != CONFIG_VARIABLE);
        let mut config = Config::read(self.config.as_deref(), environment)?;
        config.listen = self.listen.unwrap_or(config.listen);
        config.probe_port = self.probe_port.unwrap_or(config.probe_port);
        // A folder that was typed means SQLite, whatever the file says.
        if let Some(data) = self.data {
            (config.data, config.database) = (data, String::new());
        }
        config.database = self.database.unwrap_or(config.database);
        config.checked()
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    let args = Args::parse();
    let filter = tracing_subscriber::EnvFilter::try_from_default_env().unwrap_or_else(|_| "info".into());
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(false).init();
    match run(args).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("tandem-directory: {}", with_causes(&*error));
            ExitCode::FAILURE
        }
    }
}

async fn run(args: Args) -> Result<(), Box<dyn Error>> {
    let config = args.config()?;
    let stop = stop_signal()?;
    let server = Server::start(&config).await?;
    if !server.addresses().tls {
        tracing::info!(
            "without a certificate, http is spoken in the open: put a proxy before it (see docs/directory.md)"
        );
    }
    println!("{}", serde_json::to_string(server.addresses())?);
    stop.await;
    tracing::info!("answering what was asked, then ending");
    server.stop().await;
    Ok(())
}

/// Ready when somebody wants the program to end.
#[cfg(unix)]
fn stop_signal() -> std::io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}

/// Ready when somebody wants the program to end.
#[cfg(not(unix))]
fn stop_signal() -> std::io::Result<impl Future<Output = ()>> {
    Ok(async {
        let _ = tokio::signal::ctrl_c().await;
    })
}

fn with_causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}
