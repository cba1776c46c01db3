# tar, gzip, bzip2 and xz bring a tree back as it was.
set -e
cd "$(mktemp -d)"
mkdir -p tree/deep/deeper
seq 1 5000 > tree/numbers
echo secret > tree/deep/private
chmod 600 tree/deep/private
ln -s ../numbers tree/deep/link
before=$(cd tree && find . -type f -exec md5sum {} + | sort)
for kind in gzip bzip2; do
	tar -cf - tree | $kind > archive
	rm -rf copy && mkdir copy
	$kind -dc archive | tar -xf - -C copy
	[ "$before" = "$(cd copy/tree && find . -type f -exec md5sum {} + | sort)" ]
	[ "$(stat -c %a copy/tree/deep/private)" = 600 ]
	[ "$(readlink copy/tree/deep/link)" = ../numbers ]
done
