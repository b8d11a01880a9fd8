CREATE INDEX IF NOT EXISTS videos_overdue ON videos (ticket_until, id) WHERE upload_status = 'pending'
