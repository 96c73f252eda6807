-- The queue, version 13: complaints: which mail may be complained of for 30 days, and who has been complained of. There is no
-- content in it. A day is the number of days since 1970, UTC.

-- Transfers of peers that were taken, where complaints are sent. They come in the order of their numbers.
CREATE TABLE received_transfer (
    number INTEGER PRIMARY KEY,
    id TEXT NOT NULL,
    domain TEXT NOT NULL,
    peer TEXT NOT NULL,                  -- the component that sent it
    component TEXT NOT NULL,             -- ours
    at INTEGER NOT NULL,                 -- ms since 1970
    mail BLOB NOT NULL,                  -- 8 octets of a digest of its Message-ID; empty if it has none
    recipients BLOB NOT NULL,            -- 8 octets of a digest of each address that was taken
    votes INTEGER NOT NULL,              -- of recipients that complain now
    told INTEGER NOT NULL,               -- the peer: 0 nothing, 1 that it is spam, 2 that it is not after all
    due_at INTEGER,                      -- since when there is something to tell; NULL: there is nothing
    UNIQUE (id, domain)
) STRICT;
CREATE INDEX received_transfer_due ON received_transfer (peer, component, number) WHERE due_at IS NOT NULL;

-- What recipients have said of them.
CREATE TABLE complaint_vote (
    transfer INTEGER NOT NULL,           -- received_transfer.number
    recipient BLOB NOT NULL,             -- as in received_transfer.recipients
    is_spam INTEGER NOT NULL,            -- 0: it was taken back
    day INTEGER NOT NULL,                -- on which it was counted in the peer book
    PRIMARY KEY (transfer, recipient)
) STRICT, WITHOUT ROWID;

-- Transfers of ours that peers have taken, where complaints are taken.
CREATE TABLE sent_transfer (
    number INTEGER PRIMARY KEY,
    id TEXT NOT NULL,
    domain TEXT NOT NULL,
    peer TEXT NOT NULL,                  -- the component that took it
    towards TEXT NOT NULL,               -- the domain of its recipients
    sender TEXT NOT NULL,                -- reverse-path
    message INTEGER NOT NULL,
    at INTEGER NOT NULL,                 -- ms since 1970
    said INTEGER NOT NULL,               -- by the peer: 0 nothing, 1 that it is spam, 2 that it is not
    said_day INTEGER NOT NULL,           -- when it said that it is spam
    UNIQUE (id, domain)
) STRICT;

-- Who was complained of. A row is one vote of one domain against one sender of ours.
CREATE TABLE sender_complaint (
    sender TEXT NOT NULL,                -- queue::sender_name
    domain TEXT NOT NULL,                -- that complains
    day INTEGER NOT NULL,
    complaints INTEGER NOT NULL,         -- on as many transfers
    reported INTEGER NOT NULL,           -- of these, that stand in a report to the abuse address
    message INTEGER NOT NULL,            -- the last one of them
    first_at INTEGER NOT NULL,           -- ms since 1970
    path TEXT NOT NULL,                  -- the sender as an address
    PRIMARY KEY (sender, domain, day)
) STRICT, WITHOUT ROWID;
CREATE INDEX sender_complaint_day ON sender_complaint (day);
CREATE INDEX sender_complaint_unreported ON sender_complaint (first_at) WHERE reported = 0;

-- What is kept for, and taken of, one organisation (registrable domain) on a day.
CREATE TABLE complaint_share (
    organisation TEXT NOT NULL,
    day INTEGER NOT NULL,
    kept INTEGER NOT NULL,               -- rows of received_transfer
    taken INTEGER NOT NULL,              -- complaints
    PRIMARY KEY (organisation, day)
) STRICT, WITHOUT ROWID;
CREATE INDEX complaint_share_day ON complaint_share (day);
