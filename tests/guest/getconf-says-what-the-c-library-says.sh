# getconf knows variables by each of their names, limits, paths and texts.
set -e
cd "$(mktemp -d)"
page=$(getconf PAGESIZE)
test "$page" -ge 4096
test "$(getconf PAGE_SIZE)" = "$page"
test "$(getconf _SC_PAGESIZE)" = "$page"
test "$(getconf _NPROCESSORS_ONLN)" = "$(nproc)"
test "$(getconf LONG_BIT) $(getconf CHAR_BIT) $(getconf INT_MAX) $(getconf ULONG_MAX)" = "32 8 2147483647 4294967295"
test "$(getconf _POSIX_VERSION) $(getconf POSIX2_VERSION)" = "$(getconf VERSION) $(getconf _POSIX2_VERSION)"
test "$(getconf ARG_MAX)" -ge "$(getconf _POSIX_ARG_MAX)"
test "$(getconf -v POSIX_V7_ILP32_OFFBIG OPEN_MAX)" = "$(ulimit -n)"
test "$(getconf NAME_MAX /)" = 255
test "$(getconf LINK_MAX .)" -ge 8
case $(getconf PATH) in */bin*) ;; *) exit 1 ;; esac
test "$(getconf _POSIX_TRACE)" = undefined
test "$(getconf -a | grep -c .)" -gt 150
fails() { if getconf "$@" > out 2> said; then exit 1; fi; test ! -s out && grep -q "$message" said; }
message='^getconf: NO_SUCH_VARIABLE: no such variable$' fails NO_SUCH_VARIABLE
message='^getconf: /no/such/path: No such file or directory$' fails NAME_MAX /no/such/path
message='^getconf: NO_MAX: no such variable of a path$' fails NO_MAX /
message=^usage: fails
message=^usage: fails -x
