# A standard stream that is closed is so for the guest as well. No file of the machine takes its place, also
# where there is no /dev/null.
writes='dd if=/dev/zero bs=65536 count=2048 2>/dev/null; ls /bin > /dev/null && exit 7'
expect() { # NAME STATUS WANTED-STATUS WANTED-OUTPUT
	[ "$2" = "$3" ] && [ "$(cat out)" = "$4" ] || { echo "$1: status $2, $(head -c 200 out)"; exit 1; }
}
in_place() { # PREFIX: everything that starts a machine goes after it
	: > out
	$1 $VM -- sh -c 'cat; echo end' <&- > out 2> err
	expect "$1 no input" $? 0 end
	grep -q 'Bad file descriptor' err || { echo "$1 no input: $(cat err)"; exit 1; }
	: > out
	$1 $VM -- sh -c "$writes" < /dev/null >&- 2> err
	expect "$1 no output" $? 7 ""
	$1 $VM -- sh -c 'echo out; dd if=/dev/zero bs=65536 count=2048 >&2; exit 7' < /dev/null > out 2>&-
	expect "$1 no errors" $? 7 out
	: > out
	$1 $VM -- sh -c "$writes" <&- >&- 2>&-
	expect "$1 nothing" $? 7 ""
}
in_place ""

# A root directory with nothing but the machine. The emulator of another CPU needs more.
case $VM in *' '*) exit 0 ;; esac
mkdir root
cp "$VM" root/vm
VM=/vm
if [ "$(id -u)" = 0 ]; then
	in_place "chroot root"
elif unshare --map-root-user true 2>/dev/null; then
	in_place "unshare --map-root-user chroot root"
fi
