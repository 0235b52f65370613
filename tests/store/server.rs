//! The private PostgreSQL server of the tests themselves: it keeps what it must keep, and it leaves nothing behind.

use std::{
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use sqlx::{Connection as _, PgConnection};

use crate::support::postgres::{Keeping, Server, server};

#[tokio::test]
async fn a_durable_server_keeps_commits_on_disk_and_goes_with_its_value() {
    if server().is_none() {
        return;
    }
    let durable = Server::start(Keeping::Durable).unwrap();
    let (folder, url) = (durable.folder.clone(), durable.fresh_database().await);
    let mut connection = PgConnection::connect(&url).await.unwrap();
    for setting in ["fsync", "synchronous_commit", "full_page_writes"] {
        let show = sqlx::AssertSqlSafe(format!("show {setting}"));
        let (value,): (String,) = sqlx::query_as(show).fetch_one(&mut connection).await.unwrap();
        assert_eq!(value, "on", "{setting}");
    }
    assert!(folder.exists());
    drop(connection);
    drop(durable);
    assert!(!folder.exists(), "{} is still there", folder.display());
    assert!(PgConnection::connect(&url).await.is_err(), "it still answers");
}

/// The process that the next test kills; it waits for the end of its input, which never comes.
#[test]
#[ignore = "started and killed by another test"]
fn starts_a_server_and_waits() {
    let server = Server::start(Keeping::Fast).unwrap();
    eprintln!("\nserver {} {}", server.folder.display(), server.url("postgres"));
    let _ = std::io::stdin().read_line(&mut String::new());
}

#[tokio::test]
async fn a_killed_test_process_leaves_no_server_and_no_folder() {
    if server().is_none() {
        return;
    }
    let mut doomed = Command::new(std::env::current_exe().unwrap());
    doomed.args(["--ignored", "--exact", "--nocapture", "server::starts_a_server_and_waits"]);
    doomed.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut doomed = doomed.spawn().unwrap();
    let lines = BufReader::new(doomed.stderr.take().unwrap()).lines().map(Result::unwrap);
    let told = lines.into_iter().find(|line| line.starts_with("server ")).unwrap();
    let [_, folder, url] = told.split(' ').collect::<Vec<_>>()[..] else { panic!("{told}") };
    PgConnection::connect(url).await.unwrap().close().await.unwrap();

    doomed.kill().unwrap();
    doomed.wait().unwrap();
    let begun = Instant::now();
    while Path::new(folder).exists() {
        assert!(begun.elapsed() < Duration::from_secs(20), "{folder} is still there");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert!(PgConnection::connect(url).await.is_err(), "it still answers");
}
