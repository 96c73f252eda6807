-- The queue, version 10: what is looked for has an index, so that no look takes longer because more waits, or because
-- more has ended.

-- What has not ended, in the order of arrival: an administrator's walk, and the sweep for delays, which goes by this alone.
CREATE INDEX recipient_live ON recipient (message, n, warned) WHERE ended_at IS NULL;
-- What peers have left here (queue::Origin::Kind), for their quotas.
CREATE INDEX message_of_peers ON message (origin_client, size) WHERE origin_kind = 2 AND ended_at IS NULL;
