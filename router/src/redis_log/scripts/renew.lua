-- Renews the lease of a node. KEYS: the nodes, the people online on this one. ARGV: the node, how long it holds in seconds.
-- Returns how many people are told of.
local now = tonumber(redis.call('TIME')[1])
redis.call('ZADD', KEYS[1], now, ARGV[1])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - 3600)
redis.call('EXPIRE', KEYS[2], ARGV[2])
return redis.call('SCARD', KEYS[2])
