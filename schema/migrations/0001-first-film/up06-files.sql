CREATE TABLE IF NOT EXISTS files (
    video_id UUID NOT NULL REFERENCES videos (id),
    role TEXT NOT NULL CHECK (role IN ('master', 'poster')),
    path TEXT NOT NULL,
    cid TEXT NOT NULL,
    size INT8 NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (video_id, role)
)
