CREATE INDEX IF NOT EXISTS pins_cid ON pins (cid)
