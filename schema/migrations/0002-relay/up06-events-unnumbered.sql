CREATE INDEX IF NOT EXISTS events_unnumbered ON events (at, video_id, seq) WHERE position IS NULL
