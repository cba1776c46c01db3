# with: zlib,bzip2,xz,zstd
# What each compresses, it and BusyBox bring back.
set -e
cd /tmp
{ cat /bin/busybox; head -c 100000 /dev/urandom; yes text | head -n 10000; } > original
for tool in minigzip:gz:gunzip bzip2:bz2:bunzip2 xz:xz:unxz; do
	IFS=: read -r compress suffix expand <<END
$tool
END
	cp original copy
	/usr/bin/$compress copy
	[ "$(stat -c %s copy.$suffix)" -lt "$(stat -c %s original)" ]
	busybox $expand -c copy.$suffix | cmp - original
	/usr/bin/$compress -d copy.$suffix
	cmp copy original
done
zstd -q -T2 original -o copy.zst
zstd -q -d -c copy.zst | cmp - original
xz -T2 -c original | xz -d | cmp - original
