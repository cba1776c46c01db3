// SPDX-License-Identifier: MIT OR Apache-2.0
// MuJS: objects, numbers, strings, regular expressions and closures.
#include "../program.h"
#include "mujs.h"

static const char script[] =
    "var result = 0;\n"
    "function Node(key) { this.key = key; this.left = null; this.right = null; }\n"
    "Node.prototype.insert = function (key) {\n"
    "  var side = key < this.key ? 'left' : 'right';\n"
    "  if (this[side]) this[side].insert(key); else this[side] = new Node(key);\n"
    "};\n"
    "Node.prototype.depth = function () {\n"
    "  var l = this.left ? this.left.depth() : 0, r = this.right ? this.right.depth() : 0;\n"
    "  return 1 + Math.max(l, r);\n"
    "};\n"
    "var root = new Node(5000), seed = 7;\n"
    "for (var i = 0; i < 1500; i++) {\n"
    "  seed = (seed * 1103 + 12345) % 65536;\n"
    "  root.insert(seed);\n"
    "}\n"
    "result += root.depth();\n"
    "function sieve(n) {\n"
    "  var marks = [], count = 0;\n"
    "  for (var i = 2; i <= n; i++) marks[i] = true;\n"
    "  for (var i = 2; i <= n; i++)\n"
    "    if (marks[i]) { count++; for (var j = i * 2; j <= n; j += i) marks[j] = false; }\n"
    "  return count;\n"
    "}\n"
    "result += sieve(6000);\n"
    "var words = [];\n"
    "for (var i = 0; i < 1200; i++) words.push((i * 7919 % 1009).toString(16) + '-' + i % 13);\n"
    "words.sort();\n"
    "var text = words.join(' ').replace(/([0-9a-f]+)-([0-9]+)/g, '$2:$1');\n"
    "for (var i = 0; i < text.length; i += 3) result = (result * 31 + text.charCodeAt(i)) % 65521;\n"
    "var counts = {};\n"
    "text.split(/[ :]/).forEach(function (w) { counts[w] = (counts[w] || 0) + 1; });\n"
    "for (var key in counts) result += counts[key] * key.length;\n"
    "function fib(n) { return n < 2 ? n : fib(n - 1) + fib(n - 2); }\n"
    "result += fib(17);\n"
    "var x = 0.1;\n"
    "for (var i = 0; i < 20000; i++) x = 3.7 * x * (1 - x);\n"
    "result += Math.floor(x * 1000);\n"
    "result += JSON.parse(JSON.stringify({ a: words.slice(0, 200), b: [1.5, null, true] })).a.length;\n";

uint32_t run(void)
{
	js_State *js = js_newstate(NULL, NULL, JS_STRICT);
	if (!js || js_dostring(js, script))
		abort();
	js_getglobal(js, "result");
	uint32_t result = (uint32_t)js_tonumber(js, -1);
	js_freestate(js);
	return result;
}
