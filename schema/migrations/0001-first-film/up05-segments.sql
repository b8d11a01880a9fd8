CREATE TABLE IF NOT EXISTS transcode_segments (
    transcode_id UUID NOT NULL REFERENCES transcodes (id),
    sequence INT8 NOT NULL CHECK (sequence >= 0),
    file_path TEXT NOT NULL,
    file_cid TEXT NOT NULL,
    storage_type TEXT NOT NULL CHECK (storage_type = 's3'),
    duration DECIMAL NOT NULL,
    duration_ticks INT8 NOT NULL CHECK (duration_ticks > 0),
    size INT8 NOT NULL CHECK (size > 0),
    created_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (transcode_id, sequence)
)
