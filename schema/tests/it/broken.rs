//! Connections that break, servers that go away, answers that are lost.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use reelpin_schema::db::{Config, Db, DbError};
use reelpin_schema::secret::Secret;
use reelpin_testing::{Server, connect, database};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Barrier;
use tokio::task::JoinSet;

/// What is between a client and its server does to the next COMMIT that it sees.
const PASS: u32 = 0;
/// It is done, and its answer is lost with the connection.
const LOSE_ANSWER: u32 = 1;
/// It never arrives, and the connection is lost.
const LOSE_COMMIT: u32 = 2;
/// It never arrives, and nothing is heard any more.
const SILENCE: u32 = 3;

/// Stands between clients and a server.
struct Between {
    port: u16,
    mood: Arc<AtomicU32>,
    _owner: JoinSet<()>,
}

impl Between {
    async fn start(server: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (port, mood) = (listener.local_addr().unwrap().port(), Arc::new(AtomicU32::new(PASS)));
        let (mut owner, moods) = (JoinSet::new(), mood.clone());
        owner.spawn(async move {
            let mut all = JoinSet::new();
            while let Ok((client, _)) = listener.accept().await {
                all.spawn(carry(client, server, moods.clone()));
            }
        });
        Self { port, mood, _owner: owner }
    }

    fn database(&self) -> Db {
        let url = format!("postgresql://postgres@127.0.0.1:{}/postgres?sslmode=disable", self.port);
        Db::new(&Config { url: Secret::new(url), connections: 2 }).unwrap()
    }
}

async fn carry(mut client: TcpStream, server: u16, mood: Arc<AtomicU32>) {
    let mut server = TcpStream::connect(("127.0.0.1", server)).await.unwrap();
    let (mut up, mut down) = (vec![0; 16 << 10], vec![0; 16 << 10]);
    loop {
        tokio::select! {
            read = client.read(&mut up) => {
                let Ok(n @ 1..) = read else { return };
                let commits = up[..n].windows(6).any(|six| six == b"COMMIT");
                match if commits { mood.swap(PASS, Ordering::SeqCst) } else { PASS } {
                    LOSE_ANSWER => {
                        server.write_all(&up[..n]).await.unwrap();
                        // The answer says that it is done.
                        let _ = server.read(&mut down).await;
                        return;
                    }
                    LOSE_COMMIT => return,
                    SILENCE => std::future::pending::<()>().await,
                    _ => if server.write_all(&up[..n]).await.is_err() { return },
                }
            }
            read = server.read(&mut down) => {
                let Ok(n @ 1..) = read else { return };
                if client.write_all(&down[..n]).await.is_err() { return }
            }
        }
    }
}

async fn server() -> Server {
    Server::start(Vec::new(), &[]).await.unwrap()
}

async fn table(server: &Server) -> Db {
    let db = connect(&server.url()).unwrap();
    db.run_tx("test.table", async move |tx| {
        tx.exec("CREATE TABLE noted (id INT8 PRIMARY KEY, bodies INT8 NOT NULL)", &[]).await
    })
    .await
    .unwrap();
    db
}

/// Notes that a body ran, as often as it has, and counts the same outside.
async fn note(db: &Db, bodies: &Arc<AtomicU32>) -> Result<(), DbError> {
    let bodies = bodies.clone();
    db.run_tx("test.note", async move |tx| {
        bodies.fetch_add(1, Ordering::SeqCst);
        tx.exec(
            "INSERT INTO noted (id, bodies) VALUES (1, 1)
            ON CONFLICT (id) DO UPDATE SET bodies = noted.bodies + 1",
            &[],
        )
        .await?;
        Ok(())
    })
    .await
}

async fn noted(db: &Db) -> i64 {
    db.run_tx("test.noted", async move |tx| {
        let row = tx.opt("SELECT bodies FROM noted WHERE id = 1", &[]).await?;
        Ok::<_, DbError>(row.map_or(0, |row| row.get(0)))
    })
    .await
    .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_whose_answer_is_lost_runs_the_body_again_and_one_that_is_lost_itself_too() {
    let server = server().await;
    let own = table(&server).await;
    let between = Between::start(server.port()).await;
    let db = between.database();
    let bodies = Arc::new(AtomicU32::new(0));

    note(&db, &bodies).await.unwrap();
    assert_eq!((noted(&own).await, bodies.load(Ordering::SeqCst)), (1, 1));
    // The first of two commits counts, and so does the second: a body must be safe to run again.
    between.mood.store(LOSE_ANSWER, Ordering::SeqCst);
    note(&db, &bodies).await.unwrap();
    assert_eq!((noted(&own).await, bodies.load(Ordering::SeqCst)), (3, 3));
    // The first of two never happened.
    between.mood.store(LOSE_COMMIT, Ordering::SeqCst);
    note(&db, &bodies).await.unwrap();
    assert_eq!((noted(&own).await, bodies.load(Ordering::SeqCst)), (4, 5));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_falls_silent_is_given_up_in_time() {
    let server = server().await;
    let own = table(&server).await;
    let between = Between::start(server.port()).await;
    let (db, bodies) = (between.database(), Arc::new(AtomicU32::new(0)));
    between.mood.store(SILENCE, Ordering::SeqCst);
    let began = Instant::now();
    note(&db, &bodies).await.unwrap();
    let took = began.elapsed();
    assert!((15..25).contains(&took.as_secs()), "{took:?}");
    assert_eq!((noted(&own).await, bodies.load(Ordering::SeqCst)), (1, 2));
}

#[tokio::test]
async fn a_server_that_accepts_and_never_answers_is_told_in_time() {
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = silent.local_addr().unwrap().port();
    let url = format!("postgresql://postgres@127.0.0.1:{port}/postgres?sslmode=disable");
    let db = connect(&url).unwrap();
    let began = Instant::now();
    assert!(matches!(db.ping().await, Err(DbError::Unavailable(_))));
    assert!(began.elapsed() < Duration::from_secs(12), "{:?}", began.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_away_for_seconds_costs_nothing_but_time() {
    let server = server().await;
    let own = table(&server).await;
    let (free, bodies) = (TcpListener::bind("127.0.0.1:0").await.unwrap(), Arc::default());
    let port = free.local_addr().unwrap().port();
    drop(free);
    let url = format!("postgresql://postgres@127.0.0.1:{port}/postgres?sslmode=disable");
    let db = connect(&url).unwrap();
    let mut owner = JoinSet::new();
    let to = server.port();
    owner.spawn(async move {
        tokio::time::sleep(Duration::from_secs(2)).await;
        let listener = TcpListener::bind(("127.0.0.1", port)).await.unwrap();
        while let Ok((client, _)) = listener.accept().await {
            carry(client, to, Arc::new(AtomicU32::new(PASS))).await;
        }
    });
    note(&db, &bodies).await.unwrap();
    assert_eq!(noted(&own).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_that_were_ended_while_nobody_used_them_are_replaced_unnoticed() {
    let server = server().await;
    let own = table(&server).await;
    let url = format!("postgresql://postgres@127.0.0.1:{}/postgres", server.port());
    let db = connect(&url).unwrap();
    let bodies = Arc::new(AtomicU32::new(0));
    for round in 1..=5 {
        let mut all = JoinSet::new();
        for _ in 0..4 {
            let db = db.clone();
            all.spawn(async move { db.ping().await });
        }
        while let Some(one) = all.join_next().await {
            one.unwrap().unwrap();
        }
        let ended = own
            .run_tx("test.end", async move |tx| {
                let others = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
                    WHERE client_addr IS NOT NULL";
                Ok::<i64, DbError>(tx.opt(others, &[]).await?.unwrap().get(0))
            })
            .await
            .unwrap();
        assert!(ended > 0);
        // At once: whoever takes a connection may not know yet that it is over.
        note(&db, &bodies).await.unwrap();
        assert_eq!(noted(&own).await, round);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_conflict_that_only_the_commit_meets_is_tried_again() {
    let db = database().await.unwrap();
    db.run_tx("test.table", async move |tx| {
        tx.exec("CREATE TABLE duty (id INT8 PRIMARY KEY, here BOOL NOT NULL)", &[]).await?;
        tx.exec("INSERT INTO duty (id, here) VALUES (1, true), (2, true)", &[]).await
    })
    .await
    .unwrap();
    // Each of two may leave as long as the other is here; both look before either leaves.
    let (looked, left) = (Arc::new(Barrier::new(2)), Arc::new(Barrier::new(2)));
    let bodies = Arc::new(AtomicU32::new(0));
    let mut both = JoinSet::new();
    for id in [1_i64, 2] {
        let (db, looked, left, bodies) = (db.clone(), looked.clone(), left.clone(), bodies.clone());
        both.spawn(async move {
            db.run_tx("test.leave", async move |tx| {
                let first = bodies.fetch_add(1, Ordering::SeqCst) < 2;
                let row = tx.opt("SELECT here FROM duty WHERE id = $1", &[&(3 - id)]).await?;
                let other: bool = row.unwrap().get(0);
                if first {
                    looked.wait().await;
                }
                if other {
                    tx.exec("UPDATE duty SET here = false WHERE id = $1", &[&id]).await?;
                }
                if first {
                    left.wait().await;
                }
                Ok::<_, DbError>(other)
            })
            .await
            .unwrap()
        });
    }
    let left = [both.join_next().await.unwrap().unwrap(), both.join_next().await.unwrap().unwrap()];
    assert_eq!(left.iter().filter(|left| **left).count(), 1, "both left");
    assert!(bodies.load(Ordering::SeqCst) > 2, "nobody was tried again");
}
