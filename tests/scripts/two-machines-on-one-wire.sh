# The first machine begins the wire and gives out addresses; the others join it.
bad() { echo "$*"; exit 1; }
mkfifo first.in first.out
$VM --net socket=wire -- sh < first.in > first.out 2> first.err &
pid=$!
exec 7> first.in 9< first.out
echo 'ip -4 -o address show dev eth0 | sed "s|.*inet ||; s|/.*||"' >&7
read -r address <&9
[ "$address" = 10.0.2.15 ] || bad "the first machine has $address $(cat first.err)"
echo 'mkdir /www; head -c 3000000 /dev/zero > /www/zeros; httpd -h /www; echo serves' >&7
read -r line <&9
[ "$line" = serves ] || bad "$line"
for other in second third; do
	$VM --net socket=wire -- sh -c 'wget -T 20 -q -O - http://10.0.2.15/zeros | cksum; ping -c 3 -q 10.0.2.15 | grep -o "0% packet loss"' > $other.out 2>&1 < /dev/null || bad "$(cat $other.out)"
	[ "$(echo $(cat $other.out))" = "$(head -c 3000000 /dev/zero | cksum) 0% packet loss" ] || bad "$other: $(cat $other.out)"
done
echo exit >&7
wait $pid || bad "status $?"
[ -S wire ] || bad "there is no socket"
# What is left of a wire whose machines are gone is no hindrance.
$VM --net socket=wire -- true < /dev/null || bad "the path cannot be used again"
