-- First Come, version 7: lapses of leases, counted by event.
SELECT 1;
