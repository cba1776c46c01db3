# Runs bash's own tests; standard input is a tar archive of them.
tar x -C /tmp
cd /tmp/tests
cp /suite/recho /suite/zecho /suite/printenv /suite/xcase .
export THIS_SH=/usr/bin/bash BUILD_DIR=/tmp BASH_TSTOUT=/tmp/output PATH=/tmp/tests:$PATH
for test in run-*; do
	case $test in
	# Runs of many tests.
	run-all | run-minimal | run-gprof) continue ;;
	esac
	timeout -s KILL 120 sh ./$test </dev/null >/tmp/said 2>&1
	case $? in
	0) echo "PASS: ${test#run-}" ;;
	*)
		echo "FAIL: ${test#run-}"
		sed 's/^/	/' /tmp/said
		;;
	esac
	rm -f /tmp/output
done
