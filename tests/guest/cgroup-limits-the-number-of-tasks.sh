# A cgroup's pids.max holds.
set -e
cd /sys/fs/cgroup
echo +pids > cgroup.subtree_control
mkdir box
echo 3 > box/pids.max
! sh -c 'echo $$ > box/cgroup.procs; for i in 1 2 3 4 5; do sleep 0.2 & done; wait' 2> /dev/null
[ "$(awk '/^max/ { print $2 }' box/pids.events)" -gt 0 ]
until rmdir box 2> /dev/null; do sleep 0.05; done
