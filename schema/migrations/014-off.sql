-- The queue, version 14: whether our mail goes by SMTP instead of over XMPP for now (packetboat off). One row, or none.

CREATE TABLE off (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    since INTEGER NOT NULL,              -- ms since 1970
    until INTEGER                        -- the same, or NULL: until an administrator ends it
) STRICT;
