CREATE INDEX IF NOT EXISTS tasks_unannounced ON tasks (ready_at, id)
    WHERE state = 'ready' AND announced_at IS NULL
