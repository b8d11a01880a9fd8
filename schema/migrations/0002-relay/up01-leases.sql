CREATE TABLE IF NOT EXISTS leases (
    name TEXT PRIMARY KEY,
    token UUID NOT NULL,
    lease_until TIMESTAMPTZ NOT NULL,
    note TEXT
)
