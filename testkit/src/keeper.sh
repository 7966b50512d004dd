# Makes a cluster, starts its server, and takes both away when standard input ends.
#
# The other end of standard input is held by the process that wants the server. However that process ends, the kernel closes it. One
# script does all of it in order, so that there is no moment at which a killed process leaves a server behind.
#
# $1: folder of the binaries   $2: folder of the cluster   $3: lines for postgresql.conf

# A terminal's ctrl-C or a closed reader must not stop the one who cleans up.
trap '' HUP INT TERM PIPE
data=$2/data log=$2/log

if "$1/initdb" -D "$data" -U postgres -A trust -E UTF8 --no-locale --no-sync </dev/null >"$log" 2>&1 &&
    printf '%s\n' "$3" >>"$data/postgresql.conf" &&
    "$1/pg_ctl" -D "$data" -l "$log" -w start </dev/null >>"$log" 2>&1
then
    echo ready
    while read -r _; do :; done
else
    cat "$log"
fi

"$1/pg_ctl" -D "$data" -m immediate -w stop </dev/null >/dev/null 2>&1
cd /
rm -rf "$2"
