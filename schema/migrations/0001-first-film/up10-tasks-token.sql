CREATE INDEX IF NOT EXISTS tasks_token ON tasks (lease_token) WHERE lease_token IS NOT NULL
