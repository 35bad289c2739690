"""A Samtale client written from docs/protocol.md alone, to see that the page is enough.

It knows nothing of the server's code. Every wait has a bound: what does not come in time raises asyncio.TimeoutError.
"""

import asyncio
import base64
import json
import time
import urllib.error
import urllib.parse
import urllib.request
import uuid
from dataclasses import dataclass, field

import msgpack
import websockets

MESSAGE_PACK = "samtale.v1.msgpack"
JSON = "samtale.v1.json"
PATIENCE_SECONDS = 15
CLIENT = "samtale-conformance/1.0"

# What is an id or a list of ids, so that the two encodings look alike to the checks: ids and cursors are text here.
ID_FIELDS = {
    "after", "also", "author", "before", "children", "client_id", "device", "group", "groups", "id",
    "last_author", "last_message", "message", "messages", "person", "profile", "profiles", "regarding", "reply_to",
    "session", "space", "starter", "thread", "up_to",
}


class Refused(Exception):
    """The server answered with a refusal."""

    def __init__(self, refusal, status=None):
        super().__init__(f"{refusal.get('code')}: {refusal.get('message')} ({refusal.get('detail')})")
        self.code = refusal.get("code")
        self.refusal = refusal
        self.status = status


class Closed(Exception):
    """The connection ended."""

    def __init__(self, code, reason):
        super().__init__(f"closed with {code} {reason}")
        self.code = code
        self.reason = reason


def post(server, path, body):
    """One HTTP exchange: the answer's JSON, or Refused."""
    request = urllib.request.Request(
        urllib.parse.urljoin(server, path),
        data=json.dumps(body).encode(),
        headers={"Content-Type": "application/json", "Accept-Language": "en"},
        method="POST",
    )
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE_SECONDS) as answer:
            text = answer.read()
            return json.loads(text) if text else None
    except urllib.error.HTTPError as error:
        raise Refused(json.loads(error.read())["error"], error.code) from None


def log_in(server, username, password):
    """POST /v1/login."""
    return post(server, "/v1/login", {"username": username, "password": password, "client": CLIENT})


def socket_address(server):
    """The address of the socket, for the address of the server."""
    parts = urllib.parse.urlsplit(server)
    scheme = {"http": "ws", "https": "wss"}[parts.scheme]
    return urllib.parse.urlunsplit((scheme, parts.netloc, "/v1/ws", "", ""))


def encode(subprotocol, frame):
    """A frame as it goes out: text for JSON, bytes for MessagePack."""
    if subprotocol == JSON:
        return json.dumps(frame, ensure_ascii=False)
    return msgpack.packb(_pack(frame))


def decode(subprotocol, data):
    """A frame as it came in, ids and cursors as text."""
    if subprotocol == JSON:
        assert isinstance(data, str), "a JSON frame is a text message"
        return json.loads(data)
    assert isinstance(data, bytes), "a MessagePack frame is a binary message"
    return _unpack(msgpack.unpackb(data))


def _pack(value, key=""):
    if isinstance(value, dict):
        return {name: _pack(inner, name) for name, inner in value.items()}
    if isinstance(value, list):
        return [_pack(inner, key) for inner in value]
    if isinstance(value, str) and key == "cursor":
        return base64.b64decode(value)
    if isinstance(value, str) and key in ID_FIELDS:
        return uuid.UUID(value).bytes
    return value


def _unpack(value):
    if isinstance(value, dict):
        return {
            name: base64.b64encode(inner).decode() if name == "cursor" else _unpack(inner)
            for name, inner in value.items()
        }
    if isinstance(value, list):
        return [_unpack(inner) for inner in value]
    if isinstance(value, bytes):
        assert len(value) == 16, "an id has sixteen bytes"
        return str(uuid.UUID(bytes=value))
    return value


def time_of(message_id):
    """The milliseconds in the first 48 bits of a message id."""
    return int(message_id.replace("-", "")[:12], 16)


@dataclass
class Client:
    """One connection after its hello: requests, and what the server says by itself."""

    socket: object
    subprotocol: str
    welcome: dict = None
    cursor: str = None
    frames: list = field(default_factory=list)
    _answers: dict = field(default_factory=dict)
    _last_id: int = 0
    _clock_offset: float = 0.0
    _newest: dict = field(default_factory=dict)
    _closed: Closed = None
    _news: asyncio.Condition = field(default_factory=asyncio.Condition)
    _reader: asyncio.Task = None

    @classmethod
    async def open(cls, server, subprotocol=MESSAGE_PACK):
        """Connects, and says nothing yet."""
        socket = await websockets.connect(
            socket_address(server),
            subprotocols=[subprotocol],
            compression=None,
            max_size=256 * 1024,
            open_timeout=PATIENCE_SECONDS,
            close_timeout=PATIENCE_SECONDS,
        )
        assert socket.subprotocol == subprotocol, "the server echoes the subprotocol it takes"
        client = cls(socket, subprotocol)
        client._reader = asyncio.create_task(client._read())
        return client

    @classmethod
    async def connect(cls, server, access_token, subprotocol=MESSAGE_PACK, cursor=None, device=None):
        """Connects and says hello."""
        client = await cls.open(server, subprotocol)
        await client.say_hello(access_token, cursor, device)
        return client

    async def say_hello(self, access_token, cursor=None, device=None):
        """The handshake, from hello to welcome."""
        hello = {
            "t": "hello",
            "version": 1,
            "access_token": access_token,
            "device": device or str(uuid.uuid4()),
            "client": CLIENT,
            "language": "en",
        }
        if cursor is not None:
            hello["cursor"] = cursor
        asked = time.monotonic()
        await self.send(hello)
        self.welcome = await self.wait_for(lambda frame: frame["t"] == "welcome")
        answered = time.monotonic()
        self._clock_offset = self.welcome["server_time"] / 1000 + (answered - asked) / 2 - answered

    async def close(self):
        """Ends the connection in good order."""
        await self.socket.close()
        await self._reader

    async def closed(self):
        """Waits until the server ends the connection; how it did."""
        await self._until(lambda: self._closed is not None, or_closed=False)
        return self._closed

    async def send(self, frame):
        """Sends a frame as it is."""
        await self.socket.send(encode(self.subprotocol, frame))

    async def ask(self, op, **fields):
        """A request; its reply, or Refused. Fields that are None are left out."""
        self._last_id += 1
        request = {"op": op} | {name: value for name, value in fields.items() if value is not None}
        await self.send({"t": "request", "id": self._last_id, "request": request})
        return await self.answer(self._last_id)

    async def answer(self, request_id):
        """Waits for the answer to a request."""
        await self._until(lambda: request_id in self._answers)
        frame = self._answers.pop(request_id)
        if frame["t"] == "error":
            raise Refused(frame["error"])
        return frame["reply"]

    def fix_send(self, thread=None):
        """What a send fixes before its first transmission and repeats on every retry."""
        now = int((time.monotonic() + self._clock_offset) * 1000)
        newest = self._newest.get(thread)
        later_than_seen = time_of(newest) + 1 if newest else 0
        return {"client_id": str(uuid.uuid4()), "sent_at": max(now, later_than_seen)}

    async def send_text(self, thread, text, fixed=None):
        """Sends a text; the reply `sent`. With what an earlier call fixed, it is a retry."""
        fixed = fixed or self.fix_send(thread)
        sent = await self.ask("send_message", thread=thread, parts=[{"kind": "text", "text": text}], **fixed)
        self._see(thread, sent["message"])
        return sent

    async def wait_for(self, wanted):
        """The first frame, of those received and those to come, that is wanted. Answers to requests are not among them."""
        found = []

        def look():
            found.extend(frame for frame in self.frames if wanted(frame))
            return bool(found)

        await self._until(look)
        return found[0]

    async def wait_for_event(self, wanted):
        """The first event that is wanted."""
        frame = await self.wait_for(lambda frame: frame["t"] == "event" and wanted(frame["event"]))
        return frame["event"]

    def messages(self, thread):
        """The ids of the messages of a thread that events told of, in order, each once."""
        events = (frame["event"] for frame in self.frames if frame["t"] == "event")
        return sorted({e["message"] for e in events if e["kind"] == "message" and e["thread"] == thread})

    async def _read(self):
        try:
            async for data in self.socket:
                frame = decode(self.subprotocol, data)
                async with self._news:
                    self._take(frame)
                    self._news.notify_all()
        except websockets.ConnectionClosed:
            pass
        finally:
            async with self._news:
                self._closed = Closed(self.socket.close_code, self.socket.close_reason)
                self._news.notify_all()

    def _take(self, frame):
        if frame["t"] in ("reply", "error") and "id" in frame:
            self._answers[frame["id"]] = frame
            return
        if frame["t"] == "cursor":
            self.cursor = frame["cursor"]
        if frame["t"] == "event" and frame["event"]["kind"] == "message":
            self._see(frame["event"]["thread"], frame["event"]["message"])
        self.frames.append(frame)

    def _see(self, thread, message):
        self._newest[thread] = max(self._newest.get(thread, ""), message)

    async def _until(self, true, or_closed=True):
        def ready():
            return true() or (or_closed and self._closed is not None)

        async with asyncio.timeout(PATIENCE_SECONDS):
            async with self._news:
                await self._news.wait_for(ready)
        if not true():
            raise self._closed
