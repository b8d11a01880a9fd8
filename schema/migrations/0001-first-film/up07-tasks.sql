CREATE TABLE IF NOT EXISTS tasks (
    id UUID PRIMARY KEY,
    video_id UUID NOT NULL REFERENCES videos (id),
    kind TEXT NOT NULL CHECK (kind IN
        ('probe', 'encode', 'audio', 'poster', 'package', 'pin', 'delete')),
    place INT8 NOT NULL DEFAULT 0,
    state TEXT NOT NULL CHECK (state IN ('waiting', 'ready', 'running', 'done', 'dead', 'cancelled')),
    attempt INT8 NOT NULL DEFAULT 0,
    max_attempts INT8 NOT NULL,
    ready_at TIMESTAMPTZ NOT NULL,
    announced_at TIMESTAMPTZ,
    lease_token UUID,
    lease_until TIMESTAMPTZ,
    error JSONB,
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL,
    ended_at TIMESTAMPTZ,
    UNIQUE (video_id, kind, place),
    CHECK ((state = 'running') = (lease_token IS NOT NULL)),
    CHECK ((lease_token IS NULL) = (lease_until IS NULL))
)
