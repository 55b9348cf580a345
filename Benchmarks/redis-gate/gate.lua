-- One claim. KEYS: the set of users, the counter, the stream. ARGV: the user, the quota.
-- Returns the seat, 0 where all are taken, or -1 where the user has one. Only an acceptance writes.
local seat = tonumber(redis.call('GET', KEYS[2]) or '0') + 1
if seat > tonumber(ARGV[2]) then
  return -redis.call('SISMEMBER', KEYS[1], ARGV[1])
end
if redis.call('SADD', KEYS[1], ARGV[1]) == 0 then
  return -1
end
redis.call('INCR', KEYS[2])
redis.call('XADD', KEYS[3], '*', 'seat', seat, 'user', ARGV[1])
return seat
