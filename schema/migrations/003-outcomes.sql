-- The queue, version 3: what a sender hears, what is damaged, and which mail goes first.

-- Bytes at the start of the content that are its header; what a report returns when the content is gone.
ALTER TABLE message ADD COLUMN header_size INTEGER NOT NULL DEFAULT 0;
-- Why it is in quarantine: its recipients are held until somebody has looked. NULL: it is sound.
ALTER TABLE message ADD COLUMN damage TEXT;
-- Reports that were sent to the component that it came from: the last one's seq.
ALTER TABLE message ADD COLUMN reports INTEGER NOT NULL DEFAULT 0;
-- Its history begins to age here: when it ended, or later while reports on it may come from peers.
ALTER TABLE message ADD COLUMN kept_from INTEGER;
UPDATE message SET kept_from = ended_at;
DROP INDEX message_ended;
CREATE INDEX message_kept ON message (kept_from) WHERE kept_from IS NOT NULL;

-- 0 interactive, 1 bulk, 2 large: queue::Class.
ALTER TABLE recipient ADD COLUMN class INTEGER NOT NULL DEFAULT 0;
-- 1 once the sender was told of the delay, or wanted to hear nothing of it.
ALTER TABLE recipient ADD COLUMN warned INTEGER NOT NULL DEFAULT 0;
DROP INDEX recipient_due;
CREATE INDEX recipient_due ON recipient (destination, class, due_at, message) WHERE state IN (1, 3);

-- The headers of messages that peers have taken, for reports that come later. They go with the message's row.
CREATE TABLE header (
    message INTEGER PRIMARY KEY,
    bytes BLOB NOT NULL
) STRICT;

-- Reports that came from peers on transfers of ours, so that none counts twice.
CREATE TABLE report (
    transfer INTEGER NOT NULL,           -- transfer.number
    seq INTEGER NOT NULL,
    PRIMARY KEY (transfer, seq)
) STRICT, WITHOUT ROWID;

-- Few, and looked at every minute.
CREATE INDEX message_damage ON message (expires_at) WHERE damage IS NOT NULL;
