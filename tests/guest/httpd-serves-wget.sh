# BusyBox's httpd answers its wget over the loopback device.
set -e
cd "$(mktemp -d)"
mkdir www
seq 1 20000 > www/numbers.txt
httpd -p 127.0.0.1:8080 -h www
wget -q -O got http://127.0.0.1:8080/numbers.txt
cmp got www/numbers.txt
! wget -q -O nothing http://127.0.0.1:8080/absent
killall httpd
