-- The queue, version 5: whose share of a quota something takes, and which peers are worth their row.

-- The organisation (registrable domain) of `peer`, by which quotas count; empty in rows of older versions until
-- the next start.
ALTER TABLE partial ADD COLUMN organisation TEXT NOT NULL DEFAULT '';
-- 1: mail of ours had gone to `peer` before; such have a share that strangers do not get.
ALTER TABLE partial ADD COLUMN correspondent INTEGER NOT NULL DEFAULT 0;
DROP INDEX partial_peer;
CREATE INDEX partial_organisation ON partial (organisation);
ALTER TABLE verdict ADD COLUMN organisation TEXT NOT NULL DEFAULT '';
DROP INDEX verdict_aborted;
CREATE INDEX verdict_aborted ON verdict (aborted, organisation) WHERE aborted = 1;

-- When mail was last exchanged with the domain, as far as that is known; 0: never.
ALTER TABLE peer ADD COLUMN sent_at INTEGER NOT NULL DEFAULT 0;
ALTER TABLE peer ADD COLUMN received_at INTEGER NOT NULL DEFAULT 0;
UPDATE peer SET sent_at = latest.at
    FROM (SELECT peer AS component, MAX(created_at) AS at FROM transfer GROUP BY peer) AS latest
    WHERE latest.component = peer.component;
UPDATE peer SET received_at = latest.at
    FROM (SELECT origin_client AS component, MAX(received_at) AS at FROM message
          WHERE origin_kind = 2 GROUP BY origin_client) AS latest
    WHERE latest.component = peer.component;
-- There was no bound before. A domain that is forgotten is looked up again when there is mail for it.
DELETE FROM peer WHERE domain NOT IN
    (SELECT domain FROM peer
     ORDER BY sent_at > 0 DESC, received_at > 0 DESC, MAX(sent_at, received_at, last_seen) DESC LIMIT 50000);
