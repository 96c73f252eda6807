-- The queue, version 8: what was under way when the program ended without being stopped.

-- In so many such ends in a row; any outcome sets it back.
ALTER TABLE message ADD COLUMN crashes INTEGER NOT NULL DEFAULT 0;
CREATE INDEX message_crashes ON message (crashes) WHERE crashes > 0;
-- What is being delivered: looked for at a start and at a stop.
CREATE INDEX recipient_leased ON recipient (message) WHERE state = 2;
