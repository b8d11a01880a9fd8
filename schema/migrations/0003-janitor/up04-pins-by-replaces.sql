CREATE INDEX IF NOT EXISTS pins_by_replaces ON pins (replaces) WHERE replaces IS NOT NULL
