CREATE INDEX failed_event_dead ON failed_event (campaign_id, seat) WHERE state = 'dead';
CREATE INDEX failed_event_due ON failed_event (campaign_id, next_attempt_at) WHERE state = 'waiting';
CREATE INDEX failed_event_leased ON failed_event (campaign_id, leased_until) WHERE leased_by IS NOT NULL;
CREATE INDEX failed_event_open ON failed_event (campaign_id, seat) WHERE state IN ('waiting', 'parked');
CREATE INDEX finding_open ON finding (campaign_id, id) WHERE resolved_at IS NULL;
CREATE INDEX operator_act_by_campaign ON operator_act (campaign_id, id);
CREATE INDEX outbox_leased ON outbox (campaign_id, leased_until) WHERE leased_by IS NOT NULL;
CREATE INDEX outbox_pending ON outbox (campaign_id, seat) WHERE state = 'pending';
CREATE INDEX pool_code_free ON pool_code (campaign_id, position) WHERE seat IS NULL;
CREATE UNIQUE INDEX pool_code_seat ON pool_code (campaign_id, seat) WHERE seat IS NOT NULL;
CREATE INDEX run_started ON run (program, started_at);
CREATE INDEX self_test_ended ON self_test (ended_at);
CREATE INDEX waiver_by_finding ON waiver (finding_id, until_at);
CREATE TABLE accepted_user (
  campaign_id TEXT NOT NULL,
  seat INTEGER NOT NULL,
  user_id TEXT NOT NULL,
  accepted_at INTEGER NOT NULL, chain BLOB CONSTRAINT accepted_user_chain_length CHECK (length(chain) = 32),
  PRIMARY KEY (campaign_id, seat),
  CONSTRAINT accepted_user_once UNIQUE (campaign_id, user_id),
  CONSTRAINT accepted_user_campaign FOREIGN KEY (campaign_id) REFERENCES campaign (id),
  CONSTRAINT accepted_user_form CHECK (
    length(user_id) BETWEEN 1 AND 128 AND length(user_id) = length(CAST(user_id AS BLOB)) AND user_id NOT GLOB '*[^!-~]*')
) STRICT, WITHOUT ROWID;
CREATE TABLE answer_tally (
  campaign_id TEXT NOT NULL,
  process_id TEXT NOT NULL,
  answer TEXT NOT NULL,
  answered INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  PRIMARY KEY (campaign_id, process_id, answer),
  CONSTRAINT answer_tally_campaign FOREIGN KEY (campaign_id) REFERENCES campaign (id),
  CONSTRAINT answer_tally_word CHECK (answer IN ('repeat', 'closed', 'not-open-yet', 'paused', 'sold-out')),
  CONSTRAINT answer_tally_range CHECK (answered >= 0)
) STRICT, WITHOUT ROWID;
CREATE TABLE "attempt" (
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
CREATE TABLE campaign (
  id TEXT NOT NULL,
  name TEXT NOT NULL,
  quota INTEGER NOT NULL,
  counter INTEGER NOT NULL DEFAULT 0,
  state TEXT NOT NULL,
  issuer TEXT NOT NULL,
  code_key BLOB NOT NULL,
  opens_at INTEGER,
  closes_at INTEGER,
  created_at INTEGER NOT NULL, webhook_url TEXT CONSTRAINT campaign_webhook_url_form CHECK (
  length(webhook_url) BETWEEN 1 AND 2048 AND length(webhook_url) = length(CAST(webhook_url AS BLOB))
  AND webhook_url NOT GLOB '*[^!-~]*'), retry_base INTEGER
  CONSTRAINT campaign_retry_base_range CHECK (retry_base BETWEEN 1000 AND 86400000000), retry_cap INTEGER
  CONSTRAINT campaign_retry_cap_range CHECK (retry_cap BETWEEN 1000 AND 86400000000), max_attempts INTEGER
  CONSTRAINT campaign_max_attempts_range CHECK (max_attempts BETWEEN 1 AND 1000),
  PRIMARY KEY (id),
  CONSTRAINT campaign_id_form CHECK (
    length(id) BETWEEN 1 AND 63 AND length(id) = length(CAST(id AS BLOB)) AND id NOT GLOB '*[^a-z0-9-]*'
    AND id NOT GLOB '-*'),
  CONSTRAINT campaign_name_length CHECK (length(name) <= 200),
  CONSTRAINT campaign_quota_range CHECK (quota BETWEEN 1 AND 1000000000),
  CONSTRAINT campaign_counter_within_quota CHECK (counter BETWEEN 0 AND quota),
  CONSTRAINT campaign_state_word CHECK (state IN ('open', 'paused', 'closed')),
  CONSTRAINT campaign_code_key_length CHECK (length(code_key) = 32),
  CONSTRAINT campaign_window CHECK (opens_at IS NULL OR closes_at IS NULL OR opens_at < closes_at)
) STRICT, WITHOUT ROWID;
CREATE TABLE coupon (
  campaign_id TEXT NOT NULL,
  seat INTEGER NOT NULL,
  user_id TEXT NOT NULL,
  code TEXT NOT NULL,
  issued_at INTEGER NOT NULL, traceparent TEXT CONSTRAINT coupon_traceparent_form CHECK (
    traceparent IS NULL OR length(CAST(traceparent AS BLOB)) = 55
    AND traceparent GLOB '00-????????????????????????????????-????????????????-??'
    AND length(replace(traceparent, '-', '')) = 52 AND replace(traceparent, '-', '') NOT GLOB '*[^0-9a-f]*'
    AND substr(traceparent, 4, 32) <> '00000000000000000000000000000000'
    AND substr(traceparent, 37, 16) <> '0000000000000000'),
  PRIMARY KEY (campaign_id, seat),
  CONSTRAINT coupon_one_per_user UNIQUE (campaign_id, user_id),
  CONSTRAINT coupon_code_once UNIQUE (campaign_id, code),
  CONSTRAINT coupon_acceptance FOREIGN KEY (campaign_id, seat) REFERENCES accepted_user (campaign_id, seat),
  CONSTRAINT coupon_code_form CHECK (
    length(code) BETWEEN 1 AND 128 AND length(code) = length(CAST(code AS BLOB)) AND code NOT GLOB '*[^!-~]*')
) STRICT, WITHOUT ROWID;
CREATE TABLE database_identity (
  id TEXT NOT NULL,
  PRIMARY KEY (id),
  CONSTRAINT database_identity_form CHECK (length(id) = 32 AND id NOT GLOB '*[^0-9a-f]*')
) STRICT, WITHOUT ROWID;
CREATE TABLE failed_event (
  campaign_id TEXT NOT NULL,
  seat INTEGER NOT NULL,
  user_id TEXT NOT NULL,
  state TEXT NOT NULL,
  failure_kind TEXT NOT NULL,
  error TEXT NOT NULL,
  attempts INTEGER NOT NULL DEFAULT 0,
  max_attempts INTEGER NOT NULL,
  next_attempt_at INTEGER,
  leased_by TEXT,
  leased_until INTEGER,
  generation INTEGER NOT NULL DEFAULT 0,
  failed_at INTEGER NOT NULL,
  settled_at INTEGER,
  reported_by TEXT, pruned_attempts INTEGER NOT NULL DEFAULT 0
  CONSTRAINT failed_event_pruned_range CHECK (pruned_attempts BETWEEN 0 AND attempts),
  PRIMARY KEY (campaign_id, seat),
  CONSTRAINT failed_event_acceptance FOREIGN KEY (campaign_id, seat) REFERENCES accepted_user (campaign_id, seat),
  CONSTRAINT failed_event_state_word CHECK (state IN ('waiting', 'parked', 'resolved', 'dead', 'discarded')),
  CONSTRAINT failed_event_kind_word CHECK (failure_kind IN ('transient', 'infrastructure', 'permanent', 'parked')),
  CONSTRAINT failed_event_attempts_range CHECK (attempts >= 0 AND max_attempts >= 1 AND generation >= 0),
  CONSTRAINT failed_event_due CHECK ((state = 'waiting') = (next_attempt_at IS NOT NULL)),
  CONSTRAINT failed_event_lease CHECK ((leased_by IS NULL) = (leased_until IS NULL)
    AND (leased_by IS NULL OR state IN ('waiting', 'parked'))),
  CONSTRAINT failed_event_settled CHECK ((state IN ('waiting', 'parked')) = (settled_at IS NULL))
) STRICT, WITHOUT ROWID;
CREATE TABLE finding (
  id TEXT NOT NULL,
  rule TEXT NOT NULL,
  campaign_id TEXT,
  seat INTEGER,
  first_seen_at INTEGER NOT NULL,
  last_seen_at INTEGER NOT NULL,
  times_seen INTEGER NOT NULL,
  resolved_at INTEGER,
  PRIMARY KEY (id),
  CONSTRAINT finding_id_length CHECK (length(id) BETWEEN 1 AND 1000),
  CONSTRAINT finding_times_range CHECK (times_seen >= 1)
) STRICT, WITHOUT ROWID;
CREATE TABLE issuer_circuit (
  endpoint TEXT NOT NULL,
  failures INTEGER NOT NULL,
  events TEXT NOT NULL,
  error TEXT NOT NULL,
  failed_at INTEGER NOT NULL,
  PRIMARY KEY (endpoint),
  CONSTRAINT issuer_circuit_range CHECK (failures >= 0)
) STRICT, WITHOUT ROWID;
CREATE TABLE lease_lapse (
  campaign_id TEXT NOT NULL,
  seat INTEGER NOT NULL,
  -- How many leases lapsed while the event was the only one in its lease batch.
  lapses INTEGER NOT NULL,
  -- The generation of the lease under which the event is alone. NULL: it has not been leased since it became a suspect.
  alone_generation INTEGER,
  -- The holders of the counted lapses, as a JSON array.
  runs TEXT NOT NULL,
  lapsed_at INTEGER NOT NULL,
  PRIMARY KEY (campaign_id, seat),
  CONSTRAINT lease_lapse_range CHECK (lapses >= 0),
  CONSTRAINT lease_lapse_runs_form CHECK (json_valid(runs))
) STRICT, WITHOUT ROWID;
CREATE TABLE log_link (
  id INTEGER PRIMARY KEY,
  tag TEXT NOT NULL,
  seq INTEGER NOT NULL,
  prev BLOB NOT NULL,
  nonce BLOB NOT NULL,
  CONSTRAINT log_link_one_row CHECK (id = 1),
  CONSTRAINT log_link_tag_word CHECK (tag = 'log_link'),
  CONSTRAINT log_link_seq_range CHECK (seq BETWEEN 1099511627776 AND 140737488355327),
  CONSTRAINT log_link_blob_length CHECK (length(prev) = 16 AND length(nonce) = 16)
) STRICT;
CREATE TABLE "operator_act" (
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
CREATE TABLE operator_act_seat (
  campaign_id TEXT NOT NULL,
  seat INTEGER NOT NULL,
  act_id INTEGER NOT NULL,
  PRIMARY KEY (campaign_id, seat, act_id),
  CONSTRAINT operator_act_seat_act FOREIGN KEY (act_id) REFERENCES operator_act (id),
  CONSTRAINT operator_act_seat_acceptance FOREIGN KEY (campaign_id, seat) REFERENCES accepted_user (campaign_id, seat)
) STRICT, WITHOUT ROWID;
CREATE TABLE outbox (
  campaign_id TEXT NOT NULL,
  seat INTEGER NOT NULL,
  user_id TEXT NOT NULL,
  state TEXT NOT NULL DEFAULT 'pending',
  created_at INTEGER NOT NULL,
  settled_at INTEGER, traceparent TEXT CONSTRAINT outbox_traceparent_form CHECK (
    traceparent IS NULL OR length(CAST(traceparent AS BLOB)) = 55
    AND traceparent GLOB '00-????????????????????????????????-????????????????-??'
    AND length(replace(traceparent, '-', '')) = 52 AND replace(traceparent, '-', '') NOT GLOB '*[^0-9a-f]*'
    AND substr(traceparent, 4, 32) <> '00000000000000000000000000000000'
    AND substr(traceparent, 37, 16) <> '0000000000000000'), leased_by TEXT, leased_until INTEGER CONSTRAINT outbox_lease CHECK (
  (leased_by IS NULL) = (leased_until IS NULL) AND (leased_by IS NULL OR state = 'pending')), generation INTEGER NOT NULL DEFAULT 0
  CONSTRAINT outbox_generation_range CHECK (generation >= 0),
  PRIMARY KEY (campaign_id, seat),
  CONSTRAINT outbox_acceptance FOREIGN KEY (campaign_id, seat) REFERENCES accepted_user (campaign_id, seat),
  CONSTRAINT outbox_state_word CHECK (state IN ('pending', 'delivered', 'failed')),
  CONSTRAINT outbox_settled CHECK ((state = 'pending') = (settled_at IS NULL))
) STRICT, WITHOUT ROWID;
CREATE TABLE pool_code (
  campaign_id TEXT NOT NULL,
  code TEXT NOT NULL,
  position INTEGER NOT NULL,
  seat INTEGER,
  PRIMARY KEY (campaign_id, code),
  CONSTRAINT pool_code_position UNIQUE (campaign_id, position),
  CONSTRAINT pool_code_campaign FOREIGN KEY (campaign_id) REFERENCES campaign (id),
  CONSTRAINT pool_code_form CHECK (
    length(code) BETWEEN 1 AND 128 AND length(code) = length(CAST(code AS BLOB)) AND code NOT GLOB '*[^!-~]*')
) STRICT, WITHOUT ROWID;
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
CREATE TABLE quarantined_event (
  source TEXT NOT NULL,
  campaign_id TEXT NOT NULL,
  seat INTEGER NOT NULL,
  -- The evidence.
  error TEXT NOT NULL,
  quarantined_at INTEGER NOT NULL,
  PRIMARY KEY (source, campaign_id, seat),
  CONSTRAINT quarantined_event_source_word CHECK (source IN ('outbox', 'failed_event'))
) STRICT, WITHOUT ROWID;
CREATE TABLE run (
  id TEXT NOT NULL,
  program TEXT NOT NULL,
  host TEXT NOT NULL,
  pid INTEGER NOT NULL,
  campaign_id TEXT,
  started_at INTEGER NOT NULL,
  ended_at INTEGER,
  exit_code INTEGER,
  resolved INTEGER,
  retry_later INTEGER,
  dead INTEGER,
  parked INTEGER,
  fenced INTEGER,
  verdict TEXT,
  findings INTEGER, operator TEXT, asked_for TEXT, due INTEGER, planned INTEGER, unreached INTEGER, skipped INTEGER, findings_introduced INTEGER, findings_persisted INTEGER, findings_resolved INTEGER, findings_waived INTEGER, warnings INTEGER,
  PRIMARY KEY (id),
  CONSTRAINT run_program_word CHECK (program IN ('retry-batch', 'reconcile')),
  CONSTRAINT run_verdict_word CHECK (verdict IN ('CLEAN', 'DIRTY', 'UNKNOWN')),
  CONSTRAINT run_ended CHECK ((ended_at IS NULL) = (exit_code IS NULL))
) STRICT, WITHOUT ROWID;
CREATE TABLE schema_migration (
  version INTEGER NOT NULL PRIMARY KEY,
  name TEXT NOT NULL,
  checksum TEXT NOT NULL,
  applied_at INTEGER NOT NULL
) STRICT;
CREATE TABLE seat_loss (
  campaign_id TEXT NOT NULL,
  first_seat INTEGER NOT NULL,
  last_seat INTEGER NOT NULL,
  accepted_at INTEGER NOT NULL,
  reissued_at INTEGER,
  PRIMARY KEY (campaign_id, accepted_at),
  CONSTRAINT seat_loss_range CHECK (first_seat BETWEEN 1 AND last_seat)
) STRICT, WITHOUT ROWID;
CREATE TABLE self_test (
  id TEXT NOT NULL,
  program_version TEXT NOT NULL,
  planted INTEGER NOT NULL,
  missed INTEGER NOT NULL,
  unexpected INTEGER NOT NULL,
  started_at INTEGER NOT NULL,
  ended_at INTEGER NOT NULL,
  PRIMARY KEY (id),
  CONSTRAINT self_test_range CHECK (planted >= 0 AND missed >= 0 AND unexpected >= 0)
) STRICT, WITHOUT ROWID;
CREATE TABLE waiver (
  id INTEGER PRIMARY KEY,
  finding_id TEXT NOT NULL,
  operator TEXT NOT NULL,
  reason TEXT NOT NULL,
  waived_at INTEGER NOT NULL,
  until_at INTEGER NOT NULL,
  CONSTRAINT waiver_finding_length CHECK (length(finding_id) BETWEEN 1 AND 1000),
  CONSTRAINT waiver_reason_given CHECK (length(trim(reason)) > 0),
  CONSTRAINT waiver_expires CHECK (until_at > waived_at)
) STRICT;
CREATE TABLE witness (
  epoch INTEGER NOT NULL,
  path TEXT,
  operator TEXT NOT NULL,
  reason TEXT,
  detail TEXT NOT NULL,
  began_at INTEGER NOT NULL,
  PRIMARY KEY (epoch),
  CONSTRAINT witness_path_absolute CHECK (path GLOB '/*')
) STRICT, WITHOUT ROWID;
CREATE TRIGGER accepted_user_chain BEFORE INSERT ON accepted_user WHEN NEW.chain IS NULL BEGIN
  SELECT RAISE(ABORT, 'accepted_user: an acceptance needs its chain value');
END;
CREATE TRIGGER accepted_user_delete BEFORE DELETE ON accepted_user BEGIN
  SELECT RAISE(ABORT, 'accepted_user: an acceptance is never deleted');
END;
CREATE TRIGGER accepted_user_insert BEFORE INSERT ON accepted_user BEGIN
  SELECT RAISE(ABORT, 'accepted_user: the seat is not within 1 and the quota of its campaign')
  WHERE NOT EXISTS (SELECT 1 FROM campaign WHERE id = NEW.campaign_id AND NEW.seat BETWEEN 1 AND quota);
  SELECT RAISE(ABORT, 'accepted_user: this seat is taken')
  WHERE EXISTS (SELECT 1 FROM accepted_user WHERE campaign_id = NEW.campaign_id AND seat = NEW.seat);
  SELECT RAISE(ABORT, 'accepted_user: this user has a seat')
  WHERE EXISTS (SELECT 1 FROM accepted_user WHERE campaign_id = NEW.campaign_id AND user_id = NEW.user_id);
END;
CREATE TRIGGER accepted_user_number_insert BEFORE INSERT ON accepted_user
WHEN NEW.seat NOT BETWEEN 1 AND 1000000000
  OR NEW.accepted_at NOT BETWEEN -12212553600000000 AND 253402300799999999 BEGIN
  SELECT RAISE(ABORT, 'accepted_user: a number is out of bounds');
END;
CREATE TRIGGER accepted_user_number_update BEFORE UPDATE ON accepted_user
WHEN NEW.seat IS NOT OLD.seat AND NEW.seat NOT BETWEEN 1 AND 1000000000
  OR NEW.accepted_at IS NOT OLD.accepted_at AND NEW.accepted_at NOT BETWEEN -12212553600000000 AND 253402300799999999
BEGIN
  SELECT RAISE(ABORT, 'accepted_user: a number is out of bounds');
END;
CREATE TRIGGER accepted_user_update BEFORE UPDATE ON accepted_user BEGIN
  SELECT RAISE(ABORT, 'accepted_user: an acceptance never changes');
END;
CREATE TRIGGER answer_tally_number_insert BEFORE INSERT ON answer_tally
WHEN NEW.answered NOT BETWEEN 0 AND 1000000000000
  OR NEW.updated_at NOT BETWEEN -12212553600000000 AND 253402300799999999 BEGIN
  SELECT RAISE(ABORT, 'answer_tally: a number is out of bounds');
END;
CREATE TRIGGER answer_tally_number_update BEFORE UPDATE ON answer_tally
WHEN NEW.answered IS NOT OLD.answered AND NEW.answered NOT BETWEEN 0 AND 1000000000000
  OR NEW.updated_at IS NOT OLD.updated_at AND NEW.updated_at NOT BETWEEN -12212553600000000 AND 253402300799999999
BEGIN
  SELECT RAISE(ABORT, 'answer_tally: a number is out of bounds');
END;
CREATE TRIGGER attempt_number_insert BEFORE INSERT ON attempt
WHEN NEW.seat NOT BETWEEN 1 AND 1000000000
  OR NEW.generation NOT BETWEEN 0 AND 1000000000000
  OR NEW.started_at NOT BETWEEN -12212553600000000 AND 253402300799999999
  OR NEW.ended_at NOT BETWEEN -12212553600000000 AND 253402300799999999 BEGIN
  SELECT RAISE(ABORT, 'attempt: a number is out of bounds');
END;
CREATE TRIGGER attempt_number_update BEFORE UPDATE ON attempt
WHEN NEW.seat IS NOT OLD.seat AND NEW.seat NOT BETWEEN 1 AND 1000000000
  OR NEW.generation IS NOT OLD.generation AND NEW.generation NOT BETWEEN 0 AND 1000000000000
  OR NEW.started_at IS NOT OLD.started_at AND NEW.started_at NOT BETWEEN -12212553600000000 AND 253402300799999999
  OR NEW.ended_at IS NOT OLD.ended_at AND NEW.ended_at NOT BETWEEN -12212553600000000 AND 253402300799999999 BEGIN
  SELECT RAISE(ABORT, 'attempt: a number is out of bounds');
END;
CREATE TRIGGER campaign_closed BEFORE UPDATE OF state ON campaign
WHEN OLD.state = 'closed' AND NEW.state <> 'closed' BEGIN
  SELECT RAISE(ABORT, 'campaign: closed is final');
END;
CREATE TRIGGER campaign_counter BEFORE UPDATE OF counter ON campaign WHEN NEW.counter < OLD.counter BEGIN
  SELECT RAISE(ABORT, 'campaign: the counter is never lowered');
END;
CREATE TRIGGER campaign_delete BEFORE DELETE ON campaign BEGIN
  SELECT RAISE(ABORT, 'campaign: never deleted');
END;
CREATE TRIGGER campaign_identity BEFORE UPDATE OF id, issuer, code_key, created_at ON campaign
WHEN NEW.id IS NOT OLD.id OR NEW.issuer IS NOT OLD.issuer OR NEW.code_key IS NOT OLD.code_key
  OR NEW.created_at IS NOT OLD.created_at BEGIN
  SELECT RAISE(ABORT, 'campaign: id, issuer, code_key and created_at never change');
END;
CREATE TRIGGER campaign_insert BEFORE INSERT ON campaign BEGIN
  SELECT RAISE(ABORT, 'campaign: this id exists') WHERE EXISTS (SELECT 1 FROM campaign WHERE id = NEW.id);
  -- Not a CHECK: a trigger can be replaced when an issuer is added.
  SELECT RAISE(ABORT, 'campaign: there is no such issuer') WHERE NEW.issuer NOT IN ('generated', 'pool', 'webhook');
  SELECT RAISE(ABORT, 'campaign: a webhook has a URL, and nobody else has')
  WHERE (NEW.issuer = 'webhook') <> (NEW.webhook_url IS NOT NULL);
END;
CREATE TRIGGER campaign_loss_insert BEFORE INSERT ON campaign
WHEN NEW.state = 'open' AND EXISTS (SELECT 1 FROM seat_loss WHERE campaign_id = NEW.id AND reissued_at IS NULL) BEGIN
  SELECT RAISE(ABORT, 'campaign: seats of this campaign are lost and not reissued');
END;
CREATE TRIGGER campaign_loss_update BEFORE UPDATE OF state ON campaign
WHEN NEW.state = 'open' AND EXISTS (SELECT 1 FROM seat_loss WHERE campaign_id = NEW.id AND reissued_at IS NULL) BEGIN
  SELECT RAISE(ABORT, 'campaign: seats of this campaign are lost and not reissued');
END;
CREATE TRIGGER campaign_number_insert BEFORE INSERT ON campaign
WHEN NEW.quota NOT BETWEEN 1 AND 1000000000
  OR NEW.counter NOT BETWEEN 0 AND 1000000000
  OR NEW.opens_at NOT BETWEEN -12212553600000000 AND 253402300799999999
  OR NEW.closes_at NOT BETWEEN -12212553600000000 AND 253402300799999999
  OR NEW.created_at NOT BETWEEN -12212553600000000 AND 253402300799999999
  OR NEW.retry_base NOT BETWEEN 1000 AND 86400000000
  OR NEW.retry_cap NOT BETWEEN 1000 AND 86400000000
  OR NEW.max_attempts NOT BETWEEN 1 AND 1000 BEGIN
  SELECT RAISE(ABORT, 'campaign: a number is out of bounds');
END;
CREATE TRIGGER campaign_number_update BEFORE UPDATE ON campaign
WHEN NEW.quota IS NOT OLD.quota AND NEW.quota NOT BETWEEN 1 AND 1000000000
  OR NEW.counter IS NOT OLD.counter AND NEW.counter NOT BETWEEN 0 AND 1000000000
  OR NEW.opens_at IS NOT OLD.opens_at AND NEW.opens_at NOT BETWEEN -12212553600000000 AND 253402300799999999
  OR NEW.closes_at IS NOT OLD.closes_at AND NEW.closes_at NOT BETWEEN -12212553600000000 AND 253402300799999999
  OR NEW.created_at IS NOT OLD.created_at AND NEW.created_at NOT BETWEEN -12212553600000000 AND 253402300799999999
  OR NEW.retry_base IS NOT OLD.retry_base AND NEW.retry_base NOT BETWEEN 1000 AND 86400000000
  OR NEW.retry_cap IS NOT OLD.retry_cap AND NEW.retry_cap NOT BETWEEN 1000 AND 86400000000
  OR NEW.max_attempts IS NOT OLD.max_attempts AND NEW.max_attempts NOT BETWEEN 1 AND 1000 BEGIN
  SELECT RAISE(ABORT, 'campaign: a number is out of bounds');
END;
CREATE TRIGGER campaign_quota BEFORE UPDATE OF quota ON campaign WHEN NEW.quota < OLD.quota BEGIN
  SELECT RAISE(ABORT, 'campaign: the quota is never lowered');
END;
CREATE TRIGGER campaign_webhook_url BEFORE UPDATE OF webhook_url ON campaign
WHEN (NEW.webhook_url IS NULL) <> (OLD.webhook_url IS NULL) BEGIN
  SELECT RAISE(ABORT, 'campaign: a webhook has a URL, and nobody else has');
END;
CREATE TRIGGER coupon_delete BEFORE DELETE ON coupon BEGIN
  SELECT RAISE(ABORT, 'coupon: a coupon is never deleted');
END;
CREATE TRIGGER coupon_discarded BEFORE INSERT ON coupon
WHEN EXISTS (SELECT 1 FROM failed_event
  WHERE campaign_id = NEW.campaign_id AND seat = NEW.seat AND state = 'discarded') BEGIN
  SELECT RAISE(ABORT, 'coupon: this seat was discarded');
END;
CREATE TRIGGER coupon_insert BEFORE INSERT ON coupon BEGIN
  SELECT RAISE(ABORT, 'coupon: the seat is not within 1 and the quota of its campaign')
  WHERE NOT EXISTS (SELECT 1 FROM campaign WHERE id = NEW.campaign_id AND NEW.seat BETWEEN 1 AND quota);
  SELECT RAISE(ABORT, 'coupon: this seat is not accepted for this user')
  WHERE NOT EXISTS (SELECT 1 FROM accepted_user
    WHERE campaign_id = NEW.campaign_id AND seat = NEW.seat AND user_id = NEW.user_id);
  SELECT RAISE(ABORT, 'coupon: this seat, user or code has its coupon')
  WHERE EXISTS (SELECT 1 FROM coupon WHERE campaign_id = NEW.campaign_id AND seat = NEW.seat)
     OR EXISTS (SELECT 1 FROM coupon WHERE campaign_id = NEW.campaign_id AND user_id = NEW.user_id)
     OR EXISTS (SELECT 1 FROM coupon WHERE campaign_id = NEW.campaign_id AND code = NEW.code);
END;
CREATE TRIGGER coupon_number_insert BEFORE INSERT ON coupon
WHEN NEW.seat NOT BETWEEN 1 AND 1000000000
  OR NEW.issued_at NOT BETWEEN -12212553600000000 AND 253402300799999999 BEGIN
  SELECT RAISE(ABORT, 'coupon: a number is out of bounds');
END;
CREATE TRIGGER coupon_number_update BEFORE UPDATE ON coupon
WHEN NEW.seat IS NOT OLD.seat AND NEW.seat NOT BETWEEN 1 AND 1000000000
  OR NEW.issued_at IS NOT OLD.issued_at AND NEW.issued_at NOT BETWEEN -12212553600000000 AND 253402300799999999
BEGIN
  SELECT RAISE(ABORT, 'coupon: a number is out of bounds');
END;
CREATE TRIGGER coupon_update BEFORE UPDATE ON coupon BEGIN
  SELECT RAISE(ABORT, 'coupon: a coupon never changes');
END;
CREATE TRIGGER database_identity_delete BEFORE DELETE ON database_identity BEGIN
  SELECT RAISE(ABORT, 'database_identity: the id is never deleted');
END;
CREATE TRIGGER database_identity_insert BEFORE INSERT ON database_identity BEGIN
  SELECT RAISE(ABORT, 'database_identity: a database has one id');
END;
CREATE TRIGGER database_identity_update BEFORE UPDATE ON database_identity BEGIN
  SELECT RAISE(ABORT, 'database_identity: the id never changes');
END;
CREATE TRIGGER failed_event_delete BEFORE DELETE ON failed_event BEGIN
  SELECT RAISE(ABORT, 'failed_event: a row is never deleted');
END;
CREATE TRIGGER failed_event_discarded BEFORE UPDATE OF state ON failed_event
WHEN OLD.state = 'discarded' AND NEW.state <> 'discarded' BEGIN
  SELECT RAISE(ABORT, 'failed_event: discarded is final');
END;
CREATE TRIGGER failed_event_generation BEFORE UPDATE OF generation ON failed_event
WHEN NEW.generation < OLD.generation BEGIN
  SELECT RAISE(ABORT, 'failed_event: the generation is never lowered');
END;
CREATE TRIGGER failed_event_identity BEFORE UPDATE OF campaign_id, seat, user_id, failed_at ON failed_event BEGIN
  SELECT RAISE(ABORT, 'failed_event: campaign_id, seat, user_id and failed_at never change');
END;
CREATE TRIGGER failed_event_insert BEFORE INSERT ON failed_event BEGIN
  SELECT RAISE(ABORT, 'failed_event: this seat is not accepted for this user')
  WHERE NOT EXISTS (SELECT 1 FROM accepted_user
    WHERE campaign_id = NEW.campaign_id AND seat = NEW.seat AND user_id = NEW.user_id);
  SELECT RAISE(ABORT, 'failed_event: this seat has its row')
  WHERE EXISTS (SELECT 1 FROM failed_event WHERE campaign_id = NEW.campaign_id AND seat = NEW.seat);
END;
CREATE TRIGGER failed_event_number_insert BEFORE INSERT ON failed_event
WHEN NEW.seat NOT BETWEEN 1 AND 1000000000
  OR NEW.attempts NOT BETWEEN 0 AND 1000000000000
  OR NEW.max_attempts NOT BETWEEN 1 AND 1000000000000
  OR NEW.next_attempt_at NOT BETWEEN -12212553600000000 AND 253402300799999999
  OR NEW.leased_until NOT BETWEEN -12212553600000000 AND 253402300799999999
  OR NEW.generation NOT BETWEEN 0 AND 1000000000000
  OR NEW.failed_at NOT BETWEEN -12212553600000000 AND 253402300799999999
  OR NEW.settled_at NOT BETWEEN -12212553600000000 AND 253402300799999999
  OR NEW.pruned_attempts NOT BETWEEN 0 AND 1000000000000 BEGIN
  SELECT RAISE(ABORT, 'failed_event: a number is out of bounds');
END;
CREATE TRIGGER failed_event_number_update BEFORE UPDATE ON failed_event
WHEN NEW.seat IS NOT OLD.seat AND NEW.seat NOT BETWEEN 1 AND 1000000000
  OR NEW.attempts IS NOT OLD.attempts AND NEW.attempts NOT BETWEEN 0 AND 1000000000000
  OR NEW.max_attempts IS NOT OLD.max_attempts AND NEW.max_attempts NOT BETWEEN 1 AND 1000000000000
  OR NEW.next_attempt_at IS NOT OLD.next_attempt_at
    AND NEW.next_attempt_at NOT BETWEEN -12212553600000000 AND 253402300799999999
  OR NEW.leased_until IS NOT OLD.leased_until
    AND NEW.leased_until NOT BETWEEN -12212553600000000 AND 253402300799999999
  OR NEW.generation IS NOT OLD.generation AND NEW.generation NOT BETWEEN 0 AND 1000000000000
  OR NEW.failed_at IS NOT OLD.failed_at AND NEW.failed_at NOT BETWEEN -12212553600000000 AND 253402300799999999
  OR NEW.settled_at IS NOT OLD.settled_at AND NEW.settled_at NOT BETWEEN -12212553600000000 AND 253402300799999999
  OR NEW.pruned_attempts IS NOT OLD.pruned_attempts AND NEW.pruned_attempts NOT BETWEEN 0 AND 1000000000000 BEGIN
  SELECT RAISE(ABORT, 'failed_event: a number is out of bounds');
END;
CREATE TRIGGER finding_delete BEFORE DELETE ON finding BEGIN
  SELECT RAISE(ABORT, 'finding: what was seen is never deleted');
END;
CREATE TRIGGER finding_number_insert BEFORE INSERT ON finding
WHEN NEW.seat NOT BETWEEN 1 AND 1000000000
  OR NEW.first_seen_at NOT BETWEEN -12212553600000000 AND 253402300799999999
  OR NEW.last_seen_at NOT BETWEEN -12212553600000000 AND 253402300799999999
  OR NEW.times_seen NOT BETWEEN 1 AND 1000000000000
  OR NEW.resolved_at NOT BETWEEN -12212553600000000 AND 253402300799999999 BEGIN
  SELECT RAISE(ABORT, 'finding: a number is out of bounds');
END;
CREATE TRIGGER finding_number_update BEFORE UPDATE ON finding
WHEN NEW.seat IS NOT OLD.seat AND NEW.seat NOT BETWEEN 1 AND 1000000000
  OR NEW.first_seen_at IS NOT OLD.first_seen_at
    AND NEW.first_seen_at NOT BETWEEN -12212553600000000 AND 253402300799999999
  OR NEW.last_seen_at IS NOT OLD.last_seen_at
    AND NEW.last_seen_at NOT BETWEEN -12212553600000000 AND 253402300799999999
  OR NEW.times_seen IS NOT OLD.times_seen AND NEW.times_seen NOT BETWEEN 1 AND 1000000000000
  OR NEW.resolved_at IS NOT OLD.resolved_at AND NEW.resolved_at NOT BETWEEN -12212553600000000 AND 253402300799999999
BEGIN
  SELECT RAISE(ABORT, 'finding: a number is out of bounds');
END;
CREATE TRIGGER issuer_circuit_number_insert BEFORE INSERT ON issuer_circuit
WHEN NEW.failures NOT BETWEEN 0 AND 1000000000000
  OR NEW.failed_at NOT BETWEEN -12212553600000000 AND 253402300799999999 BEGIN
  SELECT RAISE(ABORT, 'issuer_circuit: a number is out of bounds');
END;
CREATE TRIGGER issuer_circuit_number_update BEFORE UPDATE ON issuer_circuit
WHEN NEW.failures IS NOT OLD.failures AND NEW.failures NOT BETWEEN 0 AND 1000000000000
  OR NEW.failed_at IS NOT OLD.failed_at AND NEW.failed_at NOT BETWEEN -12212553600000000 AND 253402300799999999
BEGIN
  SELECT RAISE(ABORT, 'issuer_circuit: a number is out of bounds');
END;
CREATE TRIGGER lease_lapse_number_insert BEFORE INSERT ON lease_lapse
WHEN NEW.lapses NOT BETWEEN 0 AND 1000000000000
  OR NEW.alone_generation NOT BETWEEN 0 AND 1000000000000
  OR NEW.lapsed_at NOT BETWEEN -12212553600000000 AND 253402300799999999 BEGIN
  SELECT RAISE(ABORT, 'lease_lapse: a number is out of bounds');
END;
CREATE TRIGGER lease_lapse_number_update BEFORE UPDATE ON lease_lapse
WHEN NEW.lapses IS NOT OLD.lapses AND NEW.lapses NOT BETWEEN 0 AND 1000000000000
  OR NEW.alone_generation IS NOT OLD.alone_generation AND NEW.alone_generation NOT BETWEEN 0 AND 1000000000000
  OR NEW.lapsed_at IS NOT OLD.lapsed_at AND NEW.lapsed_at NOT BETWEEN -12212553600000000 AND 253402300799999999 BEGIN
  SELECT RAISE(ABORT, 'lease_lapse: a number is out of bounds');
END;
CREATE TRIGGER log_link_delete BEFORE DELETE ON log_link BEGIN
  SELECT RAISE(ABORT, 'log_link: the row is never deleted');
END;
CREATE TRIGGER log_link_insert BEFORE INSERT ON log_link WHEN EXISTS (SELECT 1 FROM log_link) BEGIN
  SELECT RAISE(ABORT, 'log_link: there is one row');
END;
CREATE TRIGGER log_link_update BEFORE UPDATE ON log_link
WHEN NEW.id IS NOT OLD.id OR NEW.seq IS NOT OLD.seq + 1 OR NEW.prev IS NOT OLD.nonce OR NEW.nonce IS OLD.nonce BEGIN
  SELECT RAISE(ABORT, 'log_link: seq rises by one, prev becomes the nonce before, and the nonce is new');
END;
CREATE TRIGGER operator_act_delete BEFORE DELETE ON operator_act BEGIN
  SELECT RAISE(ABORT, 'operator_act: an act is never deleted');
END;
CREATE TRIGGER operator_act_insert BEFORE INSERT ON operator_act BEGIN
  SELECT RAISE(ABORT, 'operator_act: this row exists') WHERE EXISTS (SELECT 1 FROM operator_act WHERE id = NEW.id);
  SELECT RAISE(ABORT, 'operator_act: there is no such act')
  WHERE NEW.act NOT IN ('create', 'raise', 'pause', 'resume', 'close', 'import', 'configure', 'redrive', 'discard',
    'prune', 'repair', 'move', 'waive', 'accept-loss');
END;
CREATE TRIGGER operator_act_number_insert AFTER INSERT ON operator_act
WHEN NEW.id NOT BETWEEN 1 AND 9223372036854775807
  OR NEW.counter NOT BETWEEN 0 AND 1000000000
  OR NEW.quota NOT BETWEEN 1 AND 1000000000
  OR NEW.acted_at NOT BETWEEN -12212553600000000 AND 253402300799999999 BEGIN
  SELECT RAISE(ABORT, 'operator_act: a number is out of bounds');
END;
CREATE TRIGGER operator_act_number_update BEFORE UPDATE ON operator_act
WHEN NEW.id IS NOT OLD.id AND NEW.id NOT BETWEEN 1 AND 9223372036854775807
  OR NEW.counter IS NOT OLD.counter AND NEW.counter NOT BETWEEN 0 AND 1000000000
  OR NEW.quota IS NOT OLD.quota AND NEW.quota NOT BETWEEN 1 AND 1000000000
  OR NEW.acted_at IS NOT OLD.acted_at AND NEW.acted_at NOT BETWEEN -12212553600000000 AND 253402300799999999 BEGIN
  SELECT RAISE(ABORT, 'operator_act: a number is out of bounds');
END;
CREATE TRIGGER operator_act_seat_delete BEFORE DELETE ON operator_act_seat BEGIN
  SELECT RAISE(ABORT, 'operator_act_seat: an act is never deleted');
END;
CREATE TRIGGER operator_act_seat_insert BEFORE INSERT ON operator_act_seat
WHEN EXISTS (SELECT 1 FROM operator_act_seat
  WHERE campaign_id = NEW.campaign_id AND seat = NEW.seat AND act_id = NEW.act_id) BEGIN
  SELECT RAISE(ABORT, 'operator_act_seat: this row exists');
END;
CREATE TRIGGER operator_act_seat_number_insert BEFORE INSERT ON operator_act_seat
WHEN NEW.seat NOT BETWEEN 1 AND 1000000000
  OR NEW.act_id NOT BETWEEN 1 AND 9223372036854775807 BEGIN
  SELECT RAISE(ABORT, 'operator_act_seat: a number is out of bounds');
END;
CREATE TRIGGER operator_act_seat_number_update BEFORE UPDATE ON operator_act_seat
WHEN NEW.seat IS NOT OLD.seat AND NEW.seat NOT BETWEEN 1 AND 1000000000
  OR NEW.act_id IS NOT OLD.act_id AND NEW.act_id NOT BETWEEN 1 AND 9223372036854775807 BEGIN
  SELECT RAISE(ABORT, 'operator_act_seat: a number is out of bounds');
END;
CREATE TRIGGER operator_act_seat_update BEFORE UPDATE ON operator_act_seat BEGIN
  SELECT RAISE(ABORT, 'operator_act_seat: an act never changes');
END;
CREATE TRIGGER operator_act_update BEFORE UPDATE ON operator_act BEGIN
  SELECT RAISE(ABORT, 'operator_act: an act never changes');
END;
CREATE TRIGGER outbox_delete BEFORE DELETE ON outbox BEGIN
  SELECT RAISE(ABORT, 'outbox: a row is never deleted');
END;
CREATE TRIGGER outbox_generation BEFORE UPDATE OF generation ON outbox WHEN NEW.generation < OLD.generation BEGIN
  SELECT RAISE(ABORT, 'outbox: the generation is never lowered');
END;
CREATE TRIGGER outbox_identity BEFORE UPDATE OF campaign_id, seat, user_id, created_at, traceparent ON outbox BEGIN
  SELECT RAISE(ABORT, 'outbox: campaign_id, seat, user_id, created_at and traceparent never change');
END;
CREATE TRIGGER outbox_insert BEFORE INSERT ON outbox BEGIN
  SELECT RAISE(ABORT, 'outbox: this seat is not accepted for this user')
  WHERE NOT EXISTS (SELECT 1 FROM accepted_user
    WHERE campaign_id = NEW.campaign_id AND seat = NEW.seat AND user_id = NEW.user_id);
  SELECT RAISE(ABORT, 'outbox: this seat has its row')
  WHERE EXISTS (SELECT 1 FROM outbox WHERE campaign_id = NEW.campaign_id AND seat = NEW.seat);
END;
CREATE TRIGGER outbox_number_insert BEFORE INSERT ON outbox
WHEN NEW.seat NOT BETWEEN 1 AND 1000000000
  OR NEW.created_at NOT BETWEEN -12212553600000000 AND 253402300799999999
  OR NEW.settled_at NOT BETWEEN -12212553600000000 AND 253402300799999999
  OR NEW.leased_until NOT BETWEEN -12212553600000000 AND 253402300799999999
  OR NEW.generation NOT BETWEEN 0 AND 1000000000000 BEGIN
  SELECT RAISE(ABORT, 'outbox: a number is out of bounds');
END;
CREATE TRIGGER outbox_number_update BEFORE UPDATE ON outbox
WHEN NEW.seat IS NOT OLD.seat AND NEW.seat NOT BETWEEN 1 AND 1000000000
  OR NEW.created_at IS NOT OLD.created_at AND NEW.created_at NOT BETWEEN -12212553600000000 AND 253402300799999999
  OR NEW.settled_at IS NOT OLD.settled_at AND NEW.settled_at NOT BETWEEN -12212553600000000 AND 253402300799999999
  OR NEW.leased_until IS NOT OLD.leased_until
    AND NEW.leased_until NOT BETWEEN -12212553600000000 AND 253402300799999999
  OR NEW.generation IS NOT OLD.generation AND NEW.generation NOT BETWEEN 0 AND 1000000000000 BEGIN
  SELECT RAISE(ABORT, 'outbox: a number is out of bounds');
END;
CREATE TRIGGER pool_code_delete BEFORE DELETE ON pool_code BEGIN
  SELECT RAISE(ABORT, 'pool_code: a code is never deleted');
END;
CREATE TRIGGER pool_code_given BEFORE UPDATE OF seat ON pool_code BEGIN
  SELECT RAISE(ABORT, 'pool_code: a code stays with its seat') WHERE OLD.seat IS NOT NULL;
  SELECT RAISE(ABORT, 'pool_code: this seat has its code')
  WHERE EXISTS (SELECT 1 FROM pool_code WHERE campaign_id = NEW.campaign_id AND seat = NEW.seat);
END;
CREATE TRIGGER pool_code_identity BEFORE UPDATE OF campaign_id, code, position ON pool_code BEGIN
  SELECT RAISE(ABORT, 'pool_code: campaign_id, code and position never change');
END;
CREATE TRIGGER pool_code_insert BEFORE INSERT ON pool_code BEGIN
  SELECT RAISE(ABORT, 'pool_code: this code or position exists')
  WHERE EXISTS (SELECT 1 FROM pool_code WHERE campaign_id = NEW.campaign_id AND code = NEW.code)
     OR EXISTS (SELECT 1 FROM pool_code WHERE campaign_id = NEW.campaign_id AND position = NEW.position);
  SELECT RAISE(ABORT, 'pool_code: this seat has its code')
  WHERE NEW.seat IS NOT NULL
    AND EXISTS (SELECT 1 FROM pool_code WHERE campaign_id = NEW.campaign_id AND seat = NEW.seat);
END;
CREATE TRIGGER pool_code_number_insert BEFORE INSERT ON pool_code
WHEN NEW.position NOT BETWEEN 1 AND 1000000000000
  OR NEW.seat NOT BETWEEN 1 AND 1000000000 BEGIN
  SELECT RAISE(ABORT, 'pool_code: a number is out of bounds');
END;
CREATE TRIGGER pool_code_number_update BEFORE UPDATE ON pool_code
WHEN NEW.position IS NOT OLD.position AND NEW.position NOT BETWEEN 1 AND 1000000000000
  OR NEW.seat IS NOT OLD.seat AND NEW.seat NOT BETWEEN 1 AND 1000000000 BEGIN
  SELECT RAISE(ABORT, 'pool_code: a number is out of bounds');
END;
CREATE TRIGGER pruned_run_number_insert BEFORE INSERT ON pruned_run
WHEN NEW.runs NOT BETWEEN 0 AND 1000000000000
  OR NEW.crashed NOT BETWEEN 0 AND 1000000000000
  OR NEW.resolved NOT BETWEEN 0 AND 1000000000000
  OR NEW.retry_later NOT BETWEEN 0 AND 1000000000000
  OR NEW.unreached NOT BETWEEN 0 AND 1000000000000
  OR NEW.dead NOT BETWEEN 0 AND 1000000000000
  OR NEW.parked NOT BETWEEN 0 AND 1000000000000
  OR NEW.fenced NOT BETWEEN 0 AND 1000000000000
  OR NEW.skipped NOT BETWEEN 0 AND 1000000000000
  OR NEW.first_started_at NOT BETWEEN -12212553600000000 AND 253402300799999999
  OR NEW.last_started_at NOT BETWEEN -12212553600000000 AND 253402300799999999 BEGIN
  SELECT RAISE(ABORT, 'pruned_run: a number is out of bounds');
END;
CREATE TRIGGER pruned_run_number_update BEFORE UPDATE ON pruned_run
WHEN NEW.runs IS NOT OLD.runs AND NEW.runs NOT BETWEEN 0 AND 1000000000000
  OR NEW.crashed IS NOT OLD.crashed AND NEW.crashed NOT BETWEEN 0 AND 1000000000000
  OR NEW.resolved IS NOT OLD.resolved AND NEW.resolved NOT BETWEEN 0 AND 1000000000000
  OR NEW.retry_later IS NOT OLD.retry_later AND NEW.retry_later NOT BETWEEN 0 AND 1000000000000
  OR NEW.unreached IS NOT OLD.unreached AND NEW.unreached NOT BETWEEN 0 AND 1000000000000
  OR NEW.dead IS NOT OLD.dead AND NEW.dead NOT BETWEEN 0 AND 1000000000000
  OR NEW.parked IS NOT OLD.parked AND NEW.parked NOT BETWEEN 0 AND 1000000000000
  OR NEW.fenced IS NOT OLD.fenced AND NEW.fenced NOT BETWEEN 0 AND 1000000000000
  OR NEW.skipped IS NOT OLD.skipped AND NEW.skipped NOT BETWEEN 0 AND 1000000000000
  OR NEW.first_started_at IS NOT OLD.first_started_at
    AND NEW.first_started_at NOT BETWEEN -12212553600000000 AND 253402300799999999
  OR NEW.last_started_at IS NOT OLD.last_started_at
    AND NEW.last_started_at NOT BETWEEN -12212553600000000 AND 253402300799999999
BEGIN
  SELECT RAISE(ABORT, 'pruned_run: a number is out of bounds');
END;
CREATE TRIGGER quarantined_event_number_insert BEFORE INSERT ON quarantined_event
WHEN NEW.quarantined_at NOT BETWEEN -12212553600000000 AND 253402300799999999 BEGIN
  SELECT RAISE(ABORT, 'quarantined_event: a number is out of bounds');
END;
CREATE TRIGGER quarantined_event_number_update BEFORE UPDATE ON quarantined_event
WHEN NEW.quarantined_at IS NOT OLD.quarantined_at
  AND NEW.quarantined_at NOT BETWEEN -12212553600000000 AND 253402300799999999 BEGIN
  SELECT RAISE(ABORT, 'quarantined_event: a number is out of bounds');
END;
CREATE TRIGGER run_number_insert BEFORE INSERT ON run
WHEN NEW.pid NOT BETWEEN 0 AND 1000000000000
  OR NEW.started_at NOT BETWEEN -12212553600000000 AND 253402300799999999
  OR NEW.ended_at NOT BETWEEN -12212553600000000 AND 253402300799999999
  OR NEW.exit_code NOT BETWEEN 0 AND 255
  OR NEW.resolved NOT BETWEEN 0 AND 1000000000000
  OR NEW.retry_later NOT BETWEEN 0 AND 1000000000000
  OR NEW.dead NOT BETWEEN 0 AND 1000000000000
  OR NEW.parked NOT BETWEEN 0 AND 1000000000000
  OR NEW.fenced NOT BETWEEN 0 AND 1000000000000
  OR NEW.findings NOT BETWEEN 0 AND 1000000000000
  OR NEW.due NOT BETWEEN 0 AND 1000000000000
  OR NEW.planned NOT BETWEEN 0 AND 1000000000000
  OR NEW.unreached NOT BETWEEN 0 AND 1000000000000
  OR NEW.skipped NOT BETWEEN 0 AND 1000000000000
  OR NEW.findings_introduced NOT BETWEEN 0 AND 1000000000000
  OR NEW.findings_persisted NOT BETWEEN 0 AND 1000000000000
  OR NEW.findings_resolved NOT BETWEEN 0 AND 1000000000000
  OR NEW.findings_waived NOT BETWEEN 0 AND 1000000000000
  OR NEW.warnings NOT BETWEEN 0 AND 1000000000000 BEGIN
  SELECT RAISE(ABORT, 'run: a number is out of bounds');
END;
CREATE TRIGGER run_number_update BEFORE UPDATE ON run
WHEN NEW.pid IS NOT OLD.pid AND NEW.pid NOT BETWEEN 0 AND 1000000000000
  OR NEW.started_at IS NOT OLD.started_at AND NEW.started_at NOT BETWEEN -12212553600000000 AND 253402300799999999
  OR NEW.ended_at IS NOT OLD.ended_at AND NEW.ended_at NOT BETWEEN -12212553600000000 AND 253402300799999999
  OR NEW.exit_code IS NOT OLD.exit_code AND NEW.exit_code NOT BETWEEN 0 AND 255
  OR NEW.resolved IS NOT OLD.resolved AND NEW.resolved NOT BETWEEN 0 AND 1000000000000
  OR NEW.retry_later IS NOT OLD.retry_later AND NEW.retry_later NOT BETWEEN 0 AND 1000000000000
  OR NEW.dead IS NOT OLD.dead AND NEW.dead NOT BETWEEN 0 AND 1000000000000
  OR NEW.parked IS NOT OLD.parked AND NEW.parked NOT BETWEEN 0 AND 1000000000000
  OR NEW.fenced IS NOT OLD.fenced AND NEW.fenced NOT BETWEEN 0 AND 1000000000000
  OR NEW.findings IS NOT OLD.findings AND NEW.findings NOT BETWEEN 0 AND 1000000000000
  OR NEW.due IS NOT OLD.due AND NEW.due NOT BETWEEN 0 AND 1000000000000
  OR NEW.planned IS NOT OLD.planned AND NEW.planned NOT BETWEEN 0 AND 1000000000000
  OR NEW.unreached IS NOT OLD.unreached AND NEW.unreached NOT BETWEEN 0 AND 1000000000000
  OR NEW.skipped IS NOT OLD.skipped AND NEW.skipped NOT BETWEEN 0 AND 1000000000000
  OR NEW.findings_introduced IS NOT OLD.findings_introduced
    AND NEW.findings_introduced NOT BETWEEN 0 AND 1000000000000
  OR NEW.findings_persisted IS NOT OLD.findings_persisted AND NEW.findings_persisted NOT BETWEEN 0 AND 1000000000000
  OR NEW.findings_resolved IS NOT OLD.findings_resolved AND NEW.findings_resolved NOT BETWEEN 0 AND 1000000000000
  OR NEW.findings_waived IS NOT OLD.findings_waived AND NEW.findings_waived NOT BETWEEN 0 AND 1000000000000
  OR NEW.warnings IS NOT OLD.warnings AND NEW.warnings NOT BETWEEN 0 AND 1000000000000 BEGIN
  SELECT RAISE(ABORT, 'run: a number is out of bounds');
END;
CREATE TRIGGER schema_migration_number_insert BEFORE INSERT ON schema_migration
WHEN NEW.version NOT BETWEEN 1 AND 1000000000000
  OR NEW.applied_at NOT BETWEEN -12212553600000000 AND 253402300799999999 BEGIN
  SELECT RAISE(ABORT, 'schema_migration: a number is out of bounds');
END;
CREATE TRIGGER schema_migration_number_update BEFORE UPDATE ON schema_migration
WHEN NEW.version IS NOT OLD.version AND NEW.version NOT BETWEEN 1 AND 1000000000000
  OR NEW.applied_at IS NOT OLD.applied_at AND NEW.applied_at NOT BETWEEN -12212553600000000 AND 253402300799999999
BEGIN
  SELECT RAISE(ABORT, 'schema_migration: a number is out of bounds');
END;
CREATE TRIGGER seat_loss_delete BEFORE DELETE ON seat_loss BEGIN
  SELECT RAISE(ABORT, 'seat_loss: a loss is never deleted');
END;
CREATE TRIGGER seat_loss_insert BEFORE INSERT ON seat_loss
WHEN EXISTS (SELECT 1 FROM seat_loss WHERE campaign_id = NEW.campaign_id AND accepted_at = NEW.accepted_at) BEGIN
  SELECT RAISE(ABORT, 'seat_loss: this row exists');
END;
CREATE TRIGGER seat_loss_number_insert BEFORE INSERT ON seat_loss
WHEN NEW.first_seat NOT BETWEEN 1 AND 1000000000
  OR NEW.last_seat NOT BETWEEN 1 AND 1000000000
  OR NEW.accepted_at NOT BETWEEN -12212553600000000 AND 253402300799999999
  OR NEW.reissued_at NOT BETWEEN -12212553600000000 AND 253402300799999999 BEGIN
  SELECT RAISE(ABORT, 'seat_loss: a number is out of bounds');
END;
CREATE TRIGGER seat_loss_number_update BEFORE UPDATE ON seat_loss
WHEN NEW.first_seat IS NOT OLD.first_seat AND NEW.first_seat NOT BETWEEN 1 AND 1000000000
  OR NEW.last_seat IS NOT OLD.last_seat AND NEW.last_seat NOT BETWEEN 1 AND 1000000000
  OR NEW.accepted_at IS NOT OLD.accepted_at AND NEW.accepted_at NOT BETWEEN -12212553600000000 AND 253402300799999999
  OR NEW.reissued_at IS NOT OLD.reissued_at AND NEW.reissued_at NOT BETWEEN -12212553600000000 AND 253402300799999999
BEGIN
  SELECT RAISE(ABORT, 'seat_loss: a number is out of bounds');
END;
CREATE TRIGGER seat_loss_update BEFORE UPDATE ON seat_loss
WHEN NEW.campaign_id IS NOT OLD.campaign_id OR NEW.first_seat IS NOT OLD.first_seat
  OR NEW.last_seat IS NOT OLD.last_seat OR NEW.accepted_at IS NOT OLD.accepted_at OR OLD.reissued_at IS NOT NULL BEGIN
  SELECT RAISE(ABORT, 'seat_loss: a loss never changes; it is reissued once');
END;
CREATE TRIGGER self_test_number_insert BEFORE INSERT ON self_test
WHEN NEW.planted NOT BETWEEN 0 AND 1000000000000
  OR NEW.missed NOT BETWEEN 0 AND 1000000000000
  OR NEW.unexpected NOT BETWEEN 0 AND 1000000000000
  OR NEW.started_at NOT BETWEEN -12212553600000000 AND 253402300799999999
  OR NEW.ended_at NOT BETWEEN -12212553600000000 AND 253402300799999999 BEGIN
  SELECT RAISE(ABORT, 'self_test: a number is out of bounds');
END;
CREATE TRIGGER self_test_number_update BEFORE UPDATE ON self_test
WHEN NEW.planted IS NOT OLD.planted AND NEW.planted NOT BETWEEN 0 AND 1000000000000
  OR NEW.missed IS NOT OLD.missed AND NEW.missed NOT BETWEEN 0 AND 1000000000000
  OR NEW.unexpected IS NOT OLD.unexpected AND NEW.unexpected NOT BETWEEN 0 AND 1000000000000
  OR NEW.started_at IS NOT OLD.started_at AND NEW.started_at NOT BETWEEN -12212553600000000 AND 253402300799999999
  OR NEW.ended_at IS NOT OLD.ended_at AND NEW.ended_at NOT BETWEEN -12212553600000000 AND 253402300799999999 BEGIN
  SELECT RAISE(ABORT, 'self_test: a number is out of bounds');
END;
CREATE TRIGGER waiver_delete BEFORE DELETE ON waiver BEGIN
  SELECT RAISE(ABORT, 'waiver: a waiver is never deleted');
END;
CREATE TRIGGER waiver_insert BEFORE INSERT ON waiver BEGIN
  SELECT RAISE(ABORT, 'waiver: this row exists') WHERE EXISTS (SELECT 1 FROM waiver WHERE id = NEW.id);
END;
CREATE TRIGGER waiver_number_insert AFTER INSERT ON waiver
WHEN NEW.id NOT BETWEEN 1 AND 9223372036854775807
  OR NEW.waived_at NOT BETWEEN -12212553600000000 AND 253402300799999999
  OR NEW.until_at NOT BETWEEN -12212553600000000 AND 253402300799999999 BEGIN
  SELECT RAISE(ABORT, 'waiver: a number is out of bounds');
END;
CREATE TRIGGER waiver_number_update BEFORE UPDATE ON waiver
WHEN NEW.id IS NOT OLD.id AND NEW.id NOT BETWEEN 1 AND 9223372036854775807
  OR NEW.waived_at IS NOT OLD.waived_at AND NEW.waived_at NOT BETWEEN -12212553600000000 AND 253402300799999999
  OR NEW.until_at IS NOT OLD.until_at AND NEW.until_at NOT BETWEEN -12212553600000000 AND 253402300799999999 BEGIN
  SELECT RAISE(ABORT, 'waiver: a number is out of bounds');
END;
CREATE TRIGGER waiver_update BEFORE UPDATE ON waiver BEGIN
  SELECT RAISE(ABORT, 'waiver: a waiver never changes');
END;
CREATE TRIGGER witness_delete BEFORE DELETE ON witness BEGIN
  SELECT RAISE(ABORT, 'witness: an epoch is never deleted');
END;
CREATE TRIGGER witness_insert BEFORE INSERT ON witness
WHEN NEW.epoch IS NOT (SELECT ifnull(max(epoch), 0) + 1 FROM witness) BEGIN
  SELECT RAISE(ABORT, 'witness: epochs follow each other');
END;
CREATE TRIGGER witness_number_insert BEFORE INSERT ON witness
WHEN NEW.epoch NOT BETWEEN 1 AND 1000000000000
  OR NEW.began_at NOT BETWEEN -12212553600000000 AND 253402300799999999 BEGIN
  SELECT RAISE(ABORT, 'witness: a number is out of bounds');
END;
CREATE TRIGGER witness_number_update BEFORE UPDATE ON witness
WHEN NEW.epoch IS NOT OLD.epoch AND NEW.epoch NOT BETWEEN 1 AND 1000000000000
  OR NEW.began_at IS NOT OLD.began_at AND NEW.began_at NOT BETWEEN -12212553600000000 AND 253402300799999999 BEGIN
  SELECT RAISE(ABORT, 'witness: a number is out of bounds');
END;
CREATE TRIGGER witness_update BEFORE UPDATE ON witness BEGIN
  SELECT RAISE(ABORT, 'witness: an epoch never changes');
END;
1178824557
