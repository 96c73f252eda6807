-- The queue, version 4: components that are taken out of service.

-- Such a component takes no new transfers and sends none, over restarts, too.
CREATE TABLE retired (
    component TEXT PRIMARY KEY,
    at INTEGER NOT NULL                  -- ms since 1970
) STRICT;
