CREATE TABLE IF NOT EXISTS positions (
    feed TEXT PRIMARY KEY,
    last INT8 NOT NULL CHECK (last >= 0),
    removed INT8 NOT NULL CHECK (removed >= 0)
)
