CREATE INDEX IF NOT EXISTS videos_list ON videos (id) WHERE upload_status <> 'deleted'
