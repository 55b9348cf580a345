# Part of scripts/check-units: what systemd-analyze says.

start_machine sleep infinity

files=("${units[@]/%/.service}" retry-batch.timer reconcile.timer first-come-alert@retry-batch.service)
silently 0 "systemd-analyze verify" systemd-analyze verify --man=no "${files[@]/#//etc/systemd/system/}"
echo "systemd-analyze verify: nothing to say of ${#files[@]} units"

for index in "${!units[@]}"; do
  unit=${units[index]}.service
  inside LC_ALL=C.UTF-8 systemd-analyze security --offline=true --no-pager "/etc/systemd/system/$unit" >"$scratch/security" ||
    fail "systemd-analyze security does not judge $unit"
  exposure=$(sed -nE "s/.*Overall exposure level for $unit: ([0-9]+\.[0-9]+) .*/\1/p" "$scratch/security")
  [ -n "$exposure" ] || fail "systemd-analyze security names no exposure of $unit"
  awk -v is="$exposure" -v limit="${exposures[index]}" 'BEGIN { exit is > limit }' || {
    grep '✗' "$scratch/security" >&2
    fail "the exposure of $unit is $exposure, more than ${exposures[index]}"
  }
  echo "exposure of $unit: $exposure, at most ${exposures[index]}"
done

# TIMER SECONDS: demands that this is the longest pause of the timer in the night in which summer time ends in Berlin. A
# calendar of local time pauses for an hour there.
demand_pace() {
  local calendar longest
  calendar=$(inside sed -n 's/^OnCalendar=//p' "/etc/systemd/system/$1.timer")
  inside env TZ=Europe/Berlin LC_ALL=C.UTF-8 systemd-analyze calendar --base-time='2026-10-24 23:30:30 UTC' \
    --iterations=$((3 * 3600 / $2)) "$calendar" >"$scratch/calendar" || fail "systemd-analyze does not read '$calendar'"
  longest=$(sed -n 's/^ *(in UTC): //p' "$scratch/calendar" | date -u -f - +%s |
    awk 'NR > 1 && $1 - last > longest { longest = $1 - last } { last = $1 } END { print longest + 0 }')
  [ "$longest" -eq "$2" ] || fail "$1.timer ($calendar) pauses for $longest s when summer time ends, not for $2 s"
}
demand_pace retry-batch 60
demand_pace reconcile 3600
echo "the timers keep their pace when summer time ends"

for unit in "${units[@]}"; do
  inside grep -q '^After=.*\btime-sync\.target\b' "/etc/systemd/system/$unit.service" ||
    fail "$unit.service does not wait for the clock (After=time-sync.target)"
done
