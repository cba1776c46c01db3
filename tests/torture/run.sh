# Runs every program in /torture and says how each ended.
for program in /torture/*; do
	timeout 60 "$program" </dev/null >/tmp/output 2>&1
	echo "ended: ${program##*/} $?"
done
