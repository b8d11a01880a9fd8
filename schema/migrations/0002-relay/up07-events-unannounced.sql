CREATE INDEX IF NOT EXISTS events_unannounced ON events (position)
    WHERE announced_at IS NULL AND position IS NOT NULL
