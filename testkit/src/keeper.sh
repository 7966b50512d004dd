# Makes a cluster, starts its server, and takes both away when standard input ends. On the way it stops, starts and promotes the
# server as it is told, one word a line, and answers each with a line.
#
# The other end of standard input is held by the process that wants the server. However that process ends, the kernel closes it. One
# script does all of it in order, so that there is no moment at which a killed process leaves a server behind.
#
# $1: folder of the binaries   $2: folder of the cluster   $3: lines for postgresql.conf
# $4: folder of the socket of the server to copy and follow, or empty

# A terminal's ctrl-C or a closed reader must not stop the one who cleans up.
trap '' HUP INT TERM PIPE
data=$2/data log=$2/log

make() {
    if [ -n "$4" ]; then
        "$1/pg_basebackup" -D "$data" -h "$4" -p 5432 -U postgres -w -R -X stream -c fast --no-sync
    else
        "$1/initdb" -D "$data" -U postgres -A trust -E UTF8 --no-locale --no-sync
    fi
}

start() { "$1/pg_ctl" -D "$data" -l "$log" -w start </dev/null >>"$log" 2>&1; }
stop() { "$1/pg_ctl" -D "$data" -m "$2" -w stop </dev/null >>"$log" 2>&1; }

if make "$@" </dev/null >"$log" 2>&1 &&
    printf '%s\n' "$3" >>"$data/postgresql.conf" &&
    start "$1"
then
    echo ready
    while read -r word; do
        case $word in
        fast | immediate) stop "$1" "$word" ;;
        start) start "$1" ;;
        promote) "$1/pg_ctl" -D "$data" -w promote </dev/null >>"$log" 2>&1 ;;
        *) false ;;
        esac && echo done || echo failed
    done
else
    cat "$log"
fi

stop "$1" immediate
cd /
rm -rf "$2"
