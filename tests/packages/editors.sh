# with: ncurses,less,nano,vim
# vim edits by script; the others find their terminal.
set -e
printf 'hello\nworld\n' > /tmp/file
vim -u NONE -es -c '%s/world/linnet/' -c 'normal Godone' -c wq /tmp/file
[ "$(cat /tmp/file)" = "$(printf 'hello\nlinnet\ndone')" ]
vim -u NONE -es -c 'call writefile([json_encode({"a": range(3)})], "/tmp/out")' -c q
[ "$(cat /tmp/out)" = '{"a": [0, 1, 2]}' ] || [ "$(cat /tmp/out)" = '{"a":[0,1,2]}' ]
nano --version | grep -q "version 7.2"
[ "$(less /tmp/file | head -n 1)" = hello ]
[ "$(TERM=tmux-256color tput colors)" = 256 ]
