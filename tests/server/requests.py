"""Requests of all kinds, each with how many of its answers the fast door gives; tests/server/test_same_answers.py sends them."""

from tests.server.raw import request

BROWSER = (
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36",
    "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8",
    "Accept-Encoding: gzip, deflate, br, zstd",
    "Accept-Language: en-GB,en;q=0.9,de;q=0.8",
    "Cache-Control: max-age=0",
    "Connection: keep-alive",
    'Sec-Ch-Ua: "Chromium";v="126", "Not/A)Brand";v="8"',
    "Sec-Fetch-Dest: document",
    "Sec-Fetch-Mode: navigate",
    "Sec-Fetch-Site: none",
    "Sec-Fetch-User: ?1",
    "Upgrade-Insecure-Requests: 1",
)

POST = "/low-tide"
TARGETS = {
    "/": 1, POST: 1, "/high-tide": 1, "/about": 1, "/tag/sea": 1, "/archive": 1, "/feed.xml": 1, "/atom.xml": 1, "/feed.json": 1,
    "/sitemap.xml": 1, "/robots.txt": 1, "/llms.txt": 1, "/low-tide.md": 1, "/author/edna-reed": 1, "/manifest.webmanifest": 1,
    "/nothing": 1, "/gone": 1, "/no/thing/here": 1, "/page/1": 1, "/page/9": 1, "/archive/1999": 1,
    "/low-tide/": 1, "/moved": 1, "/LOW-TIDE": 1, "//": 1, "/low-tide//": 1, "/./low-tide": 1, "/../low-tide": 1, "/%6cow-tide": 1,
    "/low%2Dtide": 1, "/caf%C3%A9": 1, "/caf%c3%a9": 1, "/%": 1, "/%zz": 1, "/low-tide%00": 0, "/low-tide%0d%0aX:%20y": 1, "/a;b": 1,
    "/low-tide#top": 1, "/low-tide?": 1, "/low-tide?utm_source=letter": 1, "/low-tide?a=1&a=2&b": 1, "/low-tide??": 1, "/low-tide?/": 1,
    "/low-tide?q=tide": 1, "/?page=2": 1, "/nothing?x=y": 1, "/low-tide?x=" + "y" * 850: 1, "/low-tide?" + "&" * 850: 1,
    "/low-tide?x=" + "y" * 1000: 0, "/low-tide?" + "&" * 1001: 0, "/moved?a=b": 0, "/low-tide/?a=b": 0,
    "/led": 0, "/led?a=b": 0, "/locked": 0,
    "/search": 1, "/search?q=tide": 1, "/search?q=tide&page=1": 1, "/search?page=1&q=tide": 0, "/search?q=tide&utm_source=x": 0,
    "/search?q=+tide+": 0, "/search?q=": 0, "/search?q=mussels": 0, "/search?q=%00": 0, "/search?q=%ff": 0,
    "/media/1/x.png": 0, "/login": 0, "/admin": 0, "/favicon.ico": 0, "/static/none.css": 0, "/healthz": 0, "/unlock": 0,
    "*": 0, "low-tide": 0, "http://localhost/low-tide": 0, "http://localhost": 0, "https://LOCALHOST/low-tide?x": 0,
    "http://elsewhere.example/low-tide": 0, "http://localhost:1/": 0, "//localhost/low-tide": 1, "localhost:80": 0,
    "/low tide": 0, "/low-tide ": 0, " /low-tide": 0, "/low\ttide": 0, "/low-tide?a b": 0, "/caf\xe9": 0, "/low-tide?\xe9": 0,
    "/low-tide\x00": 0, "/low\x7ftide": 0, "/" + "x" * 3000: 1, "/" + "x" * 9000: 1, "/" + "x" * 17_000: 0,
}  # fmt: skip

HEADERS = {
    BROWSER: 1,
    ("User-Agent: curl/8.5.0", "Accept: */*"): 1,
    ("Connection: keep-alive",): 1, ("connection: Keep-Alive",): 1, ("Connection:",): 1,
    ("Connection: close",): 1, ("Connection: CLOSE",): 1, ("Connection: close, TE",): 0, ("Connection: foo",): 0,
    ("Connection: keep-alive, close",): 0, ("Connection: keep-alive", "Connection: close"): 0, ("Connection: Upgrade", "Upgrade: h2c"): 0,
    ("Upgrade: websocket",): 0, ("Expect: 100-continue",): 0, ("Expect: a miracle",): 0, ("TE: trailers",): 0, ("Trailer: X",): 0,
    ("Range: bytes=0-9",): 0, ("If-Range: x",): 0, ("If-Modified-Since: Sun, 29 Nov 2026 12:00:00 GMT",): 1, ("If-Match: x",): 1,
    ("Accept-Encoding: gzip",): 1, ("Accept-Encoding: br",): 1, ("Accept-Encoding: zstd",): 1, ("Accept-Encoding: x-gzip",): 1,
    ("Accept-Encoding: gzip;q=0.9, br;q=0.8, zstd;q=0.7",): 1, ("Accept-Encoding: br;q=0, *",): 1, ("Accept-Encoding: *;q=0",): 1,
    ("Accept-Encoding: identity, gzip;q=0.5",): 1, ("Accept-Encoding: gzip;q=0.5, identity;q=0.5",): 1, ("Accept-Encoding:",): 1,
    ("ACCEPT-ENCODING: GZIP",): 1, ("Accept-Encoding: gzip;q=x, br;q=nan",): 1, ("Accept-Encoding: deflate, compress",): 1,
    ("Accept-Encoding: gzip", "Accept-Encoding: br"): 0,
    ("If-None-Match: *",): 1, ("If-None-Match:   *  ",): 1, ('If-None-Match: "x"',): 1, ("If-None-Match:",): 1, ("If-None-Match: x, *",): 1,
    ('If-None-Match: "x"', 'If-None-Match: "y"'): 0,
    ("Cookie: scheme=dark",): 1, ("Cookie: _ga=GA1.1.1; _pk_id.1=abc; scheme=light",): 1, ("Cookie:",): 1, ("Cookie: a",): 1,
    ("Cookie: presession=1; session_id=2; xsession=3",): 1, ("Cookie: Session=x",): 1, ("Cookie: xsrf=x; known=y",): 1,
    ("Cookie: session=x",): 0, ("Cookie: a=b; session=x",): 0, ("Cookie: a=b;session = x",): 0, ("Cookie: __Host-session=x",): 0,
    ("Cookie: opened=x",): 0, ("Cookie: flash=x",): 0, ("Cookie: __Host-opened=x; a=b",): 0, ("Cookie: a=b", "Cookie: session=x"): 0,
    ("Cookie: a=b", "Cookie: c=d"): 0, ('Cookie: a="; session=x"',): 0, ("cOOKIE: session=",): 0, ("Cookie: =session",): 1,
    ("X-Forwarded-For: 192.0.2.1", "X-Forwarded-Proto: https", "Forwarded: for=192.0.2.1", "Via: 1.1 proxy"): 1,
    ("X-Http-Method-Override: DELETE",): 1, ("Authorization: Bearer x",): 1, ("X-Request-Id: mine",): 1,
    ("X: " + "y" * 1500,): 1, ("X: " + "y" * 5000,): 1, ("X: " + "y" * 9000,): 1, ("X: " + "y" * 17_000,): 0, ("X: y",) * 300: 1,
    ("X:y",): 1, ("X:   y   ",): 1, ("X:",): 1, ("X: :",): 1, ("!#$%&'*+-.^_`|~: y",): 1,
    ("X : y",): 0, ("X\t: y",): 0, (" X: y",): 0, ("X: y", " folded"): 0, ("X: y", "\tfolded"): 0, ("X",): 0, (": y",): 0, ("X(): y",): 0,
    ("X: a\tb",): 0, ("X: \xe9",): 0, ("X: \x00",): 0, ("X: \x7f",): 0, ("X: \x1b[2J",): 0, ("\xe9: x",): 0, ("X: a\rb",): 0,
    ("X: a\nb: c",): 0, ("X: a\r",): 0, ("X: a\n",): 0, ("", "X: y"): 1,
}  # fmt: skip

HOSTS = {
    "localhost": 1, "LOCALHOST": 1, "localhost:8888": 1, "localhost:1": 1, "127.0.0.1": 1, "127.0.0.1:80": 1, "[::1]": 1, "[::1]:80": 1,
    "localhost:": 0, "localhost:x": 0, "localhost:80:80": 0, "localhost.": 0, "elsewhere.example": 0, "local host": 0,
    "localhost,localhost": 0, "": 0, "::1": 0, "user@localhost": 0, "localhost/": 0, "localhost\t": 0, "%6cocalhost": 0,
    "169.254.169.254": 0, "localhost:" + "1" * 200: 1, "localhost:" + "1" * 5000: 0, "localhost:" + "1" * 9000: 0,
}  # fmt: skip

BODY = "Content-Length: 5"
CHUNKED = "Transfer-Encoding: chunked"
SMUGGLED = request("/high-tide")
WITH_BODIES = {
    request(POST, BODY) + b"hello": 0,
    request(POST, "Content-Length: 0"): 0,
    request(POST, f"Content-Length: {len(SMUGGLED)}") + SMUGGLED: 0,
    request(POST, f"content-length:{len(SMUGGLED)}") + SMUGGLED: 0,
    request(POST, BODY, BODY) + b"hello": 0,
    request(POST, BODY, "Content-Length: 6") + b"hello!": 0,
    request(POST, "Content-Length: 5, 5") + b"hello": 0,
    request(POST, "Content-Length: +5") + b"hello": 0,
    request(POST, "Content-Length: -5") + b"hello": 0,
    request(POST, "Content-Length: 0x5") + b"hello": 0,
    request(POST, "Content-Length: 99999999999999999999"): 0,
    request(POST, CHUNKED) + b"5\r\nhello\r\n0\r\n\r\n": 0,
    request(POST, CHUNKED, BODY) + b"0\r\n\r\n" + SMUGGLED: 0,
    request(POST, "Transfer-Encoding: identity, chunked") + b"0\r\n\r\n": 0,
    request(POST, "Transfer-Encoding:\x0bchunked") + b"0\r\n\r\n": 0,
    request(POST, "Transfer-Encoding : chunked") + b"0\r\n\r\n" + SMUGGLED: 0,
    request(POST, "X: y\r\n Transfer-Encoding: chunked") + b"0\r\n\r\n": 0,
    request(POST, "Content-Type: multipart/form-data"): 0,
    request(POST, "Content-Encoding: gzip"): 0,
    request("/login", BODY, method="POST") + b"hello": 0,
    request(POST, method="POST"): 0, request(POST, method="DELETE"): 0, request(POST, method="OPTIONS"): 0,
    request(POST, method="TRACE"): 0, request(POST, method="get"): 0, request(POST, method="GETT"): 0,
    request(POST, method=" GET"): 0, request(POST, method="G ET"): 0, request(POST, method="BREW"): 0, request(POST, method=""): 0,
    request("localhost:80", method="CONNECT"): 0,
    request(POST, method="HEAD"): 1, request(POST, *BROWSER, method="HEAD"): 1, request("/nothing", method="HEAD"): 1,
    request(POST, "If-None-Match: *", method="HEAD"): 1, request("/moved", method="HEAD"): 1, request("/low-tide?x", method="HEAD"): 1,
}  # fmt: skip

ODD_VERSIONS = (
    "HTTP/1.0",
    "HTTP/0.9",
    "HTTP/2.0",
    "HTTP/1.2",
    "HTTP/1",
    "http/1.1",
    "HTTP/1.1 ",
    "HTTP/11.1",
    "HTTP/1.10",
    "HTTPS/1.1",
    "",
)
VERSIONS = {request(POST, version=version): 0 for version in ODD_VERSIONS} | {
    request(POST, "Connection: keep-alive", version="HTTP/1.0"): 0,
    request(POST, version="HTTP/1.0", host=""): 0,
    request(POST, host=""): 0,
    request(POST, "Host: localhost"): 0,
    request(POST, "Host: elsewhere.example"): 0,
    request(POST, "host: localhost", host=""): 1,
    request(POST, "Host:localhost", host=""): 1,
    b"GET /low-tide HTTP/1.1\nHost: localhost\n\n": 0,
    b"GET /low-tide HTTP/1.1\r\nHost: localhost\n\n": 0,
    b"GET /low-tide HTTP/1.1\nHost: localhost\r\n\r\n": 0,
    b"GET /low-tide HTTP/1.1\r\nHost: localhost\n\r\n": 0,
    b"GET /low-tide HTTP/1.1\rHost: localhost\r\r": 0,
    b"GET /low-tide HTTP/1.1\r\n\r\n": 0,
    b"GET  /low-tide HTTP/1.1\r\nHost: localhost\r\n\r\n": 0,
    b"GET\t/low-tide\tHTTP/1.1\r\nHost: localhost\r\n\r\n": 0,
    b"GET /low-tide\r\n\r\n": 0,
    b"\r\nGET /low-tide HTTP/1.1\r\nHost: localhost\r\n\r\n": 0,
    b"\n\r\nGET /low-tide HTTP/1.1\r\nHost: localhost\r\n\r\n": 0,
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(200): 0,
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n": 0,
}  # fmt: skip

ONE, TWO, HEAD, SLOW = request(POST), request("/high-tide", *BROWSER), request("/", method="HEAD"), request("/login")
SENT = request("/login", BODY, method="POST") + b"hello"
# Of what follows on the last request Tornado still counts what came with it, though it gives no answer.
ENDED = [
    (request(POST, "Connection: close") + TWO,),
    (ONE + request("/nothing", "Connection: close") + TWO * 3,),
    (SLOW + request(POST, "Connection: close") + TWO,),
]
RUNS: dict[tuple[bytes, ...], int] = {
    (ONE + TWO,): 2,
    (ONE + HEAD + TWO,): 3,
    (ONE * 20,): 20,
    (ONE, TWO, ONE): 3,
    (ONE + SLOW + TWO,): 2,  # what follows on it is answered by the door, too
    (SLOW + ONE + TWO,): 2,
    (SLOW, ONE, TWO, HEAD): 3,
    (ONE + SENT + TWO,): 2,
    (SENT, ONE, SENT + TWO): 2,
    (ONE + TWO[:40], TWO[40:]): 2,
    (ONE[:1], ONE[1:]): 1,
    (ONE[:10], ONE[10:-1], ONE[-1:] + TWO): 2,
    (ONE[:-2], ONE[-2:]): 1,
    (ONE[:-3], ONE[-3:] + ONE): 2,
    (ONE + b"\r\n", TWO): 1,  # an empty line between them: the second is not of the plain kind
    (ONE + b"nonsense\r\n\r\n" + TWO,): 1,
    (ONE + request("/high-tide", BODY) + b"he", b"llo" + ONE): 2,
    (request("/low-tide", *BROWSER) * 40,): 40,
    (ONE * 150,): 150,
    (HEAD * 300,): 300,
}
