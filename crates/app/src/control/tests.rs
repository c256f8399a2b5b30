use super::*;
use crate::{
    message::Code,
    profile::{Profile, ProfileLock},
};
use serde_json::json;
use std::{fs, path::Path, time::Duration};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::UnixStream,
    sync::broadcast,
    task::JoinHandle,
    time::timeout,
};

/// An instance whose only command repeats what it is told.
struct Running {
    events: broadcast::Sender<Value>,
    serving: JoinHandle<()>,
    lock: ProfileLock,
}

impl Running {
    fn start(profile: &Profile) -> Self {
        let lock = profile.lock().unwrap();
        let server = ControlServer::bind(&lock).unwrap();
        let (events, _) = broadcast::channel(8);
        Self { serving: tokio::spawn(server.serve(answer, events.clone())), events, lock }
    }

    async fn stop(self) {
        self.serving.abort();
        let _ = self.serving.await;
    }
}

async fn answer(command: String, request: Value) -> Result<Value, Problem> {
    match command.as_str() {
        "repeat" => Ok(request),
        "slowly" => {
            tokio::time::sleep(Duration::from_millis(200)).await;
            Ok(request)
        }
        "much" => Ok(Value::String("x".repeat(LINE_BYTES_MAX))),
        "write" => {
            tokio::time::sleep(Duration::from_millis(100)).await;
            fs::write(request.as_str().unwrap(), "done").unwrap();
            Ok(Value::Null)
        }
        other => Err(Problem::new(Code::NoSuchFolder).with("folder", other)),
    }
}

fn profile() -> (tempfile::TempDir, Profile) {
    let home = tempfile::tempdir().unwrap();
    let profile = Profile::in_folder(home.path());
    (home, profile)
}

async fn connected(profile: &Profile) -> ControlClient {
    ControlClient::connect(profile).await.unwrap().expect("an instance is running")
}

async fn raw(profile: &Profile) -> UnixStream {
    UnixStream::connect(fs::read_to_string(profile.control_address_file()).unwrap()).await.unwrap()
}

async fn soon<F: Future>(future: F) -> F::Output {
    timeout(Duration::from_secs(10), future).await.expect("it happens soon")
}

#[tokio::test]
async fn a_command_is_answered_and_a_problem_keeps_its_code_and_facts() {
    let (_home, profile) = profile();
    let running = Running::start(&profile);
    let client = connected(&profile).await;
    assert_eq!(client.call("repeat", json!({"a": "b\nc"})).await.unwrap(), json!({"a": "b\nc"}));
    let problem = client.call("Kalender", Value::Null).await.unwrap_err();
    assert_eq!(problem, Problem::new(Code::NoSuchFolder).with("folder", "Kalender"));
    running.stop().await;
}

#[tokio::test]
async fn where_nothing_runs_nothing_is_found() {
    let (_home, profile) = profile();
    assert!(ControlClient::connect(&profile).await.unwrap().is_none());
    Running::start(&profile).stop().await;
    assert!(ControlClient::connect(&profile).await.unwrap().is_none());
    assert!(!profile.control_address_file().exists(), "an orderly end leaves nothing behind");
}

#[tokio::test]
async fn what_a_crash_leaves_behind_is_not_in_the_way() {
    let (_home, profile) = profile();
    {
        // A socket nobody listens at, and the address of it, as `kill -9` leaves them.
        let lock = profile.lock().unwrap();
        let server = ControlServer::bind(&lock).unwrap();
        let address = fs::read_to_string(profile.control_address_file()).unwrap();
        drop(server);
        drop(std::os::unix::net::UnixListener::bind(&address).unwrap());
        fs::write(profile.control_address_file(), &address).unwrap();
    }
    assert!(ControlClient::connect(&profile).await.unwrap().is_none());
    let running = Running::start(&profile);
    assert_eq!(connected(&profile).await.call("repeat", json!(1)).await.unwrap(), json!(1));
    running.stop().await;
}

#[tokio::test]
async fn slow_work_does_not_hold_up_quick_answers() {
    let (_home, profile) = profile();
    let running = Running::start(&profile);
    let client = connected(&profile).await;
    let order = std::sync::Mutex::new(Vec::new());
    let ask = async |command: &'static str| {
        client.call(command, json!(command)).await.unwrap();
        order.lock().unwrap().push(command);
    };
    tokio::join!(ask("slowly"), ask("repeat"));
    assert_eq!(*order.lock().unwrap(), ["repeat", "slowly"]);
    running.stop().await;
}

#[tokio::test]
async fn many_callers_at_once_each_get_their_own_answers() {
    let (_home, profile) = profile();
    let running = Running::start(&profile);
    let mut callers = tokio::task::JoinSet::new();
    for caller in 0..20 {
        let profile = profile.clone();
        callers.spawn(async move {
            let client = connected(&profile).await;
            for call in 0..20 {
                let request = json!([caller, call]);
                assert_eq!(client.call("repeat", request.clone()).await.unwrap(), request);
            }
        });
    }
    while let Some(outcome) = callers.join_next().await {
        outcome.unwrap();
    }
    running.stop().await;
}

#[tokio::test]
async fn whoever_subscribed_hears_what_happens_and_how_much_was_missed() {
    let (_home, profile) = profile();
    let running = Running::start(&profile);
    let client = connected(&profile).await;
    let mut events = client.events().await.unwrap();
    running.events.send(json!({"event": "listening"})).unwrap();
    assert_eq!(soon(events.recv()).await, Some(Event::Happened(json!({"event": "listening"}))));

    // No task runs between these: the forwarding one finds more than the eight places hold.
    for number in 0..20 {
        running.events.send(json!(number)).unwrap();
    }
    assert_eq!(soon(events.recv()).await, Some(Event::Missed(12)));
    assert_eq!(soon(events.recv()).await, Some(Event::Happened(json!(12))));
    assert!(client.events().await.is_err(), "there is one stream of events");
    assert_eq!(client.call("repeat", json!(1)).await.unwrap(), json!(1), "calls go on beside it");
    running.stop().await;
}

#[tokio::test]
async fn a_caller_hears_when_the_instance_ends() {
    let (_home, profile) = profile();
    let running = Running::start(&profile);
    let client = connected(&profile).await;
    let mut events = client.events().await.unwrap();
    let call = client.call("slowly", Value::Null);
    let (outcome, ()) = soon(async { tokio::join!(call, running.stop()) }).await;
    assert_eq!(outcome.unwrap_err().code, Code::NotRunning);
    assert_eq!(soon(events.recv()).await, None);
    assert_eq!(client.call("repeat", Value::Null).await.unwrap_err().code, Code::NotRunning);
}

#[tokio::test]
async fn what_was_asked_for_is_done_even_if_the_caller_goes_away() {
    let (home, profile) = profile();
    let running = Running::start(&profile);
    let file = home.path().join("written");
    let mut caller = raw(&profile).await;
    let request = json!({"id": 1, "command": "write", "request": file.to_str().unwrap()});
    caller.write_all(format!("{request}\n").as_bytes()).await.unwrap();
    drop(caller);
    soon(async {
        while !file.exists() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    })
    .await;
    running.stop().await;
}

#[tokio::test]
async fn an_endless_or_senseless_line_ends_only_that_connection() {
    let (_home, profile) = profile();
    let running = Running::start(&profile);
    for damage in [vec![b'x'; LINE_BYTES_MAX + 1], b"{\"id\":\n".to_vec(), b"[1,2]\n".to_vec(), b"\xff\n".to_vec()] {
        let mut caller = raw(&profile).await;
        let _ = caller.write_all(&damage).await;
        // The end, or a reset where we were still writing; never an answer.
        assert_eq!(soon(caller.read(&mut [0; 1])).await.unwrap_or(0), 0);
    }
    assert_eq!(connected(&profile).await.call("repeat", json!(1)).await.unwrap(), json!(1));
    running.stop().await;
}

#[tokio::test]
async fn a_request_or_an_answer_too_long_for_a_line_is_said_to_be() {
    let (_home, profile) = profile();
    let running = Running::start(&profile);
    let client = connected(&profile).await;
    let request = Value::String("x".repeat(LINE_BYTES_MAX));
    assert_eq!(client.call("repeat", request).await.unwrap_err().code, Code::NotUnderstood);
    assert_eq!(soon(client.call("much", Value::Null)).await.unwrap_err().code, Code::Unexpected);
    assert_eq!(client.call("repeat", json!(1)).await.unwrap(), json!(1));
    running.stop().await;
}

#[tokio::test]
async fn the_socket_is_its_owners_alone() {
    use std::os::unix::fs::PermissionsExt;
    let (_home, profile) = profile();
    let running = Running::start(&profile);
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&profile.control_socket()), 0o600);
    assert_eq!(mode(&profile.control_address_file()), 0o600);
    running.stop().await;
}

#[tokio::test]
async fn a_profile_at_the_end_of_a_long_path_is_reached_too() {
    let (home, _) = profile();
    let profile = Profile::in_folder(&home.path().join("deep".repeat(40)));
    let running = Running::start(&profile);
    assert!(!profile.control_socket().exists());
    let address = fs::read_to_string(running.lock.profile().control_address_file()).unwrap();
    assert_eq!(connected(&profile).await.call("repeat", json!(1)).await.unwrap(), json!(1));
    running.stop().await;
    assert!(!Path::new(&address).exists());
}
