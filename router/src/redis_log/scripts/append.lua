-- Appends entries and publishes them, in one step.
-- KEYS: head, log. ARGV: run, fresh epoch, seen epoch, seen offset, entries kept, oldest time kept, lifetime in ms, channel;
-- then of each entry: its time, the message it tells of or '', '1' if it recalls that message, its body.
local head, log = KEYS[1], KEYS[2]
local epoch, offset, trimmed = open(head, log, ARGV[1], ARGV[2], ARGV[3], ARGV[4])
local kept, oldest = tonumber(ARGV[5]), tonumber(ARGV[6])

-- The text of a recalled message is gone from its earlier entries: they leave a hole, the entry that recalls it comes behind.
-- That one has no text, and stays when the message is recalled once more: the later entry may be the earlier version.
local function forget(message)
    local from = '-'
    while true do
        local rows = redis.call('XRANGE', log, from, '+', 'COUNT', 256)
        if #rows == 0 then return end
        for _, row in ipairs(rows) do
            if row[2][4] == message then redis.call('XDEL', log, row[1]) end
        end
        from = '(' .. rows[#rows][1]
    end
end

local told = { 'E', epoch, string.format('%020.0f', offset + 1) }
for place = 9, #ARGV, 4 do
    local time, message, recalls, body = ARGV[place], ARGV[place + 1], ARGV[place + 2], ARGV[place + 3]
    if recalls == '1' then forget(message) end
    offset = offset + 1
    local text_of = recalls == '1' and '' or message
    redis.call('XADD', log, entry_id(offset), 'time', time, 'message', text_of, 'body', body)
    table.insert(told, struct.pack('>I4', #body))
    table.insert(told, body)
end

trimmed = math.max(trimmed, offset - kept)
-- A few at a time: more than that come with the next entry.
for _ = 1, 64 do
    local first = redis.call('XRANGE', log, '-', '+', 'COUNT', 1)[1]
    if not first or tonumber(first[2][2]) >= oldest then break end
    redis.call('XDEL', log, first[1])
    trimmed = math.max(trimmed, tonumber(string.match(first[1], '^%d+')))
end
redis.call('XTRIM', log, 'MINID', '~', entry_id(trimmed + 1))
redis.call('PEXPIRE', log, ARGV[7])
redis.call('HSET', head, 'offset', number(offset), 'trimmed', number(trimmed))
redis.call('PUBLISH', ARGV[8], table.concat(told))
return { epoch, offset }
