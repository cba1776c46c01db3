# unshare makes a machine inside the machine.
set -e
[ "$(unshare -p -f -m sh -c 'mount -t proc proc /proc; echo $$')" = 1 ]
before=$(hostname)
[ "$(unshare -u sh -c 'hostname inner; hostname')" = inner ]
[ "$(hostname)" = "$before" ]
[ "$(unshare -n sh -c 'ip -o link | wc -l')" = 1 ]
