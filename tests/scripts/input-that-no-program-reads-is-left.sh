# What a machine's programs do not read belongs to the host's next program.
check() { # NAME WANTED GOT
	[ "$2" = "$3" ] || { printf '%s: %s, not %s\n' "$1" "$3" "$2"; exit 1; }
}
printf 'a\nb\nc\n' > list
all=$(printf 'a\nb\nc')
rest=$(printf '<a>\nb\nc')

check "a pipe, nothing read" "$all" "$(cat list | { $VM -- true; cat; })"
check "a file, nothing read" "$all" "$({ $VM -- true; cat; } < list)"
check "a line of a pipe" "$rest" "$(cat list | { $VM -- sh -c 'read x; echo "<$x>"'; cat; })"
check "a line of a file" "$rest" "$({ $VM -- sh -c 'read x; echo "<$x>"'; cat; } < list)"
check "two bytes" "$(printf 'a\nb\nc')" "$(cat list | { $VM -- dd bs=1 count=2 2>/dev/null; cat; })"
# A program that has read too much of a file puts the position back when it ends.
check "head of a file" "$all" "$({ $VM -- head -n 1; cat; } < list)"
check "a file from its middle" "$(printf 'b\nc')" "$({ read -r _; $VM -- cat; } < list)"
check "large reads of a file are whole" "1+0 records in" \
	"$(head -c 300000 /dev/zero > zeros; $VM -- dd bs=200000 count=1 of=/dev/null 2>&1 < zeros | head -n 1)"

# Who waits, and is not there any more when something comes, gets nothing.
mkfifo pipe
: > out
{ while ! grep -q end out; do sleep 0.1; done; echo late; } > pipe &
check "a reader that has given up" late "$({ $VM -- sh -c 'timeout 0.3 cat; echo end; sleep 1' > out; cat; } < pipe)"
# A program that only asks whether there is something takes nothing.
check "a question" "$all" "$(cat list | { $VM -- sh -c 'read -t 0 x'; cat; } | tail -n 3)"

n=0
while read -r line; do
	$VM -- echo "$line" >> lines
	n=$((n + 1))
done < list
check "a loop over a list" "3 $all" "$n $(cat lines)"
check "a script on standard input" "$(printf 'one\ntwo')" "$(printf 'echo one\n$VM -- true\necho two\n' | sh)"
