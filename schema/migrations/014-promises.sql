-- The queue, version 14: promises of peers that mail of a domain comes over XMPP only (the closed lane). Times are in ms
-- since 1970. Bounded by the program (queue/peers/promise_book).

CREATE TABLE promise (
    domain TEXT PRIMARY KEY,             -- A-labels
    component TEXT NOT NULL,             -- that speaks for it
    first_read INTEGER NOT NULL,
    last_read INTEGER NOT NULL,
    until INTEGER NOT NULL,
    counts INTEGER NOT NULL,             -- it was read twice, far enough apart
    bound TEXT NOT NULL                  -- domains of ours, A-labels: mail of it to each had a verdict; with blanks between
) STRICT, WITHOUT ROWID;
