# `vm -- CMD | head` behaves as `CMD | head` does.
pipe() { # NAME STATUS LINES COMMAND...
	name=$1 wanted=$2 lines=$3
	shift 3
	{ timeout -s KILL 60 "$@" < /dev/null 2> err; echo $? > status; } | head -n "$lines" > data
	got=$(cat status)
	if [ "$got" != "$wanted" ] || [ "$(wc -l < data)" != "$lines" ]; then
		echo "$name: status $got, $(wc -l < data) lines, $(head -n 2 err)"
		exit 1
	fi
}
pipe "a loop in the shell" 141 1 $VM -- sh -c 'while :; do echo y; done'
pipe "yes" 141 1 $VM -- yes
pipe "seq" 141 3 $VM -- seq 1 100000000
pipe "a pipeline of the guest" 141 2 $VM -- sh -c 'yes | cat'
pipe "a child" 0 1 $VM -- sh -c 'yes; true'
pipe "the guest ignores it" 1 1 $VM -- sh -c 'trap "" PIPE; while echo y; do :; done; exit 1'
# It is ignored in the guest if it was for the machine: then the write fails, and yes says so.
pipe "the caller ignores it" 1 1 env --ignore-signal=PIPE $VM -- yes
grep -qi 'broken pipe' err || { echo "yes did not say so: $(cat err)"; exit 1; }
# poll(2) tells of it, too: nothing is written here.
pipe "one who waits" 0 0 $VM -- sh -c 'sleep 0.5; exit 0'

expect() { # NAME STATUS WANTED
	[ "$2" = "$3" ] || { echo "$1: status $2, not $3"; exit 1; }
}
# A named pipe whose reader is gone: sh has no other way to have one.
mkfifo gone
: < gone & exec 8> gone; wait $!
$VM -- sh -c 'echo y; echo z; exit 3' < /dev/null >&8 2> err
expect "nobody reads" $? 141
$VM -- sh -c 'echo y >&2; echo z >&2; exit 3' < /dev/null 2>&8
expect "nobody reads errors" $? 141
$VM -- cat /etc/passwd < /dev/null > /dev/full 2> err
expect "a full device" $? 1
grep -qi 'no space' err || { echo "a full device: $(cat err)"; exit 1; }
$VM -- seq 1 200000 < /dev/null 2>/dev/null | head -c 65536 > data
seq 1 200000 | head -c 65536 | cmp - data
