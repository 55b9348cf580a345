-- First Come, version 3: the trace of a claim, from the acceptance to the coupon.
--
-- Who asked for a seat may have been in the middle of something that is traced: the W3C traceparent of the claim that
-- was given the seat, in the form of its version 00. NULL where there was none, and in rows of older versions.
-- Nothing here refuses a coupon for the trace that its outbox row has: no user loses a coupon for the sake of a trace.
-- The report compares the two.

ALTER TABLE outbox ADD COLUMN traceparent TEXT CONSTRAINT outbox_traceparent_form CHECK (
    traceparent IS NULL OR length(CAST(traceparent AS BLOB)) = 55
    AND traceparent GLOB '00-????????????????????????????????-????????????????-??'
    AND length(replace(traceparent, '-', '')) = 52 AND replace(traceparent, '-', '') NOT GLOB '*[^0-9a-f]*'
    AND substr(traceparent, 4, 32) <> '00000000000000000000000000000000'
    AND substr(traceparent, 37, 16) <> '0000000000000000');

ALTER TABLE coupon ADD COLUMN traceparent TEXT CONSTRAINT coupon_traceparent_form CHECK (
    traceparent IS NULL OR length(CAST(traceparent AS BLOB)) = 55
    AND traceparent GLOB '00-????????????????????????????????-????????????????-??'
    AND length(replace(traceparent, '-', '')) = 52 AND replace(traceparent, '-', '') NOT GLOB '*[^0-9a-f]*'
    AND substr(traceparent, 4, 32) <> '00000000000000000000000000000000'
    AND substr(traceparent, 37, 16) <> '0000000000000000');

-- The one trigger that names the columns which never change; those of coupon refuse every UPDATE.
DROP TRIGGER outbox_identity;
CREATE TRIGGER outbox_identity BEFORE UPDATE OF campaign_id, seat, user_id, created_at, traceparent ON outbox BEGIN
  SELECT RAISE(ABORT, 'outbox: campaign_id, seat, user_id, created_at and traceparent never change');
END;
