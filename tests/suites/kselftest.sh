# Runs the selftests of /kselftest that standard input names, each for two minutes at most.
while read -r test; do
	cd "/kselftest/${test%/*}"
	timeout -s KILL 120 ./${test##*/} </dev/null >/tmp/output 2>&1
	status=$?
	kill -KILL -1
	case $status in
	0) echo "PASS: $test" ;;
	4) echo "SKIP: $test" ;;
	*) echo "FAIL: $test" ;;
	esac
	# Its parts, by number.
	sed -n "/# SKIP/d; s|^ok \([0-9]*\) .*|PASS: $test: \1|p; s|^not ok \([0-9]*\) .*|FAIL: $test: \1|p" /tmp/output
	echo "	status $status"
	tail -n 300 /tmp/output | sed 's/^/	/'
	echo
	cd /
	rm -rf /tmp/* /dev/shm/* /dev/mqueue/*
done
