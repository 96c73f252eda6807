-- The queue, version 11: the peer book: how the mail of each authenticated domain has turned out. There is no address and no
-- content in it. A day is the number of days since 1970, UTC.

CREATE TABLE standing (
    domain TEXT PRIMARY KEY,             -- A-labels: that transfers came for
    since INTEGER NOT NULL,              -- day of the first mail
    last_day INTEGER NOT NULL,           -- ... and of the last one
    days INTEGER NOT NULL,               -- on which there was any
    organisation TEXT NOT NULL,          -- the registrable domain, by which the number of rows is bounded
    by_hand INTEGER NOT NULL,            -- queue::PeerClass, if an administrator has said one; or 0
    set_at INTEGER NOT NULL              -- ms since 1970: when they did
) STRICT, WITHOUT ROWID;
CREATE INDEX standing_organisation ON standing (organisation);
-- Which one goes first when there is no room: the oldest of those that were here on a day or two, and then of the others.
CREATE INDEX standing_worth ON standing ((days > 2), last_day) WHERE by_hand = 0;

CREATE TABLE standing_day (
    domain TEXT NOT NULL,
    day INTEGER NOT NULL,
    messages INTEGER NOT NULL,           -- of which at least one recipient was taken
    recipients INTEGER NOT NULL,         -- that were taken, or are unknown here
    unknown INTEGER NOT NULL,            -- of these
    refused INTEGER NOT NULL,            -- by the site's filter, for their content, after they were taken
    complaints INTEGER NOT NULL,         -- of recipients
    PRIMARY KEY (domain, day)
) STRICT, WITHOUT ROWID;
CREATE INDEX standing_day_day ON standing_day (day);

-- queue::PeerClass of the domain that it came for, when it came; 0: it came by no transfer, or nobody knows.
ALTER TABLE message ADD COLUMN origin_class INTEGER NOT NULL DEFAULT 0;
