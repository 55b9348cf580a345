# Part of scripts/check-units: the units under a systemd of their own, with all that closes them in, and every exit code.

start_machine /usr/lib/systemd/systemd --system --unit=machine.target --show-status=0
is_up() { [ "$(inside systemctl is-active machine.target systemd-journald.service 2>&1 | sort -u)" = active ]; }
within 200 "systemd does not come up" is_up

# UNIT STATE: demands that it is in this state, and shows why not.
demand_state() {
  local state
  state=$(inside systemctl show --property=ActiveState --value "$1")
  [ "$state" = "$2" ] || {
    inside journalctl --no-pager --output=cat >&2
    fail "under systemd, $1 is $state, not $2"
  }
}
# UNIT STATUS RESULT: demands how its last run ended.
demand_end() {
  local end
  end=$(inside systemctl show --property=Result,ExecMainCode,ExecMainStatus --value "$1" | xargs)
  [ "$end" = "$3 1 $2" ] || {
    inside journalctl --no-pager --output=cat >&2
    fail "under systemd, $1 ends with (result, 1 for an exit, its status) $end, not $3 1 $2"
  }
}
# The number of lines of the alert that have this text.
alerts() { inside journalctl --no-pager --output=cat --identifier=first-come-alert | grep -cF -- "$1" || true; }

# The key of the pseudonyms is there, the three other credentials are not; what is called at a failure says so.
inside /bin/sh -c 'umask 077; head -c 32 /dev/urandom >/etc/credstore/first-come.log-key'
printf '#!/bin/sh\necho "told of $1: $MONITOR_UNIT ended with $MONITOR_EXIT_STATUS"\n' |
  inside /bin/sh -c 'cat >/etc/first-come/on-failure; chmod 0755 /etc/first-come/on-failure'

inside systemctl start first-come.service || true
demand_state first-come.service active
as_user=(setpriv --reuid=first-come --regid=first-come --init-groups)
inside "${as_user[@]}" issue-service campaign create summer --quota 100 --database "$database" >"$scratch/output"
claim mina
within 100 "under systemd, no coupon is made" has_coupon mina
main=$(inside systemctl show --property=MainPID --value first-come.service)
inside grep -qx 'Seccomp:.2' "/proc/$main/status" || fail "under systemd, first-come.service runs without a filter of system calls"
inside test -s /run/credentials/first-come.service/log-key || fail "under systemd, first-come.service has not got its log-key"

for unit in retry-batch reconcile; do
  inside systemctl start "$unit.service" || true
  demand_end "$unit.service" 0 success
done

# A campaign without codes: its events are parked, which is no failure of the unit.
inside "${as_user[@]}" issue-service campaign create codes --quota 10 --issuer pool --database "$database" >"$scratch/output"
inside curl -s -X POST -H 'X-User-Id: mina' "$claims/codes/claims" >"$scratch/output"
is_parked() {
  inside systemctl start retry-batch.service || true
  [ "$(inside systemctl show --property=ExecMainStatus --value retry-batch.service)" = 4 ]
}
within 50 "under systemd, retry-batch.service does not find the event that waits for codes" is_parked
demand_end retry-batch.service 4 success

inside systemctl stop first-come.service
demand_end first-come.service 0 success
others=$(inside find /var/lib/first-come -mindepth 1 ! \( -user first-come -perm 0600 \))
[ -z "$others" ] || fail "under systemd, these files are not first-come's own with mode 0600: $others"
[ "$(alerts failed)" -eq 0 ] || fail "under systemd, a failure was told of where there was none"
echo "under systemd, the units serve, replay, reconcile and drain, closed in as they are"

# A database of version 5, as the programs before left it: the unit copies it, migrates it and serves.
old_database() {
  local file name
  # As the programs wrote it, to the space: they compare it.
  printf '%s\n' 'CREATE TABLE schema_migration (' '  version INTEGER NOT NULL PRIMARY KEY,' '  name TEXT NOT NULL,' \
    '  checksum TEXT NOT NULL,' '  applied_at INTEGER NOT NULL' ') STRICT;'
  for file in migrations/sqlite/000[1-5]_*.sql; do
    name=$(basename "$file" .sqlite.sql)
    echo "INSERT INTO schema_migration
      VALUES (${name:3:1}, '${name:5}', '$(sha256sum "$file" | cut -d' ' -f1)', 1);"
    cat "$file"
  done
  echo "PRAGMA journal_mode = WAL;"
}
inside find /var/lib/first-come -mindepth 1 -delete
old_database | inside "${as_user[@]}" /bin/sh -c "umask 077; sqlite3 $database" >"$scratch/output"
inside systemctl start first-come.service || true
demand_state first-come.service active
copies=$(inside find /var/lib/first-come -name 'first-come.db.backup-*')
[ -n "$copies" ] || fail "under systemd, no copy of the older database was made"
[ "$(inside "${as_user[@]}" sqlite3 -readonly "$copies" 'SELECT max(version) FROM schema_migration')" = 5 ] ||
  fail "under systemd, the copy is not the older database"
inside systemctl stop first-come.service
demand_end first-come.service 0 success
echo "under systemd, an older database is copied and migrated, and the service starts"

# Every exit code, from a program that ends with the one which stands in a file. What runs before the service succeeds.
printf '#!/bin/sh\n[ "$1" != migrate ] || exit 0\nexit "$(cat /run/check/code)"\n' >"$scratch/code"
inside /bin/sh -c 'cat >/run/check/stub; chmod 0755 /run/check/stub' <"$scratch/code"
for program in issue-service retry-batch reconcile; do inside mount --bind /run/check/stub "/usr/bin/$program"; done
told=0
# UNIT CODE RESULT: lets the unit end so, and demands that a failure, and nothing else, is told of once.
end_with() {
  inside /bin/sh -c "echo $2 >/run/check/code"
  inside systemctl start "$1.service" 2>"$scratch/output" || true
  demand_end "$1.service" "$2" "$3"
  [ "$3" = success ] || told=$((told + 1))
  within 100 "under systemd, that $1.service ends with $2 is not told of $told times in all" is_told
  inside systemctl reset-failed
}
is_told() {
  [ "$(alerts 'told of ')" -eq "$told" ] && [ "$(alerts ' failed: ')" -eq "$told" ]
}
for code in 0 4 75 143; do end_with retry-batch "$code" success; done
for code in 1 5 64 65 69 74 78 130; do end_with retry-batch "$code" exit-code; done
end_with reconcile 0 success
for code in 1 2 3 4 69 75 143; do end_with reconcile "$code" exit-code; done
for code in 64 65 78; do end_with first-come "$code" exit-code; done # these are not tried again
[ "$(alerts 'told of retry-batch.service: retry-batch.service ended with 5')" -eq 1 ] ||
  fail "under systemd, on-failure does not hear which unit ended with which code"
echo "under systemd, each exit code counts as said, and each failure is told of once"

# INDEX CODE: what cron would mail of this line of the crontab when its program ends so.
mail_of() {
  inside /bin/sh -c "echo $2 >/run/check/code"
  inside env -i "${cron_environment[@]}" /bin/sh -c "${cron_commands[$1]}" 2>&1
}
for code in 0 4 75; do [ -z "$(mail_of 0 "$code")" ] || fail "cron mails that retry-batch ended with $code"; done
[ -z "$(mail_of 1 0)" ] || fail "cron mails that reconcile ended with 0"
for code in 1 5 64 65 69 74 78 130 143; do
  [[ $(mail_of 0 "$code") == *"retry-batch: exit code $code" ]] || fail "cron does not mail that retry-batch ended with $code"
done
for code in 1 2 3 4 69 75 143; do
  [[ $(mail_of 1 "$code") == *"reconcile: exit code $code" ]] || fail "cron does not mail that reconcile ended with $code"
done
echo "under cron, each exit code is mailed, or not, as said"

# NAME SECONDS: demands that the timer comes next within this time.
demand_timer() {
  inside systemctl start "$1.timer"
  local next
  next=$(inside systemctl show --property=NextElapseUSecRealtime --value "$1.timer")
  [ -n "$next" ] && [ $(($(date -d "$next" +%s) - $(date +%s))) -le "$2" ] || fail "$1.timer comes next at '$next'"
}
demand_timer retry-batch 66
demand_timer reconcile $((65 * 60 + 1))
echo "the timers come every minute and every hour"
stop_machine
