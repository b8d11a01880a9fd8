CREATE INDEX IF NOT EXISTS attempts_video ON attempts (video_id)
