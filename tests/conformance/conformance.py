"""Whether a client that knows nothing but docs/protocol.md can live with the server. Run it with ./run."""

import asyncio
import sys
import traceback

import websockets

from samtale_client import JSON, MESSAGE_PACK, Refused, log_in, post, socket_address, time_of
from school import running_school

CHECK_SECONDS = 90
CHECKS = []
CLIENT_FRAME_BYTES = 65536


def check(function):
    """A check; its name says what it shows."""
    CHECKS.append(function)
    return function


async def refusal(awaitable):
    """The code that something is refused with."""
    try:
        answer = await awaitable
    except Refused as refused:
        return refused.code
    raise AssertionError(f"not refused: {answer}")


def text_of(message):
    """What a message says."""
    return "\n".join(part.get("text", "?") for part in message["parts"])


async def whole_history(client, thread, limit, direction, start=None):
    """All messages of a thread, page by page in a direction; always oldest first."""
    messages, bound = [], start
    while True:
        page = await client.ask("history", thread=thread, limit=limit, **{direction: bound})
        found = page["messages"]
        messages = messages + found if direction == "after" else found + messages
        if not page["more"]:
            return messages
        assert found, "a page that says there is more holds something"
        bound = found[-1]["message"] if direction == "after" else found[0]["message"]


async def events_since(school, cursor, subprotocol):
    """What a resume of the guardian brings for the shared space, whole."""
    async with school.connected("guardian", cursor=cursor, subprotocol=subprotocol) as client:
        space = school.shared_space()
        end = await client.wait_for(lambda frame: frame["t"] in ("resumed", "resync") and frame["space"] == space)
        before = client.frames[: client.frames.index(end)]
        assert not [frame for frame in before if frame["t"] == "signal"], "a signal was replayed"
        events = [frame for frame in before if frame["t"] == "event" and frame["space"] == space]
        await client.wait_for(lambda frame: frame["t"] == "cursor")
        return end, events


async def place_of(school, role):
    """A cursor that covers everything until now."""
    async with school.connected(role) as client:
        return (await client.wait_for(lambda frame: frame["t"] == "cursor"))["cursor"]


@check
async def people_log_in(school):
    for role in ("teacher", "guardian", "child"):
        login = school.login(role)
        assert login["access_token"] and login["refresh_token"] and login["expires_in"] > 0
        assert login["profiles"], "a login names its profiles"


@check
async def a_refresh_gives_the_next_tokens_and_a_logout_ends_them(school):
    person = school.people["child"]
    login = log_in(school.server, person["username"], person["password"])
    renewed = post(school.server, "/v1/refresh", {"refresh_token": login["refresh_token"]})
    assert renewed["refresh_token"] != login["refresh_token"]
    post(school.server, "/v1/logout", {"refresh_token": renewed["refresh_token"]})
    try:
        post(school.server, "/v1/refresh", {"refresh_token": renewed["refresh_token"]})
    except Refused as refused:
        assert (refused.status, refused.code) == (401, "invalid_token")
    else:
        raise AssertionError("a refresh token worked after the logout")


@check
async def welcome_says_who_and_when(school):
    async with school.connected("teacher") as teacher:
        welcome = teacher.welcome
        assert welcome["profiles"] == school.login("teacher")["profiles"]
        assert welcome["server_time"] < welcome["expires_at"] and welcome["ping_interval_ms"] > 0
        await teacher.wait_for(lambda frame: frame["t"] == "cursor")


@check
async def threads_are_listed_latest_first(school):
    for role in ("teacher", "guardian", "child"):
        async with school.connected(role) as client:
            page = await client.ask("inbox", limit=5)
            newest = [entry["last_message"] for entry in page["entries"]]
            assert newest == sorted(newest, reverse=True) and len(newest) <= 5
            if page["more"]:
                following = await client.ask("inbox", limit=5, before=newest[-1])
                assert all(entry["last_message"] < newest[-1] for entry in following["entries"])


@check
async def a_thread_is_started_once_and_reaches_the_other_live(school):
    async with school.connected("teacher") as teacher, school.connected("guardian") as guardian:
        request = school.start_request(teacher)
        sent = await teacher.ask("start_thread", **request)
        assert sent == await teacher.ask("start_thread", **request), "a retry gives the same reply"
        assert sent["client_id"] == request["client_id"] and time_of(sent["message"]) == request["sent_at"]
        message = await guardian.wait_for_event(
            lambda event: event["kind"] == "message" and event["message"] == sent["message"]
        )
        assert text_of(message) == request["parts"][0]["text"] and message["author"] == school.profile("teacher")
        opened = await guardian.ask("open_thread", thread=sent["thread"])
        assert opened["thread"]["subject"] == request["subject"]
        assert {member["profile"] for member in opened["members"]} >= {school.profile("teacher"), school.profile("guardian")}


@check
async def a_message_arrives_on_every_other_connection(school):
    async with (
        school.connected("teacher") as teacher,
        school.connected("teacher") as other_device,
        school.connected("guardian", subprotocol=JSON) as guardian,
    ):
        thread = await school.thread(teacher)
        sent = await teacher.send_text(thread, "Husk madpakke 🥪, æbler og \"gode\" støvler\\")
        for client in (other_device, guardian):
            message = await client.wait_for_event(
                lambda event: event["kind"] == "message" and event["message"] == sent["message"]
            )
            assert text_of(message) == "Husk madpakke 🥪, æbler og \"gode\" støvler\\"


@check
async def a_retried_send_is_one_message(school):
    async with school.connected("teacher") as teacher:
        thread = await school.thread(teacher)
        fixed = teacher.fix_send(thread)
        first = await teacher.send_text(thread, "Kun én gang", fixed)
    async with school.connected("teacher") as teacher:
        assert await teacher.send_text(thread, "Kun én gang", fixed) == first
        assert await refusal(teacher.send_text(thread, "Noget andet", fixed)) == "client_id_reused"
        found = await whole_history(teacher, thread, 50, "before")
        assert [text_of(message) for message in found].count("Kun én gang") == 1


@check
async def a_sent_at_of_the_future_or_the_past_is_not_stored(school):
    async with school.connected("teacher") as teacher:
        thread = await school.thread(teacher)
        for offset, code in ((60_000, "clock_ahead"), (-60_000, "restamp")):
            fixed = teacher.fix_send(thread)
            wrong = fixed | {"sent_at": fixed["sent_at"] + offset}
            assert await refusal(teacher.send_text(thread, f"Uret: {code}", wrong)) == code
            again = fixed | {"sent_at": teacher.fix_send(thread)["sent_at"]}
            sent = await teacher.send_text(thread, f"Uret: {code}", again)
            found = await whole_history(teacher, thread, 50, "before")
            stored = [message["message"] for message in found if text_of(message) == f"Uret: {code}"]
            assert stored == [sent["message"]]


@check
async def an_answer_sorts_after_its_question(school):
    async with school.connected("teacher") as teacher, school.connected("guardian") as guardian:
        thread = await school.thread(teacher)
        question = await teacher.send_text(thread, "Kan I køre?")
        await guardian.wait_for_event(lambda event: event.get("message") == question["message"])
        answer = await guardian.send_text(thread, "Ja")
        assert answer["message"] > question["message"]


@check
async def an_edited_message_changes_for_everyone(school):
    async with school.connected("teacher") as teacher, school.connected("guardian") as guardian:
        thread = await school.thread(teacher)
        sent = await teacher.send_text(thread, "Vi mødes kl. 8")
        parts = [{"kind": "text", "text": "Vi mødes kl. 9"}]
        edited = await teacher.ask("edit_message", thread=thread, message=sent["message"], parts=parts)
        assert text_of(edited) == "Vi mødes kl. 9" and edited["edited_at"] and edited["message"] == sent["message"]
        event = await guardian.wait_for_event(
            lambda event: event.get("message") == sent["message"] and event["version"] == edited["version"]
        )
        assert text_of(event) == "Vi mødes kl. 9"
        assert await refusal(
            guardian.ask("edit_message", thread=thread, message=sent["message"], parts=parts)
        ) == "not_permitted"


@check
async def a_recalled_message_leaves_a_tombstone(school):
    async with school.connected("teacher") as teacher, school.connected("guardian") as guardian:
        thread = await school.thread(teacher)
        sent = await teacher.send_text(thread, "Dette fortryder jeg")
        recalled = await teacher.ask("recall_message", thread=thread, message=sent["message"])
        assert recalled["parts"] == [] and recalled["recalled_at"]
        event = await guardian.wait_for_event(
            lambda event: event.get("message") == sent["message"] and "recalled_at" in event
        )
        assert event["parts"] == []
        parts = [{"kind": "text", "text": "Alligevel"}]
        code = await refusal(teacher.ask("edit_message", thread=thread, message=sent["message"], parts=parts))
        assert code == "recalled"


@check
async def history_reads_the_same_both_ways_and_in_both_encodings(school):
    async with school.connected("teacher") as teacher, school.connected("teacher", subprotocol=JSON) as in_json:
        thread = await school.thread(teacher)
        for number in range(5):
            await teacher.send_text(thread, f"Nummer {number}")
        backwards = await whole_history(teacher, thread, 2, "before")
        first = backwards[0]["message"]
        forwards = await whole_history(teacher, thread, 2, "after", start=first)
        assert [message["message"] for message in forwards] == [message["message"] for message in backwards[1:]]
        order = [message["message"] for message in backwards]
        assert order == sorted(set(order))
        assert await whole_history(in_json, thread, 3, "before") == backwards


@check
async def what_is_read_is_read_everywhere(school):
    async with (
        school.connected("teacher") as teacher,
        school.connected("guardian") as guardian,
        school.connected("guardian") as other_device,
    ):
        thread = await school.thread(teacher)
        sent = await teacher.send_text(thread, "Læs mig")
        await guardian.wait_for_event(lambda event: event.get("message") == sent["message"])
        read = await guardian.ask("mark_read", thread=thread, messages=[sent["message"]])
        assert sent["message"] in read.get("also", []) or sent["message"] <= read.get("up_to", "")
        me = school.profile("guardian")
        await other_device.wait_for_event(
            lambda event: event["kind"] == "read" and event["thread"] == thread and event["profile"] == me
        )
        page = await guardian.ask("inbox", limit=100)
        entry = next(entry for entry in page["entries"] if entry["thread"]["thread"] == thread)
        assert entry["unread"] == 0


@check
async def a_cursor_brings_exactly_what_was_missed_in_both_encodings(school):
    async with school.connected("teacher") as teacher:
        thread = await school.thread(teacher)
        await teacher.send_text(thread, "Før du gik")
        cursor = await place_of(school, "guardian")
        missed = [(await teacher.send_text(thread, f"Mens du var væk {number}"))["message"] for number in range(3)]
    brought = {}
    for subprotocol in (MESSAGE_PACK, JSON):
        end, events = await events_since(school, cursor, subprotocol)
        assert end["t"] == "resumed", "the journal reaches this far back"
        assert end["events"] == len(events)
        messages = [frame["event"] for frame in events if frame["event"]["kind"] == "message"]
        assert {message["message"] for message in messages if message["thread"] == thread} == set(missed)
        brought[subprotocol] = {frame["id"]: frame["event"] for frame in events}
    assert brought[MESSAGE_PACK] == brought[JSON]


@check
async def a_resume_with_nothing_missed_is_empty(school):
    end, events = await events_since(school, await place_of(school, "guardian"), MESSAGE_PACK)
    assert (end["t"], end["events"]) == ("resumed", len(events))
    assert not [frame for frame in events if frame["event"]["kind"] == "message"]


@check
async def a_cursor_that_is_none_means_resync(school):
    end, events = await events_since(school, "AAECAwQFBgc=", MESSAGE_PACK)
    assert end["t"] == "resync" and events == []


@check
async def typing_arrives_and_is_not_replayed(school):
    cursor = await place_of(school, "guardian")
    async with school.connected("teacher") as teacher, school.connected("guardian") as guardian:
        thread = await school.thread(teacher)
        await teacher.ask("typing", thread=thread)
        frame = await guardian.wait_for(lambda frame: frame["t"] == "signal" and frame["signal"]["kind"] == "typing")
        assert (frame["signal"]["thread"], frame["signal"]["profile"]) == (thread, school.profile("teacher"))
    end, _ = await events_since(school, cursor, MESSAGE_PACK)
    assert end["t"] == "resumed"


@check
async def a_token_that_is_none_closes_with_4502(school):
    for subprotocol in (MESSAGE_PACK, JSON):
        async with school.silent(subprotocol) as client:
            await client.send(hello("no such token"))
            closed = await client.closed()
            assert closed.code == 4502 and closed.reason.startswith("invalid_token"), closed


def hello(token, version=1):
    """A hello that need not be taken."""
    device = "019fea41-ab00-7555-9555-000000000001"
    return {"t": "hello", "version": version, "access_token": token, "device": device, "client": "conformance"}


@check
async def a_frame_out_of_turn_closes_with_4505(school):
    async with school.silent() as client:
        await client.send({"t": "request", "id": 1, "request": {"op": "list_logins"}})
        assert (await client.closed()).code == 4505
    async with school.connected("teacher") as client:
        await client.send(hello(school.login("teacher")["access_token"]))
        assert (await client.closed()).code == 4505


@check
async def another_version_closes_with_4501(school):
    async with school.silent() as client:
        await client.send(hello(school.login("teacher")["access_token"], version=99))
        assert (await client.closed()).code == 4501


@check
async def a_request_that_makes_no_sense_is_refused_and_the_connection_goes_on(school):
    for subprotocol in (MESSAGE_PACK, JSON):
        async with school.connected("teacher", subprotocol=subprotocol) as client:
            assert await refusal(client.ask("dance")) == "bad_request"
            assert await refusal(client.ask("history", limit=10)) == "bad_request"
            assert await refusal(client.ask("inbox", limit="ten")) == "bad_request"
            assert (await client.ask("list_logins"))["kind"] == "logins"


@check
async def what_is_no_frame_closes_with_4500(school):
    hostile = {MESSAGE_PACK: [b"\xc1", b"\xdf\xff\xff\xff\xff", b"\x91" * 5000], JSON: ["{", "[]", "[" * 5000]}
    for subprotocol, other in ((MESSAGE_PACK, "{}"), (JSON, b"\x80")):
        for data in [*hostile[subprotocol], other]:
            async with school.connected("teacher", subprotocol=subprotocol) as client:
                await client.socket.send(data)
                assert (await client.closed()).code == 4500, data[:20]


@check
async def a_frame_above_the_limit_closes_with_4504(school):
    async with school.connected("teacher", subprotocol=JSON) as client:
        await client.socket.send(" " * (CLIENT_FRAME_BYTES + 1))
        assert (await client.closed()).code == 4504


@check
async def without_a_known_subprotocol_the_upgrade_is_refused(school):
    for offered in (None, ["samtale.v99.json"]):
        try:
            socket = await websockets.connect(socket_address(school.server), subprotocols=offered, open_timeout=15)
        except websockets.InvalidStatus as invalid:
            assert invalid.response.status_code in (400, 426), invalid.response.status_code
            assert MESSAGE_PACK in invalid.response.body.decode(), "the answer names what is spoken"
        else:
            await socket.close()
            raise AssertionError(f"the server took {offered}")


# The last, because wrong passwords slow an account down.
@check
async def a_wrong_password_and_an_unknown_name_get_the_same_answer(school):
    for username in (school.people["child"]["username"], "nobody.at.all"):
        try:
            log_in(school.server, username, "not the password")
        except Refused as refused:
            assert (refused.status, refused.code) == (401, "wrong_credentials")
        else:
            raise AssertionError("a wrong password was taken")


async def run_one(school, function):
    """One check; whether it passed."""
    name = function.__name__.replace("_", " ")
    try:
        async with asyncio.timeout(CHECK_SECONDS):
            await function(school)
    except Exception:
        print(f"FAILED  {name}\n{traceback.format_exc()}", flush=True)
        return False
    print(f"passed  {name}", flush=True)
    return True


async def main():
    """All checks whose names hold one of the arguments, or all."""
    wanted = [function for function in CHECKS if not sys.argv[1:] or any(word in function.__name__ for word in sys.argv[1:])]
    try:
        async with running_school() as school:
            results = [await run_one(school, function) for function in wanted]
    except Exception as error:
        print(f"the server did not come up: {error!r}")
        results = [False] * len(wanted)
    print(f"{sum(results)} passed, {len(results) - sum(results)} failed")
    return 0 if results and all(results) else 1


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
