"""Drives a server with OPA-python-client as its users do; prints one JSON document for the test."""

import json
import sys

from opa_client.errors import DeleteDataError, PolicyNotFoundError
from opa_client.opa import OpaClient

port = int(sys.argv[1])
said = {}
with OpaClient(host="127.0.0.1", port=port, timeout=30) as client:
    said["connection"] = client.check_connection()
    said["health"] = client.check_health({"bundles": True, "plugins": True})
    said["ready"] = client.wait_for_ready()
    said["policies"] = client.get_policies_list()
    said["raw"] = client.get_policy("app/rbac.rego")["result"]["raw"].splitlines()[0]
    said["config"] = sorted(client.get_config()["result"])
    said["status"] = client.get_status()["result"]["plugins"]
    asked = {"user": "alice", "action": "write", "object": "document"}
    answer = client.query_rule(asked, "app.rbac", "allow", {"pretty": True, "metrics": True})
    said["rule"] = answer["result"]
    said["id"] = len(answer["decision_id"])
    said["undefined"] = "result" in client.query_rule({}, "app.rbac", "nothing")
    said["put"] = client.update_or_create_data({"alice": "2100-01-01T00:00:00Z"}, "blocks")
    said["got"] = client.get_data("blocks")["result"]
    said["blocked"] = client.query_rule(asked, "app.rbac", "allow")["result"]
    patches = [{"op": "add", "path": "/bob", "value": "2100-01-01T00:00:00Z"}]
    said["patched"] = client.patch_data("blocks", patches)
    said["both"] = sorted(client.get_data("blocks")["result"])
    said["deleted"] = client.delete_data("blocks/alice")
    said["allowed"] = client.query_rule(asked, "app.rbac", "allow")["result"]
    try:
        client.delete_data("blocks/alice")
    except DeleteDataError as error:
        said["again"] = error.args[0]
    try:
        client.get_data("nowhere")
    except PolicyNotFoundError as error:
        said["missing"] = type(error).__name__
print(json.dumps(said))
