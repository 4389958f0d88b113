#!/bin/sh
# install.sh brings what the end-to-end tests run against to a Debian system:
# Postfix and miltertest as packages, and Sendmail, which cannot be installed
# beside Postfix, unpacked in the user's cache directory. For the tests of the
# program against other milters it brings a C compiler, unless there is one,
# libmilter, OpenDKIM, and Prometheus, whose promtool checks metrics; for those of
# the shared store Redis, for those of the DNS NSD. It starts no daemon and may be run
# any number of times. What it cannot bring it names; the tests that need it are
# skipped.
set -eu

cache=${XDG_CACHE_HOME:-$HOME/.cache}/millstream-e2e
sendmail=$cache/sendmail
export DEBIAN_FRONTEND=noninteractive

say() { echo "e2e: $*"; }

# quietly runs a command, and shows what it wrote only if it fails.
quietly() {
	"$@" >"$cache/log" 2>&1 && return 0
	say "this failed: $*"
	cat "$cache/log"
	return 1
}

# update reads the package lists once, and only if something is missing.
update() {
	[ -z "${updated:-}" ] || return 0
	say "reading the package lists"
	quietly apt-get update -qq || say "going on with the old ones"
	updated=yes
}

installed() {
	case $(dpkg-query -W -f='${Status}' "$1" 2>/dev/null) in
	*' installed') return 0 ;;
	*) return 1 ;;
	esac
}

# quiet_services keeps the scripts of packages from starting daemons while this
# script runs.
quiet_services() {
	policy=/usr/sbin/policy-rc.d
	[ ! -e $policy ] || return 0
	trap 'rm -f $policy' EXIT
	trap 'exit 1' HUP INT TERM
	printf '#!/bin/sh\nexit 101\n' >$policy
	chmod 755 $policy
}

# bring installs one package, unless another one would have to go for it.
bring() {
	if installed "$1"; then
		say "$1 is installed"
		return 0
	fi
	update
	if apt-get install -s --no-install-recommends "$1" 2>&1 | grep -q '^Remv'; then
		say "$1 would replace another package"
		return 1
	fi
	say "installing $1"
	quietly apt-get install -qq -y --no-install-recommends "$1"
}

# bring_idle brings the package of a daemon that only tests use. The daemon is not
# started when the system starts either, unless the package was there before.
bring_idle() {
	if installed "$1"; then
		say "$1 is installed"
		return 0
	fi
	bring "$1" || return 1
	! command -v systemctl >/dev/null || quietly systemctl disable "$1" || say "it starts with the system"
	quietly update-rc.d "$1" disable || say "it starts with the system"
}

# libraries names the libraries Sendmail needs that the system does not have.
libraries() {
	apt-cache depends sendmail-bin | sed -n 's/^ *Depends: \(lib[^ ]*\)$/\1/p' |
		while read -r lib; do installed "$lib" || echo "$lib"; done
}

# unpack_sendmail makes the tree of Sendmail: the programs, the m4 files of its
# configuration, and the missing libraries. Without their set-group-ID bit, which
# would make the loader ignore LD_LIBRARY_PATH.
unpack_sendmail() {
	if [ -e "$sendmail/complete" ]; then
		say "Sendmail is in $sendmail"
		return 0
	fi
	update
	say "unpacking Sendmail into $sendmail"
	rm -rf "$sendmail" "$cache/debs"
	mkdir -p "$sendmail" "$cache/debs"
	cd "$cache/debs"
	# shellcheck disable=SC2046 # a list of words
	quietly apt-get download -qq -o APT::Sandbox::User=root \
		sendmail-bin sendmail-base sendmail-cf $(libraries) || return 1
	for deb in *.deb; do
		quietly dpkg -x "$deb" "$sendmail" || return 1
	done
	cd /
	find "$sendmail" -type f -perm -2000 -exec chmod g-s {} +
	rm -rf "$cache/debs"
	touch "$sendmail/complete"
}

if ! command -v apt-get >/dev/null; then
	say "no apt-get here: tests of what is not installed are skipped"
	exit 0
fi
if [ "$(id -u)" -ne 0 ]; then
	say "not root: nothing is installed, and the tests of what is not installed are skipped"
	exit 0
fi
mkdir -p "$cache"
quiet_services
compiler=
command -v gcc >/dev/null || compiler='gcc libc6-dev'
for package in m4 postfix miltertest $compiler libmilter-dev openssl opendkim-tools; do
	bring "$package" || say "its tests are skipped"
done
bring_idle opendkim || say "its tests are skipped"
bring_idle prometheus || say "its tests are skipped"
bring_idle redis-server || say "its tests are skipped"
bring_idle nsd || say "its tests are skipped"
unpack_sendmail || say "its tests are skipped"
