# Signals that come one after the other, also while the machine waits for the process of its network, do no harm.
bad() { echo "$*"; exit 1; }
mkfifo keys out
$VM --net user -- sh < keys > out 2> err &
pid=$!
exec 7> keys 9< out
echo 'echo up; for n in $(seq 150); do ip link set eth0 down; ip link set eth0 up; done; echo done' >&7
read -r line <&9
[ "$line" = up ] || bad "$line $(cat err)"
(while kill -s WINCH $pid 2> /dev/null; do kill -s CONT $pid; done) 2> /dev/null &
storm=$!
read -r line <&9
kill -s KILL $storm
[ "$line" = done ] || bad "$line $(cat err)"
[ ! -s err ] || bad "$(cat err)"
echo 'cat /sys/class/net/eth0/carrier; exit' >&7
read -r line <&9
[ "$line" = 1 ] || bad "carrier $line $(cat err)"
wait $pid || bad "status $?"
