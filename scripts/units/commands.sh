# Part of scripts/check-units: each command of the units and of the crontab, exactly as written, as root without a sandbox.

# UNIT: the words of its command and of its Environment=, which stand there as a shell would say them.
command_of() { words_of "$1" "${2:-ExecStart}"; }
environment_of() { words_of "$1" Environment; }
words_of() {
  local value
  value=$(inside sed -n "s/^$2=//p" "/etc/systemd/system/$1.service")
  [[ $value =~ ^[A-Za-z0-9/=\ $'\n'._:-]+$ ]] || fail "$2= of $1.service is not made of plain words: $value"
  read -r -d '' -a words <<<"$value" || true
}

# What runs before the service creates the database, and then has nothing to do.
command_of first-come ExecStartPre
before=("${words[@]}")
environment_of first-come
for _ in create again; do
  ends_with 0 "ExecStartPre= of first-come.service" env "${words[@]}" "${before[@]}"
done
grep -q 'nothing to do' "$scratch/output" || fail "ExecStartPre= of first-come.service migrates a current database"

# UNIT [NAME=VALUE…]: what the unit runs, and how it must end: with nothing printed where it is told to be quiet.
run_of() {
  command_of "$1"
  local command=("${words[@]}")
  environment_of "$1"
  run=(env "${words[@]}" "${@:2}" "${command[@]}")
  verdict=ends_with
  [[ " ${command[*]} " != *" --quiet "* ]] || verdict=silently
}

"${enter[@]}" /usr/bin/python3 /run/check/notify.py /run/check/notify >"$scratch/notified" &
run_of first-come NOTIFY_SOCKET=/run/check/notify
within 50 "nobody listens on NOTIFY_SOCKET" inside test -S /run/check/notify
"${enter[@]}" "${run[@]}" >"$scratch/serve" 2>"$scratch/serve.log" &
serve=$!
is_ready() {
  kill -0 "$serve" 2>/dev/null || { cat "$scratch/serve.log" >&2; fail "the command of first-come.service has ended"; }
  grep -qx READY=1 "$scratch/notified"
}
within 200 "first-come.service does not say READY=1" is_ready
inside issue-service campaign create summer --quota 100 --database "$database" >"$scratch/output"

# USER: claims of summer, and demands 201.
claim() {
  local status
  status=$(inside curl -s -o /dev/null -w '%{http_code}' -X POST -H "X-User-Id: $1" "$claims/summer/claims") || true
  [ "$status" = 201 ] || fail "a claim at first-come.service is answered with $status, not 201"
}
# USER: whether the coupon is made.
has_coupon() { inside curl -s -H "X-User-Id: $1" "$claims/summer/claims/$1" | grep -q '"status":"issued"'; }

claim mina
within 100 "no coupon is made" has_coupon mina
for unit in retry-batch reconcile; do
  run_of "$unit"
  "$verdict" 0 "the command of $unit.service, beside the service," "${run[@]}"
done

kill -TERM "$(child_of "$serve")" # nsenter's child is the service itself
ended=0
wait "$serve" || ended=$?
[ "$ended" -eq 0 ] || { cat "$scratch/serve.log" >&2; fail "told to stop, first-come.service ends with $ended, not 0"; }
grep -qx STOPPING=1 "$scratch/notified" || fail "first-come.service does not say STOPPING=1"
for unit in retry-batch reconcile; do
  run_of "$unit"
  "$verdict" 0 "the command of $unit.service" "${run[@]}"
done
echo "the commands of ${#units[@]} units do what they should, as written"

# As cron does: NAME=VALUE lines are the environment, % would end a command, all else is five fields and a command.
cron_environment=(SHELL=/bin/sh PATH=/usr/bin:/bin HOME=/var/lib/first-come LOGNAME=first-come)
cron_commands=()
while IFS= read -r line; do
  case $line in
    '' | '#'*) ;;
    [A-Z]*=*) cron_environment+=("$line") ;;
    *%*) fail "cron takes the % in this line for a line end: $line" ;;
    *)
      read -r _ _ _ _ _ command <<<"$line"
      cron_commands+=("$command")
      ;;
  esac
done <packaging/cron/first-come.crontab
[ "${#cron_commands[@]}" -eq 2 ] || fail "the crontab has ${#cron_commands[@]} commands, not 2"
for command in "${cron_commands[@]}"; do
  silently 0 "this line of the crontab: $command;" env -i "${cron_environment[@]}" /bin/sh -c "$command"
done
echo "the ${#cron_commands[@]} lines of the crontab run as written, and print nothing"
stop_machine
