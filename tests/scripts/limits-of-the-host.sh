# Under limits of the caller the machine works, or it says in one line what it lacks.
bad() { echo "$*"; exit 1; }
check() { # MUST NAME COMMAND...: MUST is "works", or "may refuse"
	must=$1 name=$2
	shift 2
	# Through pipes, since a limit may be one of files.
	{ { timeout -s KILL 60 "$@" < /dev/null 2>&3 3>&-; echo $? > status; } | cat > out; } 3>&1 | cat > err
	got=$(cat status)
	[ "$got" = 0 ] && [ "$(cat out)" = hello ] && return
	[ "$must" = "may refuse" ] && [ ! -s out ] && grep -q '^error: ' err && [ "$got" = 70 ] && return
	bad "$name: status $got, $(cat out), $(tail -n 2 err)"
}
limited() { # MUST LIMIT VALUE
	check "$1" "$2 $3" prlimit "--$2=$3" $VM --cpus 2 -- echo hello
}
limited "may refuse" fsize 0
limited "may refuse" fsize 1000000
limited "may refuse" nofile 3
limited "may refuse" nofile 5
limited works nofile 10
limited works core 0
limited works stack 65536
limited works stack unlimited
limited works memlock 0
# A limit that the process may raise is no limit of the machine's memory, but is one of what it writes.
limited works fsize 1000000:unlimited
prlimit --fsize=1000000:unlimited $VM -- sh -c 'head -c 3000000 /dev/zero; exit 4' < /dev/null > out 2> err
[ $? = 4 ] || bad "beyond the size of a file"
[ "$(wc -c < out)" = 1000000 ] || bad "the file has $(wc -c < out) bytes"
env --ignore-signal=XFSZ prlimit --fsize=1000000:unlimited $VM -- dd if=/dev/zero bs=3000000 count=1 \
	< /dev/null > out 2> err && bad "beyond the size of a file: no error"
grep -qi 'file too large' err || bad "beyond the size of a file: $(cat err)"
timeout -s KILL 60 prlimit --cpu=1:20 $VM -- sh -c 'while :; do :; done' < /dev/null > out 2> err
[ $? = 152 ] || bad "the time of the CPU: status $?"

check works "no environment" env -i $VM -- echo hello
command -v bash > /dev/null && check works "no name" bash -c 'exec -a "" "$@"' bash $VM -- echo hello
check works "a directory that is gone" sh -c 'mkdir gone; cd gone; rmdir ../gone; exec "$@"' sh $VM -- echo hello
check works "a mask" sh -c 'umask 777; exec "$@"' sh $VM -- echo hello
check works "addresses in their old order" setarch -L $VM -- echo hello
check works "addresses not at random" setarch -R $VM -- echo hello
check works "what is read may be executed" setarch -X $VM -- echo hello

# Descriptors that the caller has open stay what they are.
printf 'one\ntwo\n' > file
{ $VM -- true < /dev/null; read -r line <&9; } 9< file || bad "a descriptor of the caller is gone"
[ "$line" = one ] || bad "a descriptor of the caller was used: $line"

# An emulator needs room, descriptors and threads of its own.
case $VM in *' '*) exit 0 ;; esac

# Less and less room for addresses: from some point on the machine says that it has too little, and above it
# a system without room for another process says so and goes on.
for megabytes in 4000 2400 2000 1800 1700 1600 1500 1400 1200 1000 500 100 30; do
	limited "may refuse" as $((megabytes << 20))
done
limited works as $((4000 << 20))
# Until there is no room for another process: the shell that asks for it ends, and all goes on.
many='sh -c "n=0; while [ \$n -lt 200 ]; do sleep 100 & n=\$((n + 1)); done; exit 3" 2> /tmp/refused
[ $? = 2 ] && read -r why < /tmp/refused || exit 3
kill -9 -1
sleep 0.1
case $why in *"fork: "*) echo still alive | cat ;; esac'
for megabytes in 1700 1800 1900 2000; do
	prlimit --as=$((megabytes << 20)) $VM --cpus 1 -- sh -c "$many" < /dev/null > out 2> err
	[ "$?:$(cat out)" = "0:still alive" ] || bad "addresses for $megabytes MiB: $(cat out err)"
done

# A user who may have few processes; the machine's threads are such.
if [ "$(id -u)" = 0 ]; then
	# Where that user may read it.
	place=$(mktemp -d)
	trap 'rm -r "$place"' EXIT
	cp "$VM" "$place/machine"
	chmod 755 "$place" "$place/machine"
	for processes in 1 2 3 5 9; do
		check "may refuse" "$processes processes" setpriv --reuid 54321 --regid 54321 --clear-groups \
			prlimit --nproc=$processes "$place/machine" --cpus 4 -- echo hello
	done
	check works "10 processes" setpriv --reuid 54321 --regid 54321 --clear-groups \
		prlimit --nproc=10 "$place/machine" --cpus 4 -- echo hello
fi

# Any descriptor may be open already, up to the last one.
if command -v bash > /dev/null; then
	check works "descriptor 100" bash -c 'exec 100< /dev/null; exec "$@"' bash $VM -- echo hello
	check works "many descriptors" bash -c 'for n in {3..200}; do eval "exec $n< /dev/null"; done; exec "$@"' bash \
		$VM -- echo hello
	check "may refuse" "all descriptors" bash -c 'for n in {3..63}; do eval "exec $n< /dev/null"; done
		ulimit -n 64; exec "$@"' bash $VM -- echo hello
fi
