# with: dash
# A plain shell.
set -e
[ "$(dash -c 'x=5; f() { echo $((x * $1)); }; f 4 | sed s/0/zero/')" = 2zero ]
[ "$(dash -c 'trap "echo bye" EXIT; (exit 3); echo $?')" = "$(printf '3\nbye')" ]
