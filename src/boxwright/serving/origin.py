"""Images from one web server, the only one that this server asks for anything."""

from __future__ import annotations

import http.client
import json
import string
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from typing import IO, Any
from urllib.parse import SplitResult, quote, urljoin, urlsplit

from boxwright.serving.refusals import Refusal

PORTS = {"http": 80, "https": 443}
SILENCE = 10.0  # seconds without data before a connection is closed
BLOCK = 1 << 18
NO_USER = {401, 403}
REFRESH = "/api/token/refresh"  # exchanges a personal access token for one of a few minutes
MAX_ANSWER = 1 << 16  # bytes of that exchange


class Origin:
    """A web server, as scheme, host and port.

    It is asked without a token first shown elsewhere: redirects to other servers are refused.

    Args:
        url: any address there.
        token: of a user of Label Studio.

    Raises:
        ValueError: the address is not one of http or https.
    """

    def __init__(self, url: str, token: str | None = None) -> None:
        self._key = _key_of(urlsplit(url))
        scheme, host, port = self._key
        in_address = f"[{host}]" if ":" in host else host
        self.url = f"{scheme}://{in_address}" + ("" if port == PORTS[scheme] else f":{port}")
        self._token = token

    def fetch(self, address: str, max_bytes: int, seconds: float) -> bytes:
        """The bytes of a file.

        Args:
            address: absolute, or from the root of this server.
            max_bytes: more are refused.
            seconds: after which the file must be here.

        Raises:
            Refusal: 400 it is elsewhere or cannot be fetched, 413 it has too many bytes.
        """
        headers = self._authorization(seconds)
        with self._open(self.own(address), headers, seconds) as answer:
            if answer.headers.get_content_type() == "text/html":
                raise _unreachable(address, f"it sends a web page, perhaps to log in; {self._hint}")
            return _content(answer, address, max_bytes, seconds)

    @property
    def _hint(self) -> str:
        """What helps if a user is needed."""
        if self._token:
            return "LABEL_STUDIO_API_KEY is perhaps no valid token"
        return "set LABEL_STUDIO_API_KEY to the token of a user"

    def own(self, address: str) -> str:
        """An address at this server. Raises Refusal 400 for one elsewhere."""
        try:
            parts = urlsplit(urljoin(f"{self.url}/", address))
            here = _key_of(parts) == self._key
        except ValueError:
            here = False
        if not here:
            raise Refusal(
                400,
                f"{_short(address)} is not at {self.url}, the only server that "
                "images are fetched from.",
            )
        query = f"?{parts.query}" if parts.query else ""
        return self.url + quote(f"{parts.path or '/'}{query}", safe=string.punctuation)

    def _authorization(self, seconds: float) -> dict[str, str]:
        """The header for the token, which is a key or, with two dots, a personal access token."""
        if not self._token:
            return {}
        if self._token.count(".") != 2:
            return {"Authorization": f"Token {self._token}"}
        body = json.dumps({"refresh": self._token}).encode()
        headers = {"Content-Type": "application/json"}
        with self._open(self.url + REFRESH, headers, seconds, body) as answer:
            content = _content(answer, REFRESH, MAX_ANSWER, seconds)
        try:
            return {"Authorization": f"Bearer {json.loads(content)['access']}"}
        except (ValueError, TypeError, KeyError) as error:
            raise _unreachable(REFRESH, "it does not exchange the token") from error

    def _open(
        self, url: str, headers: Mapping[str, str], seconds: float, body: bytes | None = None
    ) -> Any:
        """A response. Raises Refusal 400."""
        # The scheme is http or https: `own` builds all addresses.
        request = urllib.request.Request(  # noqa: S310
            url, body, {"User-Agent": "boxwright", "Accept-Encoding": "identity", **headers}
        )
        try:
            opener = urllib.request.build_opener(_NotElsewhere(self))
            return opener.open(request, timeout=min(SILENCE, seconds))
        except urllib.error.HTTPError as error:
            with error:
                hint = f"; {self._hint}" if error.code in NO_USER else ""
                raise _unreachable(url, f"it answers {error.code}{hint}") from error
        except (OSError, ValueError, http.client.HTTPException) as error:
            reason = getattr(error, "reason", error)
            raise _unreachable(url, str(reason) or type(reason).__name__) from error


class _NotElsewhere(urllib.request.HTTPRedirectHandler):
    """Follows redirects to the same server only."""

    def __init__(self, origin: Origin) -> None:
        self._origin = origin

    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: http.client.HTTPMessage,
        newurl: str,
    ) -> urllib.request.Request | None:
        try:
            own = self._origin.own(newurl)
        except Refusal:
            fp.close()
            raise
        return super().redirect_request(req, fp, code, msg, headers, own)


def _key_of(parts: SplitResult) -> tuple[str, str, int]:
    """Scheme, host and port. Raises ValueError."""
    if parts.scheme not in PORTS or not parts.hostname:
        raise ValueError(f"{parts.geturl()!r} is not an address of http or https.")
    return parts.scheme, parts.hostname, parts.port or PORTS[parts.scheme]


def _content(answer: Any, address: str, max_bytes: int, seconds: float) -> bytes:
    """The body of a response. Raises Refusal 400 or 413."""
    until, blocks, received = time.monotonic() + seconds, [], 0
    try:
        while block := answer.read1(BLOCK):
            blocks.append(block)
            received += len(block)
            if received > max_bytes:
                raise Refusal(413, f"{_short(address)} has more than {max_bytes} bytes.")
            if time.monotonic() > until:
                raise _unreachable(address, f"it is not complete after {seconds:g} seconds")
    except (OSError, http.client.HTTPException) as error:
        raise _unreachable(address, str(error) or type(error).__name__) from error
    return b"".join(blocks)


def _unreachable(address: str, reason: str) -> Refusal:
    return Refusal(400, f"{_short(address)} cannot be fetched: {reason}.")


def _short(address: str) -> str:
    return address if len(address) <= 120 else f"{address[:119]}…"
