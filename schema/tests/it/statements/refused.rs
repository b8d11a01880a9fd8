//! Statements that must not get through, as a table.

use super::vocabulary::{complaints, given};

#[test]
fn what_only_one_database_takes_is_refused_with_the_reason() {
    let table = [
        ("SELECT id FROM tasks LIMIT 1 FOR UPDATE SKIP LOCKED", "SKIP: "),
        ("SELECT id FROM tasks LIMIT 1 for update", "for: "),
        ("LISTEN tasks", "LISTEN: "),
        ("NOTIFY tasks", "NOTIFY: "),
        ("SELECT pg_advisory_xact_lock(1)", "pg_advisory_xact_lock: "),
        ("SELECT pg_notify('a', 'b')", "pg_notify: "),
        ("LOCK TABLE tasks", "LOCK: "),
        ("SELECT xmax FROM tasks", "xmax: "),
        ("DELETE FROM tasks WHERE ctid = $1", "ctid: "),
        ("SELECT now() + make_interval(secs => 5)", "make_interval: "),
        ("SELECT now() - INTERVAL '1 s'", "INTERVAL: "),
        ("SELECT clock_timestamp()", "clock_timestamp: "),
        ("SELECT 'tasks'::regclass", "regclass: "),
        ("DO $$ BEGIN END $$", "$: "),
        ("SELECT E'\\n'", "E: "),
        ("SELECT 'it''s'", "': "),
        ("SELECT \"id\" FROM tasks", "\": "),
        ("CREATE TABLE tasks (id SERIAL PRIMARY KEY)", "SERIAL: "),
        ("CREATE TABLE tasks (id INTEGER PRIMARY KEY)", "INTEGER: "),
        ("CREATE TABLE tasks (id INT8, error JSON)", "JSON: "),
        ("CREATE TABLE tasks (id INT8, ready_at TIMESTAMP)", "TIMESTAMP: "),
        ("CREATE SEQUENCE tasks", "SEQUENCE: "),
        ("CREATE TYPE state AS ENUM ('a')", "ENUM: "),
        ("CREATE TRIGGER tasks", "TRIGGER: "),
        ("CREATE EXTENSION tasks", "EXTENSION: "),
        ("CREATE INDEX CONCURRENTLY tasks ON tasks (id)", "CONCURRENTLY: "),
        ("ALTER TABLE tasks ADD UNIQUE (id) DEFERRABLE", "DEFERRABLE: "),
        (
            "INSERT INTO tasks (id) VALUES ($1) ON CONFLICT ON CONSTRAINT tasks_kinds DO NOTHING",
            "CONFLICT ON: ",
        ),
        ("INSERT INTO tasks (id) VALUES ($1) ON CONFLICT DO NOTHING", "CONFLICT DO: "),
        ("INSERT INTO task_waits (task_id, waits_on) SELECT $1, id FROM tasks", "SELECT $: "),
        ("SELECT * FROM tasks", "SELECT *: "),
        ("SELECT id FROM tasks AS OF SYSTEM TIME '-1s'", "SYSTEM: "),
        ("UPSERT INTO tasks (id) VALUES ($1)", "UPSERT: "),
        ("SELECT error @> $1 FROM tasks", "@>: "),
        ("SELECT id FROM tasks WHERE kind ~ 'a'", "~: "),
        ("SELECT id FROM tasks WHERE nobody = 1", "nobody: "),
        ("Select id FROM tasks", "Select: "),
        ("SELECT $1::INT4", "INT4: "),
        ("SAVEPOINT cockroach_restart", "SAVEPOINT: "),
        ("SELECT to_char(now(), 'YYYY')", "to_char: "),
        ("SELECT id FROM tasks ORDER BY ready_at NULLS LAST", "NULLS: "),
    ];
    let names = given();
    for (sql, complaint) in table {
        let found = complaints(sql, &names);
        assert!(found.iter().any(|one| one.starts_with(complaint)), "{sql}: {found:?}");
    }
}

#[test]
fn what_both_take_is_let_through() {
    let names = given();
    for sql in [
        "SELECT id FROM tasks WHERE state = 'ready' AND kind = ANY($1) ORDER BY ready_at LIMIT 1",
        "UPDATE tasks SET state = $2, attempt = attempt + 1 WHERE id = $1 RETURNING id, attempt",
        "INSERT INTO task_waits (task_id, waits_on) SELECT $1::UUID, id FROM tasks",
        "-- SKIP LOCKED in a comment\nSELECT count(*) FROM tasks",
        "SELECT 'SKIP LOCKED; LISTEN'",
    ] {
        assert_eq!(complaints(sql, &names), Vec::<String>::new(), "{sql}");
    }
}
