-- Reads the entries after a place.
-- KEYS: head, log. ARGV: run, fresh epoch, seen epoch, seen offset, the place's epoch and offset, how many at most.
-- Returns epoch, head, up to where the log is trimmed if it does not reach back to the place and -1 if it does, then offset and
-- body of each entry.
local epoch, offset, trimmed = open(KEYS[1], KEYS[2], ARGV[1], ARGV[2], ARGV[3], ARGV[4])
local after = tonumber(ARGV[6])
if ARGV[5] ~= epoch or after < trimmed or after > offset then
    return { epoch, offset, trimmed }
end
local found = { epoch, offset, -1 }
for _, row in ipairs(redis.call('XRANGE', KEYS[2], '(' .. entry_id(after), '+', 'COUNT', ARGV[7])) do
    table.insert(found, tonumber(string.match(row[1], '^%d+')))
    table.insert(found, row[2][6])
end
return found
