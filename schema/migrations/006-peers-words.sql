-- The queue, version 6: what a transfer was sent as, and what peers have reported of it.

-- 1: it goes, or was sent, with the parameters of RFC 3461. A repetition has to be as the first was.
ALTER TABLE transfer ADD COLUMN dsn INTEGER NOT NULL DEFAULT 1;

-- What its sender was told by the peer that had taken it: Step of queue/taken_reports.cpp.
ALTER TABLE recipient ADD COLUMN reported INTEGER NOT NULL DEFAULT 0;
-- When that was, in ms since 1970: a delay may be told again a day later.
ALTER TABLE recipient ADD COLUMN reported_at INTEGER NOT NULL DEFAULT 0;
