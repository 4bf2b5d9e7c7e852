"""Signed addresses of S3: whoever has one may read one file for a while (Signature Version 4, in the query)."""

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import reduce
from urllib.parse import quote, urlencode, urlsplit


@dataclass(frozen=True, slots=True)
class Key:
    id: str
    secret: str = field(repr=False)


def signed_address(address: str, query: Mapping[str, str], key: Key, region: str, seconds: int, now: datetime) -> str:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html"""
    host, path = urlsplit(address).netloc, quote(urlsplit(address).path, safe="/-_.~")
    day, moment = f"{now:%Y%m%d}", f"{now:%Y%m%dT%H%M%SZ}"
    scope = f"{day}/{region}/s3/aws4_request"
    signed = {
        **query,
        "X-Amz-Algorithm": "AWS4-HMAC-SHA256",
        "X-Amz-Credential": f"{key.id}/{scope}",
        "X-Amz-Date": moment,
        "X-Amz-Expires": str(seconds),
        "X-Amz-SignedHeaders": "host",
    }
    encoded = urlencode(sorted(signed.items()), safe="-_.~", quote_via=quote)
    request = f"GET\n{path}\n{encoded}\nhost:{host}\n\nhost\nUNSIGNED-PAYLOAD"
    text = f"AWS4-HMAC-SHA256\n{moment}\n{scope}\n{hashlib.sha256(request.encode()).hexdigest()}"
    secret = reduce(_mac, (day, region, "s3", "aws4_request"), f"AWS4{key.secret}".encode())
    return f"{urlsplit(address).scheme}://{host}{path}?{encoded}&X-Amz-Signature={_mac(secret, text).hex()}"


def _mac(key: bytes, text: str) -> bytes:
    return hmac.digest(key, text.encode(), "sha256")
