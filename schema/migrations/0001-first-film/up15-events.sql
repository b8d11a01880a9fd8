CREATE TABLE IF NOT EXISTS events (
    video_id UUID NOT NULL REFERENCES videos (id),
    seq INT8 NOT NULL CHECK (seq > 0),
    at TIMESTAMPTZ NOT NULL,
    name TEXT NOT NULL CHECK (name IN
        ('uploaded', 'probed', 'planned', 'playable', 'rung_added', 'rung_completed', 'completed',
         'published', 'pinned', 'failed', 'cancelled', 'retried', 'deleted')),
    data JSONB NOT NULL,
    announced_at TIMESTAMPTZ,
    PRIMARY KEY (video_id, seq)
)
