# nc to nc over TCP: each side gets what the other sent.
set -e
cd "$(mktemp -d)"
seq 1 3000 > question
seq 3000 -1 1 > reply
nc -l -p 5000 < reply > heard &
until nc 127.0.0.1 5000 < question > answer 2> /dev/null; do sleep 0.05; done
wait
cmp question heard
cmp reply answer
