-- The queue, version 2: transfers that arrive in pieces, and transfers that were called back.

CREATE TABLE partial (
    id TEXT NOT NULL,
    domain TEXT NOT NULL,
    digest BLOB NOT NULL,
    peer TEXT NOT NULL,
    file INTEGER NOT NULL,               -- what has come is in the file spool/ID
    size INTEGER NOT NULL,               -- bytes of the whole content, for which there is room on the disk
    offset INTEGER NOT NULL,             -- bytes from its start that are on the disk
    expires_at INTEGER NOT NULL,
    touched_at INTEGER NOT NULL,
    PRIMARY KEY (id, domain)
) STRICT, WITHOUT ROWID;
CREATE INDEX partial_peer ON partial (peer);
CREATE INDEX partial_file ON partial (file);
CREATE INDEX partial_touched ON partial (touched_at);

-- 1, 2: the sender called it back before it was taken, so that it never will be. Then there are no verdicts and no digest.
-- 1: nothing was known of it, which is what quotas count; 2: it was open.
ALTER TABLE verdict ADD COLUMN aborted INTEGER NOT NULL DEFAULT 0;
CREATE INDEX verdict_aborted ON verdict (aborted, peer) WHERE aborted = 1;
