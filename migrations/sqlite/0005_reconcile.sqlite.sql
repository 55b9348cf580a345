-- First Come, version 5: what reconcile remembers between its runs.

-- What became of the findings of the run before, and what a run had to say besides. NULL in runs of retry-batch, and
-- where a run has not ended.
ALTER TABLE run ADD COLUMN findings_introduced INTEGER;
ALTER TABLE run ADD COLUMN findings_persisted INTEGER;
ALTER TABLE run ADD COLUMN findings_resolved INTEGER;
ALTER TABLE run ADD COLUMN findings_waived INTEGER;
ALTER TABLE run ADD COLUMN warnings INTEGER;

-- Each discrepancy that a recorded run has seen, by its id: rule, campaign and seat, or rule and object. Without a
-- reference: the campaign itself may be what is missing. resolved_at is NULL while it stands.
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
CREATE INDEX finding_open ON finding (campaign_id, id) WHERE resolved_at IS NULL;

CREATE TRIGGER finding_delete BEFORE DELETE ON finding BEGIN
  SELECT RAISE(ABORT, 'finding: what was seen is never deleted');
END;

-- A finding that somebody answers for until a moment: it is reported, and does not make a report DIRTY.
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
CREATE INDEX waiver_by_finding ON waiver (finding_id, until_at);

CREATE TRIGGER waiver_insert BEFORE INSERT ON waiver BEGIN
  SELECT RAISE(ABORT, 'waiver: this row exists') WHERE EXISTS (SELECT 1 FROM waiver WHERE id = NEW.id);
END;
CREATE TRIGGER waiver_update BEFORE UPDATE ON waiver BEGIN
  SELECT RAISE(ABORT, 'waiver: a waiver never changes');
END;
CREATE TRIGGER waiver_delete BEFORE DELETE ON waiver BEGIN
  SELECT RAISE(ABORT, 'waiver: a waiver is never deleted');
END;

-- When every known corruption was last planted in a copy of this file, and whether each was found.
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
CREATE INDEX self_test_ended ON self_test (ended_at);
