CREATE UNIQUE INDEX IF NOT EXISTS events_by_position ON events (position) WHERE position IS NOT NULL
