-- First Come, version 4: coupons from a partner's API, replay that waits, and operators who act on failed events.

-- Where the partner of a webhook campaign is asked, and how its failed events are tried again: base and cap of the
-- backoff in microseconds. NULL is what the programs are set to.
ALTER TABLE campaign ADD COLUMN webhook_url TEXT CONSTRAINT campaign_webhook_url_form CHECK (
  length(webhook_url) BETWEEN 1 AND 2048 AND length(webhook_url) = length(CAST(webhook_url AS BLOB))
  AND webhook_url NOT GLOB '*[^!-~]*');
ALTER TABLE campaign ADD COLUMN retry_base INTEGER
  CONSTRAINT campaign_retry_base_range CHECK (retry_base BETWEEN 1000 AND 86400000000);
ALTER TABLE campaign ADD COLUMN retry_cap INTEGER
  CONSTRAINT campaign_retry_cap_range CHECK (retry_cap BETWEEN 1000 AND 86400000000);
ALTER TABLE campaign ADD COLUMN max_attempts INTEGER
  CONSTRAINT campaign_max_attempts_range CHECK (max_attempts BETWEEN 1 AND 1000);

DROP TRIGGER campaign_insert;
CREATE TRIGGER campaign_insert BEFORE INSERT ON campaign BEGIN
  SELECT RAISE(ABORT, 'campaign: this id exists') WHERE EXISTS (SELECT 1 FROM campaign WHERE id = NEW.id);
  -- Not a CHECK: a trigger can be replaced when an issuer is added.
  SELECT RAISE(ABORT, 'campaign: there is no such issuer') WHERE NEW.issuer NOT IN ('generated', 'pool', 'webhook');
  SELECT RAISE(ABORT, 'campaign: a webhook has a URL, and nobody else has')
  WHERE (NEW.issuer = 'webhook') <> (NEW.webhook_url IS NOT NULL);
END;
CREATE TRIGGER campaign_webhook_url BEFORE UPDATE OF webhook_url ON campaign
WHEN (NEW.webhook_url IS NULL) <> (OLD.webhook_url IS NULL) BEGIN
  SELECT RAISE(ABORT, 'campaign: a webhook has a URL, and nobody else has');
END;

-- An outbox row is leased while the partner is asked for its code, outside any transaction.
ALTER TABLE outbox ADD COLUMN leased_by TEXT;
ALTER TABLE outbox ADD COLUMN leased_until INTEGER CONSTRAINT outbox_lease CHECK (
  (leased_by IS NULL) = (leased_until IS NULL) AND (leased_by IS NULL OR state = 'pending'));
ALTER TABLE outbox ADD COLUMN generation INTEGER NOT NULL DEFAULT 0
  CONSTRAINT outbox_generation_range CHECK (generation >= 0);

CREATE TRIGGER outbox_generation BEFORE UPDATE OF generation ON outbox WHEN NEW.generation < OLD.generation BEGIN
  SELECT RAISE(ABORT, 'outbox: the generation is never lowered');
END;

-- By campaign, so that a campaign whose partner is slow holds up no other.
DROP INDEX outbox_pending;
CREATE INDEX outbox_pending ON outbox (campaign_id, seat) WHERE state = 'pending';

-- What a run looks for, campaign by campaign: not a scan of all that waits for a later moment.
CREATE INDEX failed_event_due ON failed_event (campaign_id, next_attempt_at) WHERE state = 'waiting';

-- How many counted attempts of an event stand in no row any more, because they were pruned.
ALTER TABLE failed_event ADD COLUMN pruned_attempts INTEGER NOT NULL DEFAULT 0
  CONSTRAINT failed_event_pruned_range CHECK (pruned_attempts BETWEEN 0 AND attempts);

CREATE TRIGGER failed_event_discarded BEFORE UPDATE OF state ON failed_event
WHEN OLD.state = 'discarded' AND NEW.state <> 'discarded' BEGIN
  SELECT RAISE(ABORT, 'failed_event: discarded is final');
END;
CREATE TRIGGER coupon_discarded BEFORE INSERT ON coupon
WHEN EXISTS (SELECT 1 FROM failed_event
  WHERE campaign_id = NEW.campaign_id AND seat = NEW.seat AND state = 'discarded') BEGIN
  SELECT RAISE(ABORT, 'coupon: this seat was discarded');
END;

-- An attempt of the consumer that was fenced may belong to a seat that never failed: it refers to the acceptance.
CREATE TABLE attempt_of_version_4 (
  campaign_id TEXT NOT NULL,
  seat INTEGER NOT NULL,
  generation INTEGER NOT NULL,
  run_id TEXT NOT NULL,
  outcome TEXT NOT NULL,
  error TEXT,
  started_at INTEGER NOT NULL,
  ended_at INTEGER NOT NULL,
  PRIMARY KEY (campaign_id, seat, generation),
  CONSTRAINT attempt_acceptance FOREIGN KEY (campaign_id, seat) REFERENCES accepted_user (campaign_id, seat),
  CONSTRAINT attempt_outcome_word CHECK (
    outcome IN ('resolved', 'transient', 'infrastructure', 'permanent', 'parked', 'fenced'))
) STRICT, WITHOUT ROWID;
INSERT INTO attempt_of_version_4 SELECT * FROM attempt;
DROP TABLE attempt;
ALTER TABLE attempt_of_version_4 RENAME TO attempt;

-- How often the partner at an address has failed in a row, and why: who knows it asks once before asking again and
-- again. No row, or 0, where it answered the last time. One event that fails again and again is no sign that the
-- partner is down: events holds, as JSON, the seats that have been counted in this row of failures.
CREATE TABLE issuer_circuit (
  endpoint TEXT NOT NULL,
  failures INTEGER NOT NULL,
  events TEXT NOT NULL,
  error TEXT NOT NULL,
  failed_at INTEGER NOT NULL,
  PRIMARY KEY (endpoint),
  CONSTRAINT issuer_circuit_range CHECK (failures >= 0)
) STRICT, WITHOUT ROWID;

-- What a run was asked for, by whom, and what it found; the counts are NULL until it ends.
ALTER TABLE run ADD COLUMN operator TEXT;
ALTER TABLE run ADD COLUMN asked_for TEXT;
ALTER TABLE run ADD COLUMN due INTEGER;
ALTER TABLE run ADD COLUMN planned INTEGER;
ALTER TABLE run ADD COLUMN unreached INTEGER;
ALTER TABLE run ADD COLUMN skipped INTEGER;

-- The sums of runs that were pruned. A scope of '' is all campaigns.
CREATE TABLE pruned_run (
  program TEXT NOT NULL,
  scope TEXT NOT NULL,
  runs INTEGER NOT NULL,
  crashed INTEGER NOT NULL,
  resolved INTEGER NOT NULL,
  retry_later INTEGER NOT NULL,
  unreached INTEGER NOT NULL,
  dead INTEGER NOT NULL,
  parked INTEGER NOT NULL,
  fenced INTEGER NOT NULL,
  skipped INTEGER NOT NULL,
  first_started_at INTEGER NOT NULL,
  last_started_at INTEGER NOT NULL,
  PRIMARY KEY (program, scope)
) STRICT, WITHOUT ROWID;

-- Two more acts. The word is held by a trigger from now on, which can be replaced.
CREATE TABLE operator_act_of_version_4 (
  id INTEGER PRIMARY KEY,
  campaign_id TEXT NOT NULL,
  act TEXT NOT NULL,
  operator TEXT NOT NULL,
  reason TEXT,
  detail TEXT NOT NULL,
  counter INTEGER NOT NULL,
  quota INTEGER NOT NULL,
  acted_at INTEGER NOT NULL,
  CONSTRAINT operator_act_campaign FOREIGN KEY (campaign_id) REFERENCES campaign (id)
) STRICT;
INSERT INTO operator_act_of_version_4 SELECT * FROM operator_act;
DROP TABLE operator_act;
ALTER TABLE operator_act_of_version_4 RENAME TO operator_act;
CREATE INDEX operator_act_by_campaign ON operator_act (campaign_id, id);

CREATE TRIGGER operator_act_insert BEFORE INSERT ON operator_act BEGIN
  SELECT RAISE(ABORT, 'operator_act: this row exists') WHERE EXISTS (SELECT 1 FROM operator_act WHERE id = NEW.id);
  SELECT RAISE(ABORT, 'operator_act: there is no such act')
  WHERE NEW.act NOT IN ('create', 'raise', 'pause', 'resume', 'close', 'import', 'configure', 'redrive', 'discard',
    'prune', 'repair', 'move', 'waive', 'accept-loss');
END;
CREATE TRIGGER operator_act_update BEFORE UPDATE ON operator_act BEGIN
  SELECT RAISE(ABORT, 'operator_act: an act never changes');
END;
CREATE TRIGGER operator_act_delete BEFORE DELETE ON operator_act BEGIN
  SELECT RAISE(ABORT, 'operator_act: an act is never deleted');
END;

-- Which seats an act was about, where it was not about the whole campaign. The columns stand in the order of the key:
-- SQLite 3.40.1 takes another order for damage (quick_check: NULL value in a column of the key).
CREATE TABLE operator_act_seat (
  campaign_id TEXT NOT NULL,
  seat INTEGER NOT NULL,
  act_id INTEGER NOT NULL,
  PRIMARY KEY (campaign_id, seat, act_id),
  CONSTRAINT operator_act_seat_act FOREIGN KEY (act_id) REFERENCES operator_act (id),
  CONSTRAINT operator_act_seat_acceptance FOREIGN KEY (campaign_id, seat) REFERENCES accepted_user (campaign_id, seat)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER operator_act_seat_insert BEFORE INSERT ON operator_act_seat
WHEN EXISTS (SELECT 1 FROM operator_act_seat
  WHERE campaign_id = NEW.campaign_id AND seat = NEW.seat AND act_id = NEW.act_id) BEGIN
  SELECT RAISE(ABORT, 'operator_act_seat: this row exists');
END;
CREATE TRIGGER operator_act_seat_update BEFORE UPDATE ON operator_act_seat BEGIN
  SELECT RAISE(ABORT, 'operator_act_seat: an act never changes');
END;
CREATE TRIGGER operator_act_seat_delete BEFORE DELETE ON operator_act_seat BEGIN
  SELECT RAISE(ABORT, 'operator_act_seat: an act is never deleted');
END;
