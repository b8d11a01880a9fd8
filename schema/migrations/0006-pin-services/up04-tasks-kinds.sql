ALTER TABLE tasks ADD CONSTRAINT tasks_kinds CHECK (kind IN
    ('probe', 'starter', 'encode', 'copy', 'audio', 'poster', 'digest', 'package', 'pin',
    'pin_service', 'delete'))
