# with: mujs
# ECMAScript 5.
set -e
echo 'print([3, 1, 2].sort().map(function (x) { return x * x }).join(), JSON.stringify({ a: /b+/.exec("abbc")[0] }))' > /tmp/a.js
[ "$(mujs /tmp/a.js)" = '1,4,9 {"a":"bb"}' ]
