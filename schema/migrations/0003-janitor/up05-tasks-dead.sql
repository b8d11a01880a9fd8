CREATE INDEX IF NOT EXISTS tasks_dead ON tasks (id) WHERE state = 'dead'
