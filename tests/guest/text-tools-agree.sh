# find, awk, sed, bc, sort, dd and friends do what their manuals say.
set -e
cd "$(mktemp -d)"
[ "$(seq 1 100 | awk '{ s += $1 } END { print s }')" = 5050 ]
[ "$(echo 'scale=20; 4*a(1)' | bc -l)" = 3.14159265358979323844 ]
[ "$(echo '2^200' | bc)" = 1606938044258990275541962092341162602522202993782792835301376 ]
[ "$(printf 'b\na\nc\n' | sort -r | sed -n '2s/b/middle/p')" = middle ]
dd if=/dev/zero bs=1000 count=123 2> /dev/null | wc -c | grep -qx 123000
mkdir -p a/b
touch a/one a/b/two
[ "$(find a -type f -name 't*')" = a/b/two ]
[ "$(printf 'x y\nz\n' | xargs echo)" = "x y z" ]
[ "$(echo hello | tr a-y b-z | od -An -tx1 | tr -d ' ')" = 69666d6d700a ]
[ "$(echo abc | sha256sum | cut -c1-16)" = edeaaff3f1774ad2 ]
