// SPDX-License-Identifier: MIT OR Apache-2.0
// Lua: tables, numbers, strings and closures.
#include "../program.h"
#include "lua.h"
#include "lauxlib.h"
#include "lualib.h"

static const char script[] =
    "local result = 0\n"
    "local function queens(n)\n"
    "  local found, cols, up, down = 0, {}, {}, {}\n"
    "  local function place(row)\n"
    "    if row > n then found = found + 1 return end\n"
    "    for c = 1, n do\n"
    "      if not (cols[c] or up[row + c] or down[row - c]) then\n"
    "        cols[c], up[row + c], down[row - c] = true, true, true\n"
    "        place(row + 1)\n"
    "        cols[c], up[row + c], down[row - c] = nil, nil, nil\n"
    "      end\n"
    "    end\n"
    "  end\n"
    "  place(1)\n"
    "  return found\n"
    "end\n"
    "result = result + queens(7)\n"
    "local function norm(n)\n"
    "  local function a(i, j) return 1 / ((i + j) * (i + j + 1) / 2 + i + 1) end\n"
    "  local u, v = {}, {}\n"
    "  for i = 1, n do u[i] = 1 end\n"
    "  for _ = 1, 2 do\n"
    "    for i = 0, n - 1 do\n"
    "      local s = 0\n"
    "      for j = 0, n - 1 do s = s + a(i, j) * u[j + 1] end\n"
    "      v[i + 1] = s\n"
    "    end\n"
    "    u, v = v, u\n"
    "  end\n"
    "  local s = 0\n"
    "  for i = 1, n do s = s + u[i] end\n"
    "  return s\n"
    "end\n"
    "result = result + math.floor(norm(120) * 1000)\n"
    "local words = {}\n"
    "for i = 1, 4000 do\n"
    "  local word = string.format('%x-%d', i * 7919 % 1009, i % 13)\n"
    "  words[#words + 1] = word\n"
    "end\n"
    "table.sort(words)\n"
    "local counts = {}\n"
    "for _, word in ipairs(words) do\n"
    "  for part in word:gmatch('[^-]+') do counts[part] = (counts[part] or 0) + 1 end\n"
    "end\n"
    "local keys = {}\n"
    "for key in pairs(counts) do keys[#keys + 1] = key end\n"
    "table.sort(keys, function(x, y)\n"
    "  if counts[x] ~= counts[y] then return counts[x] > counts[y] end\n"
    "  return x < y\n"
    "end)\n"
    "for i = 1, 50 do result = result * 3 % 1000003 + counts[keys[i]] end\n"
    "local text = table.concat(words, ' '):gsub('(%x+)-(%d+)', '%2:%1'):upper()\n"
    "result = result + #text + select(2, text:gsub('A', ''))\n"
    "local class = {}\n"
    "class.__index = class\n"
    "class.__add = function(x, y) return setmetatable({n = x.n + y.n}, class) end\n"
    "function class:twice() return self + self end\n"
    "local object = setmetatable({n = 1}, class)\n"
    "for i = 1, 20000 do object = object:twice() object.n = object.n % 65537 end\n"
    "result = result + object.n\n"
    "return result\n";

uint32_t run(void)
{
	static const luaL_Reg libraries[] = {
	    {LUA_GNAME, luaopen_base},	     {LUA_TABLIBNAME, luaopen_table},
	    {LUA_STRLIBNAME, luaopen_string}, {LUA_MATHLIBNAME, luaopen_math},
	    {NULL, NULL},
	};
	lua_State *lua = luaL_newstate();
	for (const luaL_Reg *library = libraries; library->name; library++) {
		luaL_requiref(lua, library->name, library->func, 1);
		lua_pop(lua, 1);
	}
	if (luaL_loadstring(lua, script) || lua_pcall(lua, 0, 1, 0)) {
		puts(lua_tostring(lua, -1));
		abort();
	}
	uint32_t result = (uint32_t)lua_tointeger(lua, -1);
	lua_close(lua);
	return result;
}
