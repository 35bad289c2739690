-- Who is online on any node that lives. KEYS: the nodes. ARGV: how long a lease holds in seconds, what the keys of the
-- people of a node begin with, then the people. Returns 1 or 0 for each.
local now = tonumber(redis.call('TIME')[1])
local people, online = {}, {}
for place = 3, #ARGV do
    people[place - 2], online[place - 2] = ARGV[place], 0
end
for _, node in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], now - tonumber(ARGV[1]), '+inf')) do
    for place, found in ipairs(redis.call('SMISMEMBER', ARGV[2] .. node, unpack(people))) do
        if found == 1 then online[place] = 1 end
    end
end
return online
