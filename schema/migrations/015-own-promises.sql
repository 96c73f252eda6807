-- The queue, version 15: what our components have promised to others (field "promise" of their form), and to whom.

CREATE TABLE own_promise (
    component TEXT PRIMARY KEY,          -- of ours
    domains TEXT NOT NULL,               -- A-labels with spaces between them, that it was announced for last
    until INTEGER NOT NULL               -- ms since 1970: no later date was ever announced
) STRICT, WITHOUT ROWID;

-- Peers that have read the promise, and no form without it since.
CREATE TABLE own_promise_told (
    component TEXT NOT NULL,
    peer TEXT NOT NULL,                  -- its component
    at INTEGER NOT NULL,                 -- ms since 1970: about when it read it last
    PRIMARY KEY (component, peer)
) STRICT, WITHOUT ROWID;
