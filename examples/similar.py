#!/usr/bin/env python3
"""Import, search and reindex, from Python's standard library alone.

    python3 examples/similar.py http://localhost:8080 import ./photos      a folder; sub-folders are labels
    python3 examples/similar.py http://localhost:8080 search x.jpg
    python3 examples/similar.py http://localhost:8080 reindex

LOOKALIKE_API_KEY is sent where the service wants a key. Exit code 1 when the service refuses, in its own words.
"""

import json
import os
import sys
import tarfile
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request


class Service:
    """The routes that this example needs; answers are the JSON of openapi.yaml as dictionaries."""

    def __init__(self, url, key=None):
        self.url = url.rstrip("/")
        self.key = key

    def call(self, method, path, query=None, body=None, content_type=None):
        """One request. `body` is bytes or an open file. Raises SystemExit with the service's own words."""
        address = self.url + path + ("?" + urllib.parse.urlencode(query, doseq=True) if query else "")
        request = urllib.request.Request(address, data=body, method=method)
        if content_type:
            request.add_header("Content-Type", content_type)
        if hasattr(body, "fileno"):
            request.add_header("Content-Length", str(os.fstat(body.fileno()).st_size))
        if self.key:
            request.add_header("Authorization", "Bearer " + self.key)
        try:
            with urllib.request.urlopen(request) as response:
                text = response.read().decode("utf-8")
                is_json = response.headers.get_content_type() == "application/json"
                return json.loads(text) if is_json else text
        except urllib.error.HTTPError as refusal:
            problem = json.loads(refusal.read() or b"{}")
            raise SystemExit(f"{problem.get('code', refusal.code)}: {problem.get('detail', refusal.reason)}")
        except urllib.error.URLError as unreachable:
            raise SystemExit(f"{self.url} does not answer: {unreachable.reason}")

    def wait(self, job):
        """Waits until a job has ended and returns it. Raises SystemExit when it did not succeed."""
        seen = None
        while job["finished_at"] is None:
            time.sleep(0.2)
            job = self.call("GET", "/v1/jobs/" + urllib.parse.quote(job["id"], safe=""))
            if job["done"] != seen:
                seen = job["done"]
                print(f"{job['kind']}: {seen} of {job['total'] or '?'}", file=sys.stderr)
        if job["state"] != "succeeded":
            raise SystemExit(f"the {job['kind']} {job['state']}: {job['error']}")
        return job


def import_folder(service, folder):
    """Sends the folder as a tar; a bad file costs one line of the error report."""
    with tempfile.TemporaryFile() as spool:
        with tarfile.open(fileobj=spool, mode="w") as tar:
            tar.add(folder, arcname="", filter=lambda entry: entry if entry.isfile() or entry.isdir() else None)
        spool.seek(0)
        job = service.call("POST", "/v1/imports", body=spool, content_type="application/x-tar")
    job = service.wait(job)
    for line in service.call("GET", f"/v1/imports/{job['id']}/errors").splitlines():
        print("refused:", line, file=sys.stderr)
    return job["result"]


def search(service, picture, k=5):
    """Labels and neighbours of a picture's file."""
    with open(picture, "rb") as file:
        return service.call("POST", "/v1/search", {"k": k}, file.read(), "application/octet-stream")


def reindex(service):
    """Builds the index anew; the old one answers until the new one is verified."""
    return service.wait(service.call("POST", "/v1/reindex"))["result"]


def main(arguments):
    commands = {("import", 1): import_folder, ("search", 1): search, ("reindex", 0): reindex}
    url, name, *rest = arguments if len(arguments) >= 2 else (None, None)
    command = commands.get((name, len(rest)))
    if command is None:
        raise SystemExit(__doc__)
    answer = command(Service(url, os.environ.get("LOOKALIKE_API_KEY")), *rest)
    print(json.dumps(answer, ensure_ascii=False, indent=2))


if __name__ == "__main__":
    main(sys.argv[1:])
