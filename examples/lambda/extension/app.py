"""A function in Python that asks the extension beside it, and does nothing without an allow."""

import json
import os
import urllib.request

PDP = "http://127.0.0.1:" + os.environ.get("ASSAY_PORT", "2772")


def allowed(subject, action, note, request_id):
    """Whether, and the id of the decision. Whatever goes wrong is a no."""
    question = {
        "subject": {"type": "user", "id": subject},
        "action": {"name": action},
        "resource": {"type": "note", "id": note},
    }
    # The same event, sent again, is the same decision.
    headers = {"Content-Type": "application/json", "Idempotency-Key": request_id}
    request = urllib.request.Request(
        PDP + "/access/v1/evaluation", json.dumps(question).encode(), headers
    )
    try:
        with urllib.request.urlopen(request, timeout=3) as response:
            answer = json.load(response)
            return answer.get("decision") is True, response.headers["X-Decision-Id"]
    except (OSError, ValueError):
        return False, None


def handler(event, context):
    allow, decision = allowed(
        event["user"], event["action"], event["note"], context.aws_request_id
    )
    return {"done": allow, "decision": decision}
