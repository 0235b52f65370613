"""An SMSC on the PyPI package smppy, directed by tests/peers/peer.rs: commands as JSON lines on standard input, what it
sees as JSON lines on standard output. Ends when standard input ends."""

import asyncio
import json
import os
import sys
import threading

from smpp.pdu.pdu_types import CommandId
from smppy import Application
from smppy.server import SmppProtocol

held = False
submits = 0
bound = None


def say(event, **more):
    sys.stdout.write(json.dumps({"event": event, **more}) + "\n")
    sys.stdout.flush()


class Session(SmppProtocol):
    """As the package has it, but for submits that are taken without an answer."""

    def _send_response(self, response):
        if not (held and response.command_id == CommandId.submit_sm_resp):
            super()._send_response(response)
        if response.command_id == CommandId.bind_transceiver_resp:
            say("bound", form="transceiver") if self.is_bound else say("refused")


class Foreign(Application):
    async def handle_bound_client(self, client):
        global bound
        if (client.system_id, client.password) != ("tracuu", "secret"):
            return None
        bound = client
        return client

    async def handle_unbound_client(self, client):
        say("unbound")

    async def handle_sms_received(self, client, source_number, dest_number, text):
        global submits
        number = f"py-{os.getpid()}-{submits}"
        submits += 1
        say("submit", id=number, to=dest_number, text=text, coding=-1, registered=0, udh=None, **{"from": source_number})


def obey(line):
    global held
    command = json.loads(line)
    if command["do"] == "hold":
        held = True
    elif command["do"] == "deliver":
        asyncio.ensure_future(bound.send_sms(command["from"], command["to"], command["text"]), loop=loop)


def read_commands():
    for line in sys.stdin:
        loop.call_soon_threadsafe(obey, line)
    os._exit(0)


loop = asyncio.new_event_loop()
asyncio.set_event_loop(loop)
application = Foreign(name="Foreign")
loop.run_until_complete(loop.create_server(lambda: Session(app=application), host="127.0.0.1", port=int(sys.argv[1])))
threading.Thread(target=read_commands, daemon=True).start()
say("listening")
loop.run_forever()
