CREATE INDEX IF NOT EXISTS videos_look ON videos (look_at) WHERE upload_status = 'pending'
