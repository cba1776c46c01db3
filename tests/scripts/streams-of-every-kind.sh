# Standard streams are whatever the caller has.
expect() { # NAME WANTED GOT
	[ "$2" = "$3" ] || { printf '%s: %s, not %s\n' "$1" "$3" "$2"; exit 1; }
}
expect "a directory" 1 "$($VM -- cat < . 2> err; echo $?)"
grep -q 'Is a directory' err || { cat err; exit 1; }
# Opened the other way round.
echo text > file
expect "input that cannot be read" 1 "$($VM -- cat 0>> file 2> err; echo $?)"
grep -q 'Bad file descriptor' err || { cat err; exit 1; }
$VM -- echo 1< file 2> err && { echo "output that cannot be written"; exit 1; }
expect "output that cannot be written" text "$(cat file)"
# What is there stays, and what follows comes after it.
{ echo one; $VM -- echo two; echo three; } > file < /dev/null
expect "a file" "one two three" "$(echo $(cat file))"
{ $VM -- echo four; } >> file < /dev/null
expect "a file that grows" "one two three four" "$(echo $(cat file))"
expect "errors and output in one place" "a b c" \
	"$(echo $($VM -- sh -c 'echo a; echo b >&2; echo c' 2>&1 < /dev/null))"
# One stream for all three, and another program goes on with it.
printf 'in\n' > all
{ $VM -- sh -c 'read x; echo "<$x>"; echo err >&2'; echo after >&0; } 0<> all 1>&0 2>&0
expect "one file for all" "in <in> err after" "$(echo $(cat all))"
expect "a position that is the guest's to move" 30 \
	"$($VM -- sh -c 'exec dd bs=10 skip=3 count=1 2>/dev/null' < "$0" | head -c 3 | wc -c | sed s/3/30/)"
