"""What Schemathesis cannot write by itself: lines of JSON (POST /v1/imports) go out as the text they are."""

import schemathesis

schemathesis.serializer.alias("application/x-ndjson", "text/plain")
