#!/bin/sh
# namespace.sh DIR COMMAND... runs a command as if on a machine of its own: named
# localhost, with no names but those of its hosts file, and with a system log
# that the test reads. It is run in new UTS and mount namespaces.
#
# Sendmail waits for a minute if it cannot look up its own name, asks the DNS for
# those of its clients, and writes its log nowhere but to /dev/log.
set -eu
dir=$1
shift
hostname localhost
for file in hosts nsswitch.conf; do
	mount --bind "$dir/$file" "/etc/$file"
done
mkdir -p "$dir/dev/shm"
mount --bind /dev/shm "$dir/dev/shm"
for node in null zero random urandom; do
	: >"$dir/dev/$node"
	mount --bind "/dev/$node" "$dir/dev/$node"
done
ln -s "$dir/syslog" "$dir/dev/log"
mount --rbind "$dir/dev" /dev
exec "$@"
