CREATE TABLE IF NOT EXISTS task_waits (
    task_id UUID NOT NULL REFERENCES tasks (id),
    waits_on UUID NOT NULL REFERENCES tasks (id),
    PRIMARY KEY (task_id, waits_on)
)
