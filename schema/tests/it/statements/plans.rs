//! Every statement as a real server understands it: it can be prepared, and it reads no table that
//! grows from one end to the other.

use reelpin_schema::db::{Listed, Purpose, listed};
use reelpin_testing::{connect, postgres, served};
use serde_json::Value;
use tokio::task::JoinSet;
use tokio_postgres::{Client, NoTls, SimpleQueryMessage};

/// Tables that grow with the videos.
const GROWING: &[&str] = &[
    "videos",
    "transcodes",
    "transcode_segments",
    "files",
    "tasks",
    "task_waits",
    "attempts",
    "events",
    "pins",
    "unpins",
];

/// Indices that hold nothing but what is still to be done; to walk along one is not to read its table.
const TO_DO: &[&str] = &["events_unannounced", "events_unnumbered", "tasks_ready", "tasks_running"];

/// Statements that may walk along an index without a condition on it: name, index, and why.
const WALKS: &[(&str, &str, &str)] = &[(
    "unpin.due",
    "unpins_ready",
    "all of the table is still to be done, and it is read in order up to a limit",
)];

/// A raw client of a fresh, migrated database, and what moves it along.
async fn client(url: &str) -> (Client, JoinSet<()>) {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
    let mut owner = JoinSet::new();
    owner.spawn(async move { connection.await.unwrap() });
    (client, owner)
}

fn statements() -> Vec<Listed> {
    listed().into_iter().filter(|one| one.purpose == Purpose::Statement).collect()
}

async fn every_statement_can_be_prepared(url: &str) {
    connect(url).unwrap().migrate().await.unwrap();
    let (client, _owner) = client(url).await;
    let mut bad = Vec::new();
    for one in statements() {
        if let Err(e) = client.prepare(one.sql).await {
            bad.push(format!("{}: {e:?}", one.name));
        }
    }
    assert!(bad.is_empty(), "{}", bad.join("\n"));
    for one in listed().iter().filter(|one| one.purpose == Purpose::Session) {
        client.batch_execute(one.sql).await.unwrap_or_else(|e| panic!("{}: {e:?}", one.name));
    }
    // All migrations once more: each is safe to apply twice, in this order.
    for one in listed().iter().filter(|one| one.purpose == Purpose::Migration) {
        client.batch_execute(one.sql).await.unwrap_or_else(|e| panic!("{}: {e:?}", one.name));
    }
}

#[tokio::test]
async fn postgres_prepares_every_statement() {
    every_statement_can_be_prepared(&postgres().await.unwrap()).await;
}

#[tokio::test]
async fn contract_of_the_named_database_every_statement_can_be_prepared() {
    match served().await.unwrap() {
        Some(url) => every_statement_can_be_prepared(&url).await,
        None => println!("not run: REELPIN_TEST_DATABASE_URL names no database"),
    }
}

/// Rows as after some years: most of everything is over. Constraints hold for them too.
const YEARS: &str = "
INSERT INTO videos (id, file_id, title, description, filename, file_path, file_size, upload_status,
        ticket_until, look_at, events, created_at, updated_at, ended_at)
    SELECT ('00000000-0000-7000-8000-' || lpad(n::TEXT, 12, '0'))::UUID, gen_random_uuid(), 't', 'd', 'f',
        'p' || n, 1, CASE WHEN n % 50 = 0 THEN 'pending' WHEN n % 10 = 0 THEN 'deleted' ELSE 'completed' END,
        now(), now() + n * INTERVAL '1 s', 8, now(), now(), now()
    FROM generate_series(1, 3000) n;
INSERT INTO transcodes (id, video_id, format, resolution, storage_type, type, created_at, updated_at)
    SELECT gen_random_uuid(), v.id, 'hls', n || 'p', 's3', 'transcode', now(), now()
    FROM videos v, generate_series(1, 4) n;
INSERT INTO transcode_segments (transcode_id, sequence, file_path, file_cid, storage_type, duration,
        duration_ticks, size, created_at)
    SELECT t.id, n, t.id || '/' || n, 'c', 's3', 1, 1, 1, now() FROM transcodes t, generate_series(0, 9) n;
INSERT INTO files (video_id, role, path, cid, size, created_at)
    SELECT v.id, role, role || v.id, 'c', 1, now() FROM videos v, unnest(ARRAY['master', 'poster']) role;
INSERT INTO tasks (id, video_id, kind, place, state, max_attempts, ready_at, lease_token, lease_until,
        created_at, updated_at, ended_at)
    SELECT gen_random_uuid(), v.id, kind, 0, state, 5, now(),
        CASE WHEN state = 'running' THEN gen_random_uuid() END, CASE WHEN state = 'running' THEN now() END,
        now(), now(), now()
    FROM (SELECT v.id, kind, (ARRAY['ready', 'running', 'dead', 'waiting', 'cancelled'])
            [CASE WHEN random() < 0.05 THEN (random() * 4)::INT + 1 ELSE 9 END] AS state
        FROM videos v, unnest(ARRAY['probe', 'starter', 'encode', 'audio', 'poster', 'package', 'pin', 'delete']) kind) w
    JOIN videos v ON v.id = w.id WHERE state IS NOT NULL
    UNION ALL SELECT gen_random_uuid(), v.id, 'digest', n, 'done', 5, now(), NULL, NULL, now(), now(), now()
    FROM videos v, generate_series(0, 6) n;
INSERT INTO task_waits (task_id, waits_on)
    SELECT a.id, b.id FROM tasks a JOIN tasks b ON a.video_id = b.video_id AND a.place < b.place AND b.place < 3;
INSERT INTO attempts (task_id, attempt, token, video_id, worker, started_at, closed_at)
    SELECT id, 1, gen_random_uuid(), video_id, 'w', now(), now() FROM tasks;
INSERT INTO events (video_id, seq, at, name, data, position, announced_at)
    SELECT v.id, n, now(), 'planned', '{}', row_number() OVER (), now() FROM videos v, generate_series(1, 8) n;
INSERT INTO pins (video_id, target, role, cid, state, created_at, updated_at, replaces)
    SELECT v.id, 'node', role, role || v.id, 'pinned', now(), now(), CASE WHEN random() < 0.1 THEN 'r' || v.id END
    FROM videos v, unnest(ARRAY['published', 'original']) role;
INSERT INTO unpins (target, cid, state, ready_at, settles_at, created_at, updated_at)
    SELECT 'node', 'c' || n, 'waiting', now() + n * INTERVAL '1 s', now(), now(), now()
    FROM generate_series(1, 5000) n;
ANALYZE;
SET plan_cache_mode = force_generic_plan;
SET jit = off;
SET enable_seqscan = off";

/// The plan of a statement whose parameters nobody knows.
async fn plan(client: &Client, sql: &str) -> Value {
    let parameters = client.prepare(sql).await.unwrap().params().len();
    let values = vec!["NULL"; parameters].join(", ");
    let values = if values.is_empty() { values } else { format!("({values})") };
    client.batch_execute(&format!("PREPARE looked AS {sql}")).await.unwrap();
    let explain = format!("EXPLAIN (FORMAT JSON) EXECUTE looked{values}");
    let answer = client.simple_query(&explain).await.unwrap();
    client.batch_execute("DEALLOCATE looked").await.unwrap();
    let text = answer.iter().find_map(|message| match message {
        SimpleQueryMessage::Row(row) => row.get(0),
        _ => None,
    });
    serde_json::from_str(text.unwrap()).unwrap()
}

/// Every scan of a growing table in a plan that reads all of it, or all of an index: table and how.
fn walks(plan: &Value, found: &mut Vec<(String, String)>) {
    match plan {
        Value::Array(all) => all.iter().for_each(|one| walks(one, found)),
        Value::Object(node) => {
            let text = |key| node.get(key).and_then(Value::as_str).unwrap_or_default();
            let kind = text("Node Type");
            let bounded = kind == "Bitmap Heap Scan" || node.contains_key("Index Cond");
            if kind.contains("Scan") && !bounded && GROWING.contains(&text("Relation Name")) {
                let index = text("Index Name");
                if !TO_DO.contains(&index) {
                    found.push((text("Relation Name").into(), format!("{kind} {index}")));
                }
            }
            node.values().for_each(|one| walks(one, found));
        }
        _ => {}
    }
}

#[tokio::test]
async fn no_statement_reads_a_growing_table_from_end_to_end() {
    let url = postgres().await.unwrap();
    let (client, _owner) = client(&url).await;
    client.batch_execute(YEARS).await.unwrap();
    let (mut bad, mut excused) = (Vec::new(), Vec::new());
    for one in statements() {
        let mut found = Vec::new();
        walks(&plan(&client, one.sql).await, &mut found);
        for (table, how) in found {
            match WALKS.iter().find(|(name, walk, _)| *name == one.name && how.ends_with(walk)) {
                Some((name, ..)) => excused.push(*name),
                None => bad.push(format!("{}: {how} on {table}", one.name)),
            }
        }
    }
    assert!(bad.is_empty(), "{}", bad.join("\n"));
    for (name, ..) in WALKS {
        assert!(excused.contains(name), "{name} needs no excuse any more");
    }
}
