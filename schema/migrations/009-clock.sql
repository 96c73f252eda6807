-- The queue, version 9: what is known of the host's clock, so that a start can tell whether it may be right. One row.

CREATE TABLE clock (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    believed_at INTEGER NOT NULL,        -- ms since 1970: its last time that was believed
    forget_from INTEGER NOT NULL         -- no verdict is forgotten before it shows this
) STRICT;
