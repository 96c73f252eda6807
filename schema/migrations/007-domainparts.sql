-- The queue, version 7: a component's name is written as RFC 7622 wants it, in U-labels. Until now it was whatever
-- somebody had written. `domainpart` is a function of the program's.

UPDATE transfer SET peer = domainpart(peer) WHERE peer <> domainpart(peer);
UPDATE verdict SET peer = domainpart(peer) WHERE peer <> domainpart(peer);
UPDATE partial SET peer = domainpart(peer) WHERE peer <> domainpart(peer);
UPDATE peer SET component = domainpart(component) WHERE component <> domainpart(component);
UPDATE message SET origin_component = domainpart(origin_component) WHERE origin_component <> domainpart(origin_component);
-- Of what came over XMPP (queue::Origin::Kind), this is the peer.
UPDATE message SET origin_client = domainpart(origin_client)
    WHERE origin_kind = 2 AND origin_client <> domainpart(origin_client);
UPDATE OR REPLACE retired SET component = domainpart(component) WHERE component <> domainpart(component);

-- Of the lane of reports (queue::Lane), the domain is a peer, too. Where there are both spellings, the mail of the one
-- moves to the other.
UPDATE OR IGNORE destination SET component = domainpart(component), domain = IIF(lane = 4, domainpart(domain), domain)
    WHERE component <> domainpart(component) OR (lane = 4 AND domain <> domainpart(domain));
UPDATE recipient SET destination =
    (SELECT other.id FROM destination old JOIN destination other ON other.lane = old.lane
         AND other.component = domainpart(old.component)
         AND other.domain = IIF(old.lane = 4, domainpart(old.domain), old.domain)
     WHERE old.id = recipient.destination)
    WHERE destination IN
        (SELECT id FROM destination
         WHERE component <> domainpart(component) OR (lane = 4 AND domain <> domainpart(domain)));
DELETE FROM destination WHERE component <> domainpart(component) OR (lane = 4 AND domain <> domainpart(domain));
