-- First Come, version 6: the log link, by which every program sees whether a write-ahead log belongs to this file.
--
-- Every write transaction renews the one row of log_link: its nonce becomes prev, and nonce and seq are new. So the
-- first transaction of a log names the state that it was written on. Before a program opens the database, it compares
-- the log with the main file by plain reads: docs/decisions/0021-the-log-link.md.
--
-- The row must stand at one place in the file. A filler takes the low pages while the table is created, because VACUUM
-- gives tables low pages: a vacuumed copy then has no link at the old place. 2^40 keeps seq at six bytes, so the row
-- never moves within its page.

CREATE TABLE log_link_filler (bytes BLOB NOT NULL) STRICT;
INSERT INTO log_link_filler (bytes) VALUES (zeroblob(400000));

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
INSERT INTO log_link (id, tag, seq, prev, nonce)
VALUES (1, 'log_link', 1099511627776, zeroblob(16), randomblob(16));

DROP TABLE log_link_filler;

CREATE TRIGGER log_link_update BEFORE UPDATE ON log_link
WHEN NEW.id IS NOT OLD.id OR NEW.seq IS NOT OLD.seq + 1 OR NEW.prev IS NOT OLD.nonce OR NEW.nonce IS OLD.nonce BEGIN
  SELECT RAISE(ABORT, 'log_link: seq rises by one, prev becomes the nonce before, and the nonce is new');
END;
CREATE TRIGGER log_link_insert BEFORE INSERT ON log_link WHEN EXISTS (SELECT 1 FROM log_link) BEGIN
  SELECT RAISE(ABORT, 'log_link: there is one row');
END;
CREATE TRIGGER log_link_delete BEFORE DELETE ON log_link BEGIN
  SELECT RAISE(ABORT, 'log_link: the row is never deleted');
END;
