# with: bash
# What bash has that other shells have not.
set -e
cat > /tmp/script <<'END'
set -e
is() { [ "$1" = "$2" ] || { echo "$1, not $2" >&2; exit 1; }; }
declare -A map=([one]=1 [two]=2)
is "${map[two]}" 2
sum=0
for i in {1..10}; do ((sum += i ** 2)); done
is $sum 385
is "$(cat <(echo process substitution))" "process substitution"
coproc cat
echo through >&"${COPROC[1]}"
read -r -u "${COPROC[0]}" line
is "$line" through
kill "$COPROC_PID"
[[ foo123 =~ ([a-z]+)([0-9]+) ]]
is "${BASH_REMATCH[2]}" 123
text=Hello
is "${text^^} ${text,,} ${text:1:3} ${text//l/L}" "HELLO hello ell HeLLo"
is "$(printf '%(%Y)T %q' 0 'a b')" "1970 a\ b"
mapfile -t lines < <(printf 'a\nb\nc\n')
is "${#lines[@]} ${lines[-1]}" "3 c"
trap 'caught=yes' USR1
kill -USR1 $$
is "$caught" yes
shopt -s extglob globstar
is "$(echo /etc/@(passwd|group))" "/etc/group /etc/passwd"
sleep 100 &
kill $!
! wait $!
f() { local -n reference=$1; reference=changed; }
f text
is "$text" changed
is "$(echo a | { read -r x; echo "$x$BASHPID" | tr -d 0-9; })" a
END
bash /tmp/script
# Lines are edited: to the beginning of the line, and back.
typed=$(printf 'o works\001ech\n' | bash --norc -i 2>/dev/null | grep -c '^works$')
[ "$typed" = 1 ] || { echo "no line was read" >&2; exit 1; }
