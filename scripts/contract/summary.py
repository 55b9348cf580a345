"""Says in one line what a run of schemathesis did, from its ndjson events.

summary.py EVENTS

Ends with 1 where a documented answer that the service can be brought to was never seen, or a check never ran: a run
that only ever saw 404 would be green, and worth nothing.
"""

import base64
import collections
import json
import sys

CLAIMS = "POST /v1/campaigns/{campaign_id}/claims"
STATUS = "/v1/campaigns/{campaign_id}/claims/{user_id}"
CAMPAIGN = "/v1/campaigns/{campaign_id}"

EXPECTED = {
    CLAIMS: {200, 201, 400, 401, 404, 405, 409, 410, 415, 422},
    f"GET {STATUS}": {200, 401, 404, 422},
    f"HEAD {STATUS}": {200, 401, 404, 422},
    f"GET {CAMPAIGN}": {200, 404, 405, 422},
    f"HEAD {CAMPAIGN}": {200, 404, 422},
    f"OPTIONS {CAMPAIGN}": {204},
    "GET /openapi.yaml": {200},
    "GET /problems": {200},
    "GET /problems/{type}": {200, 404},
}
REFUSALS = {"/problems/not-open-yet", "/problems/paused", "/problems/sold-out", "/problems/closed"}
CHECKS = {
    "not_a_server_error", "status_code_conformance", "content_type_conformance", "response_headers_conformance",
    "response_schema_conformance", "negative_data_rejection", "positive_data_acceptance", "unsupported_method",
    "allow_header_conformance",
}  # fmt: skip


def main():
    seen = collections.defaultdict(collections.Counter)
    checks, refusals = set(), set()
    for line in open(sys.argv[1], encoding="utf-8"):
        recorder = json.loads(line).get("ScenarioFinished", {}).get("recorder")
        if recorder is None:
            continue
        for interaction in recorder["interactions"].values():
            response = interaction.get("response")
            if response:
                seen[recorder["label"]][response["status_code"]] += 1
            if response and response["status_code"] in (409, 410):
                refusals.add(json.loads(base64.b64decode(response["content"]["$base64"]))["type"])
        for list_of_case in recorder["checks"].values():
            checks.update(check["name"] for check in list_of_case)
    missing = [
        f"{operation} was never answered with {status}"
        for operation, statuses in EXPECTED.items()
        for status in sorted(statuses - set(seen[operation]))
    ]
    missing += [f"no claim was ever refused with {problem}" for problem in sorted(REFUSALS - refusals)]
    missing += [f"the check {name} never ran" for name in sorted(CHECKS - checks)]
    for complaint in missing:
        print(complaint, file=sys.stderr)
    if missing:
        sys.exit(1)
    totals = sum(seen.values(), collections.Counter())
    statuses = ", ".join(f"{count} of {status}" for status, count in sorted(totals.items()))
    print(f"{len(seen)} operations, {sum(totals.values())} cases: {statuses}")


main()
