# As process 1 of a container the machine gets signals only since it handles them, and ends with the status
# that shells make of them.
bad() { echo "$*"; exit 1; }
user=
[ "$(id -u)" = 0 ] || user=--map-root-user
unshare $user --pid --fork true 2>/dev/null || { echo "this host has no PID namespaces for us"; exit 0; }
for each in HUP:129 INT:130 QUIT:131 TERM:143; do
	rm -f up; mkfifo up
	env --default-signal=INT,QUIT unshare $user --pid --fork \
		$VM -- sh -c 'echo up; sleep 100' > up 2> err < /dev/null &
	pid=$!
	exec 9< up
	read -r word <&9
	[ "$word" = up ] || bad "$word $(cat err)"
	read -r machine _ < "/proc/$pid/task/$pid/children"
	kill -s "${each%:*}" "$machine"
	wait "$pid"
	got=$?
	[ "$got" = "${each#*:}" ] || bad "SIG${each%:*}: status $got"
done
