# What can go wrong with a network is said, and the machine goes on where it can.
bad() { echo "$*"; exit 1; }

# The process that serves the network dies: the link is down, and the machine lives.
mkfifo keys out
$VM --net user -- sh < keys > out 2> err &
pid=$!
exec 7> keys 9< out
say() {
	echo "$1" >&7
	read -r line <&9
	[ "$line" = "$2" ] || bad "$1: $line $(cat err)"
}
say 'cat /sys/class/net/eth0/carrier' 1
read -r device < "/proc/$pid/task/$pid/children"
kill -s KILL $device
say 'while [ "$(cat /sys/class/net/eth0/carrier)" = 1 ]; do sleep 0.1; done; echo down' down
grep -q "^warning: the network's process has ended: the link is down" err || bad "$(cat err)"
say 'echo alive' alive
echo exit >&7
wait $pid || bad "status $?"

# The machine ends: so does the process.
$VM --net user -- sh < keys > out 2> err &
pid=$!
exec 7> keys 9< out
say 'echo up' up
read -r device < "/proc/$pid/task/$pid/children"
kill -s KILL $pid
for try in 1 2 3 4 5 6 7 8 9 10; do
	# Who has become its parent need not ask what became of it.
	state=$(cut -d' ' -f3 /proc/$device/stat 2> /dev/null)
	[ "${state:-Z}" != Z ] || break
	[ $try != 10 ] || bad "the network's process has not ended"
	sleep 0.1
done

fails() { # STATUS MESSAGE OPTION...
	status=$1 message=$2
	shift 2
	$VM "$@" -- true > out.txt 2>&1 < /dev/null
	got=$?
	[ $got = "$status" ] || bad "$*: status $got, not $status: $(cat out.txt)"
	grep -q "^error: $message" out.txt || bad "$*: $(cat out.txt)"
	grep -q '^hint: ' out.txt || bad "$*: no hint"
}
fails 70 'socket ./nobody: No such file or directory' --net vhost-user=./nobody
fails 2 "'8080:80' is no value for --publish" --publish 8080:80
fails 2 "'bridge' is no value for --net" --net bridge
