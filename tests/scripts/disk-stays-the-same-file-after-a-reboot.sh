# A disk is the file that was named, whatever else is open and whatever its name means later.
bad() { echo "$*"; exit 1; }
truncate -s 1M disk other
printf 'DISK-D' | dd of=disk conv=notrunc 2>/dev/null
printf 'OTHER!' | dd of=other conv=notrunc 2>/dev/null
ln other link
mkfifo keys out
# The caller has other files open, as a script may.
$VM --disk other,ro --disk disk < keys > out 2> err 5<>other 8<>other &
exec 7> keys 9< out
say() {
	echo "$1" >&7
	read -r line <&9
	[ "$line" = "$2" ] || bad "$1: $line $(cat err)"
}
for round in 1 2 3; do
	say 'head -c 6 /dev/vda; head -c 6 /dev/vdb; echo' 'OTHER!DISK-D'
	mv link "disk.$round"
	[ "$round" != 1 ] || { mv disk was-disk; ln other disk; }
	ln other link
	say 'echo again; reboot; sleep 100' again
done
say "printf written | dd of=/dev/vdb conv=notrunc 2>/dev/null; sync; echo done" done
echo poweroff >&7
wait $!
[ "$(head -c 7 was-disk)" = written ] || bad "what was written is elsewhere"
[ "$(head -c 6 other)" = OTHER! ] || bad "another file was written"
