# packages.sh: sourced by contrib/quickstart and contrib/check; installs what contrib/packages names.

# install_packages KIND...: only what is missing, so that a second run needs no network.
install_packages() {
	local kind missing=""
	for kind in "$@"; do
		# shellcheck disable=SC2013 # words, not lines: package names have no blanks
		for package in $(sed -n "s/^$kind	//p" "$top/contrib/packages"); do
			dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' ||
				missing="$missing $package"
		done
	done
	[ -n "$missing" ] || return 0
	command -v apt-get >/dev/null || { echo "missing packages:$missing" >&2; return 1; }
	export DEBIAN_FRONTEND=noninteractive
	# shellcheck disable=SC2086 # one argument a package
	apt-get update -q </dev/null &&
		without_starting apt-get install -q -y --no-install-recommends $missing </dev/null
}

# without_starting COMMAND...: the tests start the servers they need by themselves; those that packages
# bring along (freeradius, slapd, krb5-kdc) stay down, as invoke-rc.d(8) lets administrators decide.
without_starting() (
	policy=/usr/sbin/policy-rc.d
	if [ ! -e $policy ]; then
		trap 'rm -f $policy' EXIT
		printf '#!/bin/sh\nexit 101\n' >$policy && chmod 755 $policy
	fi
	"$@"
)
