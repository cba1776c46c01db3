# The loopback device comes up and answers, IPv4 and IPv6.
set -e
ifconfig lo up
ping -c 3 -i 0.1 127.0.0.1 | grep -q "3 packets transmitted, 3 packets received, 0% packet loss"
ping -6 -c 1 ::1 | grep -q "1 packets received"
