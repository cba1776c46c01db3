# Runs the tests of /posix that standard input names, each for a minute at most and with nothing of
# the one before it left.
cd /posix
while read -r test; do
	timeout -s KILL 60 "./$test" </dev/null >/tmp/output 2>&1
	status=$?
	kill -KILL -1
	case $status in
	0) echo "PASS: $test" ;;
	*)
		echo "FAIL: $test"
		echo "	status $status"
		tail -n 5 /tmp/output | sed 's/^/	/'
		echo
		;;
	esac
	rm -rf /tmp/* /dev/shm/* /dev/mqueue/*
done
