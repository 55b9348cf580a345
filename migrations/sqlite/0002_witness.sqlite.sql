-- First Come, version 2: the chain of acceptances, and the witness outside the database.
--
-- A database that has lost the end of its log, or is an old copy, is consistent in itself. The witness, a small file
-- elsewhere, holds the highest seat and the chain value of each campaign, so that what is missing shows.

-- SHA-256 over the chain value of the acceptance before and the acceptance itself. NULL only in rows of version 1.
ALTER TABLE accepted_user ADD COLUMN chain BLOB CONSTRAINT accepted_user_chain_length CHECK (length(chain) = 32);

CREATE TRIGGER accepted_user_chain BEFORE INSERT ON accepted_user WHEN NEW.chain IS NULL BEGIN
  SELECT RAISE(ABORT, 'accepted_user: an acceptance needs its chain value');
END;

-- Which database this is, whatever its file is called. A copy has the same id.
CREATE TABLE database_identity (
  id TEXT NOT NULL,
  PRIMARY KEY (id),
  CONSTRAINT database_identity_form CHECK (length(id) = 32 AND id NOT GLOB '*[^0-9a-f]*')
) STRICT, WITHOUT ROWID;

INSERT INTO database_identity (id) VALUES (lower(hex(randomblob(16))));

CREATE TRIGGER database_identity_insert BEFORE INSERT ON database_identity BEGIN
  SELECT RAISE(ABORT, 'database_identity: a database has one id');
END;
CREATE TRIGGER database_identity_update BEFORE UPDATE ON database_identity BEGIN
  SELECT RAISE(ABORT, 'database_identity: the id never changes');
END;
CREATE TRIGGER database_identity_delete BEFORE DELETE ON database_identity BEGIN
  SELECT RAISE(ABORT, 'database_identity: the id is never deleted');
END;

-- Where the witness is, and how it came there: the highest epoch holds. A path of NULL is beside the database.
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

CREATE TRIGGER witness_insert BEFORE INSERT ON witness
WHEN NEW.epoch IS NOT (SELECT ifnull(max(epoch), 0) + 1 FROM witness) BEGIN
  SELECT RAISE(ABORT, 'witness: epochs follow each other');
END;
CREATE TRIGGER witness_update BEFORE UPDATE ON witness BEGIN
  SELECT RAISE(ABORT, 'witness: an epoch never changes');
END;
CREATE TRIGGER witness_delete BEFORE DELETE ON witness BEGIN
  SELECT RAISE(ABORT, 'witness: an epoch is never deleted');
END;

-- Seats that were given and whose acceptances are lost, as an operator accepted. Without a reference: the campaign
-- itself may be lost. While reissued_at is NULL the campaign admits nobody.
CREATE TABLE seat_loss (
  campaign_id TEXT NOT NULL,
  first_seat INTEGER NOT NULL,
  last_seat INTEGER NOT NULL,
  accepted_at INTEGER NOT NULL,
  reissued_at INTEGER,
  PRIMARY KEY (campaign_id, accepted_at),
  CONSTRAINT seat_loss_range CHECK (first_seat BETWEEN 1 AND last_seat)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER seat_loss_insert BEFORE INSERT ON seat_loss
WHEN EXISTS (SELECT 1 FROM seat_loss WHERE campaign_id = NEW.campaign_id AND accepted_at = NEW.accepted_at) BEGIN
  SELECT RAISE(ABORT, 'seat_loss: this row exists');
END;
CREATE TRIGGER seat_loss_update BEFORE UPDATE ON seat_loss
WHEN NEW.campaign_id IS NOT OLD.campaign_id OR NEW.first_seat IS NOT OLD.first_seat
  OR NEW.last_seat IS NOT OLD.last_seat OR NEW.accepted_at IS NOT OLD.accepted_at OR OLD.reissued_at IS NOT NULL BEGIN
  SELECT RAISE(ABORT, 'seat_loss: a loss never changes; it is reissued once');
END;
CREATE TRIGGER seat_loss_delete BEFORE DELETE ON seat_loss BEGIN
  SELECT RAISE(ABORT, 'seat_loss: a loss is never deleted');
END;

CREATE TRIGGER campaign_loss_insert BEFORE INSERT ON campaign
WHEN NEW.state = 'open' AND EXISTS (SELECT 1 FROM seat_loss WHERE campaign_id = NEW.id AND reissued_at IS NULL) BEGIN
  SELECT RAISE(ABORT, 'campaign: seats of this campaign are lost and not reissued');
END;
CREATE TRIGGER campaign_loss_update BEFORE UPDATE OF state ON campaign
WHEN NEW.state = 'open' AND EXISTS (SELECT 1 FROM seat_loss WHERE campaign_id = NEW.id AND reissued_at IS NULL) BEGIN
  SELECT RAISE(ABORT, 'campaign: seats of this campaign are lost and not reissued');
END;
