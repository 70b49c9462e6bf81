#!/usr/bin/env bash
# A double of the `ozone` script of Ozone's distribution, which is not on Maven Central: only the
# servers' and tools' own jars are. Its words, texts and exit codes are those of the original:
#
#   ozone [--config DIR] scm|om|datanode|recon|s3g [--upgrade ...]       in the foreground
#   ozone [--config DIR] --daemon start|stop|status ROLE [--upgrade ...]
#   ozone [--config DIR] admin|sh|freon|version ...
#
# DIR (or OZONE_CONF_DIR) holds ozone-site.xml, and ozone-env.sh for OZONE_PID_DIR, OZONE_LOG_DIR,
# OZONE_OPTS and OZONE_STOP_TIMEOUT.
set -uo pipefail
release=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.." && pwd)

error() { printf '%s\n' "$*" >&2; }

daemon=
while [[ ${1:-} == --* ]]; do
    case $1 in
    --config)
        OZONE_CONF_DIR=${2:-}
        shift
        ;;
    --daemon)
        daemon=${2:-}
        if [[ ! $daemon =~ ^(start|stop|status)$ ]]; then
            error 'ERROR: --daemon must be followed by either "start", "stop", or "status".'
            exit 1
        fi
        shift
        ;;
    *)
        error "ERROR: $1 is not an option of this script."
        exit 1
        ;;
    esac
    shift
done
if [[ ! -d ${OZONE_CONF_DIR:=} ]]; then
    error "ERROR: Cannot find configuration directory \"$OZONE_CONF_DIR\""
    exit 1
fi
[[ ! -e $OZONE_CONF_DIR/ozone-env.sh ]] || source "$OZONE_CONF_DIR/ozone-env.sh"

command=${1:-}
[[ $# -eq 0 ]] || shift
main=
case $command in
scm | om | datanode | recon | s3g) role=$command ;;
admin) role=cli main=org.apache.hadoop.ozone.admin.OzoneAdmin ;;
sh) role=cli main=org.apache.hadoop.ozone.shell.OzoneShell ;;
freon) role=cli main=org.apache.hadoop.ozone.freon.Freon ;;
version) role=cli main=org.apache.hadoop.ozone.util.OzoneVersionInfo ;;
*)
    error "ERROR: $command is not COMMAND nor fully qualified CLASSNAME."
    exit 1
    ;;
esac
if [[ -n $daemon && $role == cli ]]; then
    error "ERROR: $command does not support daemon mode."
    exit 1
fi

java=${JAVA_HOME:+$JAVA_HOME/bin/}java
read -r class_path <"$release/$role.cp"
[[ -n $main ]] || read -r main <"$release/$role.main"
# shellcheck disable=SC2206  # several words on purpose
words=("$java" "-Dproc_$command" "@$release/$role.flags" ${OZONE_OPTS:-}
    "-Dlog4j.configuration=file:$OZONE_CONF_DIR/log4j.properties"
    "-Djdk.net.hosts.file=$OZONE_CONF_DIR/hosts" -cp "$class_path:$OZONE_CONF_DIR" "$main" "$@")

name=ozone-${OZONE_IDENT_STRING:-${USER:-$(id -un)}}-$command
pid_file=${OZONE_PID_DIR:=/tmp}/$name.pid
alive() { [[ -e $pid_file ]] && kill -0 "$(<"$pid_file")" 2>/dev/null; }

start() {
    local log=${OZONE_LOG_DIR:-$OZONE_CONF_DIR/../logs}
    if alive; then
        error "$command is running as process $(<"$pid_file").  Stop it first."
        return 1
    fi
    mkdir -p "$OZONE_PID_DIR" "$log"
    setsid "${words[@]}" </dev/null >>"$log/$name-$(uname -n).out" 2>&1 &
    echo $! >"$pid_file"
    disown
    sleep 1
    alive || {
        error "ERROR: Cannot set priority of $command process $(<"$pid_file")"
        return 1
    }
}

stop() {
    local pid within=${OZONE_STOP_TIMEOUT:-60}
    [[ -e $pid_file ]] || return 0
    pid=$(<"$pid_file")
    kill "$pid" 2>/dev/null
    for ((waited = 0; waited < 10 * within; waited++)); do
        kill -0 "$pid" 2>/dev/null || break
        sleep 0.1
    done
    if kill -0 "$pid" 2>/dev/null; then
        error "WARNING: $command did not stop gracefully after $within seconds: Trying to kill with kill -9"
        kill -9 "$pid" 2>/dev/null
        while kill -0 "$pid" 2>/dev/null; do sleep 0.1; done
    fi
    rm -f "$pid_file"
}

status() {
    if alive; then
        echo "$command is running as process $(<"$pid_file")."
        return 0
    fi
    if [[ -e $pid_file ]]; then
        echo "$command is stopped."
        return 1
    fi
    return 3
}

case $daemon in
'') exec "${words[@]}" ;;
*) "$daemon" ;;
esac
