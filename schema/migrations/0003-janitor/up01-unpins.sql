CREATE TABLE IF NOT EXISTS unpins (
    target TEXT NOT NULL,
    cid TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('waiting', 'releasing')),
    call UUID,
    ready_at TIMESTAMPTZ NOT NULL,
    settles_at TIMESTAMPTZ NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (target, cid),
    CHECK ((state = 'releasing') = (call IS NOT NULL))
)
