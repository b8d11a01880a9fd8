CREATE TABLE IF NOT EXISTS pins (
    video_id UUID NOT NULL REFERENCES videos (id),
    target TEXT NOT NULL,
    role TEXT NOT NULL CHECK (role IN ('published', 'original')),
    cid TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('queued', 'pinning', 'pinned', 'failed')),
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (video_id, target, role)
)
