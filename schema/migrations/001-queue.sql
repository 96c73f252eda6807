-- The queue, version 1. Times are milliseconds since 1970, UTC. Applied by queue/database.cpp in one
-- transaction, which also sets PRAGMA user_version to the number of this file.

CREATE TABLE message (
    id INTEGER PRIMARY KEY,              -- QueueId: microseconds since 1970, so rows are in order of arrival
    received_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    sender TEXT NOT NULL,                -- reverse-path; empty is the null one
    body INTEGER NOT NULL,               -- mail::Body
    smtputf8 INTEGER NOT NULL,
    requiretls INTEGER NOT NULL,
    ret INTEGER NOT NULL,                -- mail::Ret
    envid TEXT NOT NULL,
    origin_kind INTEGER NOT NULL,        -- queue::Origin::Kind
    origin_client TEXT NOT NULL,
    origin_helo TEXT NOT NULL,
    origin_domain TEXT NOT NULL,         -- the key of the transfer that brought it; empty if none did
    origin_transfer TEXT NOT NULL,
    origin_component TEXT NOT NULL,
    size INTEGER NOT NULL,               -- bytes of content
    message_id TEXT NOT NULL,            -- of the header, for trace
    header_from TEXT NOT NULL,
    pending INTEGER NOT NULL,            -- recipients that have not ended
    ended_at INTEGER                     -- when the last of them did; then there is no content any more
) STRICT;

-- Ids of transfers are time-ordered, so these indexes grow at their right edge. For trace.
CREATE INDEX message_origin ON message (origin_transfer) WHERE origin_transfer <> '';

-- History goes by this.
CREATE INDEX message_ended ON message (ended_at) WHERE ended_at IS NOT NULL;

CREATE TABLE content (
    message INTEGER PRIMARY KEY,
    bytes BLOB                           -- NULL: in the file content/ID
) STRICT;

CREATE TABLE destination (
    id INTEGER PRIMARY KEY,
    lane INTEGER NOT NULL,               -- queue::Lane
    component TEXT NOT NULL,
    domain TEXT NOT NULL,
    UNIQUE (lane, component, domain)
) STRICT;

CREATE TABLE recipient (
    message INTEGER NOT NULL,
    n INTEGER NOT NULL,
    destination INTEGER NOT NULL,
    address TEXT NOT NULL,
    notify INTEGER NOT NULL,             -- bits: 1 never, 2 success, 4 failure, 8 delay
    orcpt TEXT NOT NULL,
    state INTEGER NOT NULL,              -- queue::State
    attempts INTEGER NOT NULL,
    due_at INTEGER NOT NULL,
    transfer INTEGER,                    -- transfer.number it was last given to, until a verdict settles it
    code INTEGER,                        -- the last reply, whatever it was
    status TEXT,
    reply TEXT,
    remote TEXT,
    ended_at INTEGER,
    PRIMARY KEY (message, n)
) STRICT, WITHOUT ROWID;

-- What may be leased, and next.
CREATE INDEX recipient_due ON recipient (destination, due_at, message) WHERE state IN (1, 3);

CREATE TABLE transfer (
    number INTEGER PRIMARY KEY,
    id TEXT NOT NULL,
    domain TEXT NOT NULL,
    message INTEGER NOT NULL,
    peer TEXT NOT NULL,                  -- the component it goes to, and to no other
    sends INTEGER NOT NULL,              -- attempts in which a stanza with this id may have left
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT;
CREATE INDEX transfer_message ON transfer (message);
CREATE INDEX transfer_id ON transfer (id);

-- What peers were answered. Ids are time-ordered, so both trees grow at their right edge.
CREATE TABLE verdict (
    id TEXT NOT NULL,
    domain TEXT NOT NULL,
    digest BLOB NOT NULL,
    peer TEXT NOT NULL,
    message INTEGER,                     -- NULL if every recipient was refused
    verdicts TEXT NOT NULL,              -- lines of: n code status text
    expires_at INTEGER NOT NULL,         -- of the transfer; kept an hour longer
    PRIMARY KEY (id, domain)
) STRICT, WITHOUT ROWID;
CREATE INDEX verdict_expiry ON verdict (expires_at);

-- What is not to be seen from the other tables: deferrals, changes of lane, reports.
CREATE TABLE event (
    id INTEGER PRIMARY KEY,
    message INTEGER NOT NULL,
    at INTEGER NOT NULL,
    n INTEGER,                           -- the recipient, or NULL
    what TEXT NOT NULL,
    detail TEXT NOT NULL
) STRICT;
CREATE INDEX event_message ON event (message);

CREATE TABLE peer (
    domain TEXT PRIMARY KEY,
    component TEXT NOT NULL,
    first_seen INTEGER NOT NULL,
    last_seen INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
