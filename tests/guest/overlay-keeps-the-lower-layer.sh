# Changes in an overlay leave the lower directory as it was.
set -e
cd "$(mktemp -d)"
mkdir lower upper work merged
echo old > lower/file
echo gone > lower/other
mount -t overlay overlay -o lowerdir=lower,upperdir=upper,workdir=work merged
echo new > merged/file
rm merged/other
[ "$(cat merged/file lower/file)" = "new
old" ]
[ ! -e merged/other ] && [ -e lower/other ]
umount merged
