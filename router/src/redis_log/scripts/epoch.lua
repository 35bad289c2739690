-- What every script of a space's log begins with.
--
-- A log's head is a hash: the run of the server it was made by, its epoch and since when (milliseconds, by the server), the
-- offset of its last entry, and the offset up to which it was trimmed. A server that restarted or was promoted has another run: what it remembers may lack the last
-- seconds, so the log begins anew. It does so too when it stands lower than one has seen it.
local function number(value)
    return string.format('%.0f', value)
end

local function entry_id(offset)
    return number(offset) .. '-0'
end

local function open(head, log, run, fresh, seen_epoch, seen_offset)
    local kept = redis.call('HMGET', head, 'run', 'epoch', 'offset', 'trimmed')
    local epoch, offset, trimmed = kept[2], tonumber(kept[3] or 0), tonumber(kept[4] or 0)
    if kept[1] ~= run or (epoch == seen_epoch and offset < tonumber(seen_offset)) then
        redis.call('DEL', head, log)
        local now = redis.call('TIME')
        local begun = number(now[1] * 1000 + math.floor(now[2] / 1000))
        redis.call('HSET', head, 'run', run, 'epoch', fresh, 'begun', begun, 'offset', 0, 'trimmed', 0)
        return fresh, 0, 0
    end
    -- Its entries lived out their time, or made room for others.
    if trimmed < offset and redis.call('EXISTS', log) == 0 then
        trimmed = offset
    end
    return epoch, offset, trimmed
end
