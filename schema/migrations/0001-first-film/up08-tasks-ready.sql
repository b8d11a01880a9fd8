CREATE INDEX IF NOT EXISTS tasks_ready ON tasks (ready_at, id) WHERE state = 'ready'
