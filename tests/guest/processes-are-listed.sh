# ps, top and free read /proc.
set -e
sleep 100 &
until [ "$(cat /proc/$!/comm)" = sleep ]; do :; done
ps -o pid,comm | grep -q "^ *$! sleep"
top -b -n 1 | grep -q "sleep 100"
free | awk '/^Mem:/ { exit !($2 > 100000 && $3 > 0 && $3 < $2) }'
kill $!
