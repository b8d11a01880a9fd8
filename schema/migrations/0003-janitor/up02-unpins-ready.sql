CREATE INDEX IF NOT EXISTS unpins_ready ON unpins (ready_at)
