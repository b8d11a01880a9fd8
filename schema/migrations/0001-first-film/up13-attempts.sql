CREATE TABLE IF NOT EXISTS attempts (
    task_id UUID NOT NULL,
    attempt INT8 NOT NULL,
    token UUID NOT NULL,
    video_id UUID NOT NULL REFERENCES videos (id),
    worker TEXT NOT NULL,
    started_at TIMESTAMPTZ NOT NULL,
    closed_at TIMESTAMPTZ,
    PRIMARY KEY (task_id, attempt)
)
