# A signal that asks a program to end asks the guest to end in order. The process then ends by that signal.
bad() { echo "$*"; exit 1; }
start() { # COMMAND...: starts it in the background and waits until it says "up"
	rm -f up; mkfifo up
	"$@" > up 2> err < /dev/null &
	pid=$!
	exec 9< up
	read -r word <&9
	[ "$word" = up ] || bad "$*: $word $(cat err)"
}
finish() { # NAME WANTED
	wait "$pid"
	got=$?
	[ "$got" = "$2" ] || bad "$1: status $got, not $2"
}
for each in HUP:129 INT:130 QUIT:131 TERM:143; do
	signal=${each%:*}
	# A shell's jobs in the background ignore two of them.
	start env --default-signal=INT,QUIT $VM -- sh -c 'echo up; sleep 100'
	kill -s "$signal" "$pid"
	finish "SIG$signal" "${each#*:}"
done

# The command gets the signal, and has the time to do something about it.
start $VM -- sh -c 'trap "echo bye; sleep 1; echo ended; exit 0" TERM; echo up; while :; do sleep 0.1; done'
kill -s TERM "$pid"
finish "a command with a handler" 143
[ "$(echo $(cat <&9))" = "bye ended" ] || bad "the handler did not run to its end"

# One that does nothing about it is given up after a while, or at the second signal.
start $VM -- sh -c 'trap "" TERM; echo up; while :; do sleep 0.1; done'
kill -s TERM "$pid"
sleep 0.5
kill -s 0 "$pid" || bad "it had no time"
kill -s TERM "$pid"
finish "the second signal" 143

# While it boots, and nobody in the guest could listen.
$VM -- sleep 100 < /dev/null > /dev/null 2>&1 &
pid=$!
kill -s TERM "$pid"
finish "during the boot" 143

# What the caller ignores does not end it, and what it blocks does not disturb it.
start env --ignore-signal=HUP,INT,TERM,USR1,TTIN,TTOU,CHLD,XFSZ $VM -- sh -c 'echo up; sleep 1; exit 5'
for signal in HUP INT TERM USR1; do kill -s $signal "$pid"; done
finish "ignored signals" 5
env --ignore-signal=HUP $VM -- sh -c 'kill -HUP $$; exit 6' < /dev/null
[ $? = 6 ] || bad "the command does not ignore what the caller ignores"
env --block-signal $VM -- sh -c 'kill -TERM $$; exit 7' < /dev/null
[ $? = 143 ] || bad "the machine is not itself where all signals are blocked"

# The others end it at once, as signals.
start $VM -- sh -c 'echo up; sleep 100'
kill -s USR1 "$pid"
finish "another signal" 138
start $VM -- sh -c 'echo up; sleep 100'
kill -s SEGV "$pid"
finish "a signal of a fault that was none" 139

# SIGINT ends the loop that runs the machine: a shell asks whether the program died of it.
if command -v bash > /dev/null; then
	echo 'for i in 1 2 3; do $VM -- sh -c "echo up; sleep 2"; done; echo not reached' > loop
	start setsid env --default-signal=INT bash loop
	kill -s INT -- "-$pid"
	finish "a loop" 130
	[ -z "$(cat <&9)" ] || bad "the loop went on"
fi
