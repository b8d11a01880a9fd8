CREATE INDEX IF NOT EXISTS task_waits_on ON task_waits (waits_on)
