-- First Come, version 8: bounds of stored numbers, held by triggers.
SELECT 1;
