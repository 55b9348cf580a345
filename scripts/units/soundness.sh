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
