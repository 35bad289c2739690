-- The heads of several logs.
-- KEYS: head and log of each. ARGV: run, fresh epoch; then of each the seen epoch and offset.
-- Returns epoch and offset of each.
local heads = {}
for place = 1, #KEYS, 2 do
    local epoch, offset = open(KEYS[place], KEYS[place + 1], ARGV[1], ARGV[2], ARGV[place + 2], ARGV[place + 3])
    table.insert(heads, epoch)
    table.insert(heads, offset)
end
return heads
