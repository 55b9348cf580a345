-- First Come, version 7: leases that lapsed, and events that no program can settle.
--
-- Tables of their own: ADD COLUMN checks every row of a landed table, so it fails on a file with one bad value. No table
-- here has a foreign key, because a row may be about an event whose acceptance is gone.

-- An event whose lease ran out without its holder settling or releasing it: the holder probably died. The event is a
-- suspect: it is leased behind the others and alone. Any settlement of the event deletes its row.
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

-- Leases that have run out are found without a scan of all rows that wait.
CREATE INDEX outbox_leased ON outbox (campaign_id, leased_until) WHERE leased_by IS NOT NULL;
CREATE INDEX failed_event_leased ON failed_event (campaign_id, leased_until) WHERE leased_by IS NOT NULL;

-- A row that cannot be read, or whose settlement the database refuses. Workers pass it; an operator looks at it.
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
