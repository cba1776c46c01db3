# with: lua
# Numbers, strings, tables, closures, coroutines, errors, and a file.
set -e
cat > /tmp/script <<'END'
assert(_VERSION == "Lua 5.4" and 7 // 2 == 3 and 2 ^ 53 == 9007199254740992 and 1 << 40 == 1099511627776)
assert(("linnet"):upper():rep(2, "-") == "LINNET-LINNET" and ("key = value"):match("(%w+) = (%w+)") == "key")
local numbers = {}
for i = 1, 1000 do numbers[i] = (i * 7919) % 1009 end
table.sort(numbers)
for i = 2, #numbers do assert(numbers[i - 1] < numbers[i]) end
local producer = coroutine.wrap(function() for i = 1, 3 do coroutine.yield(i) end end)
assert(producer() + producer() + producer() == 6)
local ok, message = pcall(function() error({ code = 42 }) end)
assert(not ok and message.code == 42)
local file = assert(io.open("/tmp/file", "w"))
file:write("text"):close()
assert(io.open("/tmp/file"):read("a") == "text")
assert(io.popen("echo from a pipe"):read("l") == "from a pipe")
collectgarbage()
assert(string.pack("<i4", 258) == "\2\1\0\0")
END
lua /tmp/script
luac -o /tmp/compiled /tmp/script
lua /tmp/compiled
