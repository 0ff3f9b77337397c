"""What the managed Python runtime does, as far as it is documented: loads a module, and calls its `handler` with one event after the other."""

import importlib.util
import json
import os
import sys
import urllib.request

BASE = "http://" + os.environ["AWS_LAMBDA_RUNTIME_API"] + "/2018-06-01/runtime/invocation/"
SPEC = importlib.util.spec_from_file_location("app", sys.argv[1])
APP = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(APP)


class Context:
    def __init__(self, request_id):
        self.aws_request_id = request_id


while True:
    with urllib.request.urlopen(BASE + "next") as following:
        request_id = following.headers["Lambda-Runtime-Aws-Request-Id"]
        event = json.load(following)
    answer = json.dumps(APP.handler(event, Context(request_id))).encode()
    urllib.request.urlopen(BASE + request_id + "/response", answer).close()
