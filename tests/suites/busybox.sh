# Runs BusyBox's testsuite and those of its two shells; standard input is a tar archive of them.
tar x -C /tmp
cd /tmp/bb
ln -s /bin/busybox busybox
(cd testsuite && ./runtest -v </dev/null 2>&1)
for shell in ash hush; do
	cd /tmp/bb/shell/${shell}_test
	ln -s ../../busybox $shell
	for program in printenv recho zecho; do ln -s /suite/$program $program; done
	./run-all </dev/null 2>&1 |
		sed "s/^\(.*\): ok$/PASS: $shell: \1/; s/^\(.*\): fail$/FAIL: $shell: \1/"
	for test in *.fail; do
		echo "$shell: $test"
		sed 's/^/	/' "$test"
	done
done
