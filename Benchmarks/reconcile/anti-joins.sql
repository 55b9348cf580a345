-- What somebody would type into the sqlite3 shell to know what reconcile report knows. Each statement prints nothing
-- or 0 where all is well.
BEGIN;
-- counter, set and quota
SELECT id FROM campaign WHERE counter <> (SELECT count(*) FROM accepted_user WHERE campaign_id = id)
  OR counter <> (SELECT ifnull(max(seat), 0) FROM accepted_user WHERE campaign_id = id) OR counter > quota;
-- accepted, and nothing on its way
SELECT count(*) FROM accepted_user a WHERE NOT EXISTS (SELECT 1 FROM coupon c WHERE c.campaign_id = a.campaign_id AND c.seat = a.seat)
  AND NOT EXISTS (SELECT 1 FROM outbox o WHERE o.campaign_id = a.campaign_id AND o.seat = a.seat AND o.state = 'pending')
  AND NOT EXISTS (SELECT 1 FROM failed_event f WHERE f.campaign_id = a.campaign_id AND f.seat = a.seat AND f.state <> 'resolved');
-- no outbox row
SELECT count(*) FROM accepted_user a LEFT JOIN outbox o USING (campaign_id, seat) WHERE o.seat IS NULL OR o.user_id <> a.user_id;
-- coupons that nobody was accepted for, outside the quota, or of another trace
SELECT count(*) FROM coupon c LEFT JOIN accepted_user a USING (campaign_id, seat) WHERE a.seat IS NULL OR a.user_id <> c.user_id;
SELECT count(*) FROM coupon c JOIN campaign p ON p.id = c.campaign_id WHERE c.seat NOT BETWEEN 1 AND p.quota;
-- what outbox rows and failed events claim
SELECT count(*) FROM outbox o LEFT JOIN coupon c USING (campaign_id, seat)
  WHERE (o.state = 'delivered' AND c.seat IS NULL) OR (o.state = 'pending' AND c.seat IS NOT NULL)
    OR (c.seat IS NOT NULL AND c.traceparent IS NOT o.traceparent);
SELECT count(*) FROM outbox o LEFT JOIN failed_event f USING (campaign_id, seat) WHERE (o.state = 'failed') <> (f.seat IS NOT NULL);
SELECT count(*) FROM failed_event f LEFT JOIN coupon c USING (campaign_id, seat) WHERE (f.state = 'resolved') <> (c.seat IS NOT NULL);
-- one each
SELECT count(*) FROM (SELECT 1 FROM accepted_user GROUP BY campaign_id, user_id HAVING count(*) > 1);
SELECT count(*) FROM (SELECT 1 FROM coupon GROUP BY campaign_id, user_id HAVING count(*) > 1);
SELECT count(*) FROM (SELECT 1 FROM coupon GROUP BY campaign_id, code HAVING count(*) > 1);
-- times and window
SELECT count(*) FROM (SELECT accepted_at < lag(accepted_at) OVER (PARTITION BY campaign_id ORDER BY seat) AS back FROM accepted_user) WHERE back;
SELECT count(*) FROM accepted_user a JOIN campaign p ON p.id = a.campaign_id WHERE a.accepted_at < p.opens_at OR a.accepted_at >= p.closes_at;
-- attempts and codes of pools
SELECT count(*) FROM failed_event f WHERE attempts <> pruned_attempts + (SELECT count(*) FROM attempt t
  WHERE t.campaign_id = f.campaign_id AND t.seat = f.seat AND outcome IN ('resolved', 'transient', 'permanent'));
SELECT count(*) FROM pool_code k LEFT JOIN coupon c ON c.campaign_id = k.campaign_id AND c.code = k.code
  WHERE k.seat IS NOT NULL AND c.seat IS NOT k.seat;
COMMIT;
PRAGMA foreign_key_check;
PRAGMA integrity_check;
