"""A demo school of its own for one run: the server, its people, and connections that end with the check that opened them."""

import asyncio
import json
import os
import pathlib
import signal
import subprocess
import tempfile
from contextlib import asynccontextmanager

from samtale_client import MESSAGE_PACK, Client, log_in

ROOT = pathlib.Path(__file__).resolve().parents[2]
# The first start makes about 600 people and hashes their codes.
START_SECONDS = 180
STOP_SECONDS = 30


class School:
    """A running demo school."""

    def __init__(self, ready):
        self.server = ready["url"]
        self.people = {}
        for login in ready["logins"]:
            self.people.setdefault(login["role"], login)
        self.logins = {}
        self._thread = None

    def login(self, role):
        """The login of the first person with a role, made once."""
        if role not in self.logins:
            person = self.people[role]
            self.logins[role] = log_in(self.server, person["username"], person["password"])
        return self.logins[role]

    def shared_space(self):
        """The space where teacher and guardian both are."""
        spaces = [{profile["space"] for profile in self.login(role)["profiles"]} for role in ("teacher", "guardian")]
        return sorted(spaces[0] & spaces[1])[0]

    def profile(self, role):
        """The profile id of a person in the shared space."""
        space = self.shared_space()
        return next(profile["profile"] for profile in self.login(role)["profiles"] if profile["space"] == space)

    @asynccontextmanager
    async def connected(self, role, **options):
        """A connection after its welcome."""
        client = await Client.connect(self.server, self.login(role)["access_token"], **options)
        try:
            yield client
        finally:
            await client.close()

    @asynccontextmanager
    async def silent(self, subprotocol=MESSAGE_PACK):
        """A connection before its hello."""
        client = await Client.open(self.server, subprotocol)
        try:
            yield client
        finally:
            await client.close()

    def start_request(self, client):
        """The fields of a thread from teacher to guardian, fixed for all retries."""
        return client.fix_send() | {
            "space": self.shared_space(),
            "to": [{"kind": "profile", "profile": self.profile("guardian")}],
            "subject": "Skovtur på fredag 🌲",
            "parts": [{"kind": "text", "text": "Kære forældre, vi går i skoven på fredag."}],
        }

    async def thread(self, teacher):
        """A thread of teacher and guardian, started once for all checks."""
        if self._thread is None:
            self._thread = (await teacher.ask("start_thread", **self.start_request(teacher)))["thread"]
        return self._thread


@asynccontextmanager
async def running_school():
    """Starts a server with a new demo school on a free port, and stops it in the end."""
    binary = os.environ.get("SAMTALE_BIN", str(ROOT / "target/debug/samtale"))
    with tempfile.TemporaryDirectory(prefix="samtale-conformance-") as folder:
        log_path = pathlib.Path(folder) / "server.log"
        with log_path.open("wb") as log:
            server = await asyncio.create_subprocess_exec(
                binary, "demo", "--data", f"{folder}/data", "--listen", "127.0.0.1:0", "--json",
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log,
            )
        try:
            async with asyncio.timeout(START_SECONDS):
                line = await server.stdout.readline()
            if not line:
                raise RuntimeError("the server said nothing and ended")
            yield School(json.loads(line))
        except BaseException:
            print(log_path.read_text(errors="replace")[-4000:])
            raise
        finally:
            await stop(server)


async def stop(server):
    """SIGTERM, and only if that is not enough, more."""
    if server.returncode is not None:
        return
    server.send_signal(signal.SIGTERM)
    try:
        async with asyncio.timeout(STOP_SECONDS):
            await server.wait()
    except TimeoutError:
        print(f"the server did not stop within {STOP_SECONDS} s")
        server.kill()
        await server.wait()
