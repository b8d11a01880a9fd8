INSERT INTO positions (feed, last, removed) VALUES ('events', 0, 0) ON CONFLICT (feed) DO NOTHING
