"""An SMSC on the PyPI package smpp.twisted3, directed by tests/peers/peer.rs: commands as JSON lines on standard input,
what it sees as JSON lines on standard output. Texts come apart by the package. Ends when standard input ends."""

import json
import os
import sys

from smpp.pdu.gsm_types import IEConcatenatedSM
from smpp.pdu.operations import DeliverSM
from smpp.pdu.pdu_types import (
    AddrNpi, AddrTon, CommandId, CommandStatus, DataCoding, DataCodingDefault, EsmClass, EsmClassGsmFeatures,
    EsmClassMode, EsmClassType, MessageState, RegisteredDeliveryReceipt,
)
from smpp.pdu.sm_encoding import SMStringEncoder
from smpp.twisted.config import SMPPServerConfig
from smpp.twisted.protocol import DataHandlerResponse, SMPPServerProtocol
from smpp.twisted.server import SMPPServerFactory
from twisted.cred.checkers import InMemoryUsernamePasswordDatabaseDontUse
from twisted.cred.portal import IRealm, Portal
from twisted.internet import defer, protocol, reactor, stdio
from twisted.protocols.basic import LineOnlyReceiver
from zope.interface import implementer

CODINGS = {0: DataCodingDefault.SMSC_DEFAULT_ALPHABET, 8: DataCodingDefault.UCS2}
ASKED = RegisteredDeliveryReceipt.SMSC_DELIVERY_RECEIPT_REQUESTED
held = False
submits = 0


def say(event, **more):
    sys.stdout.write(json.dumps({"event": event, **more}) + "\n")
    sys.stdout.flush()


@implementer(IRealm)
class Realm:
    def requestAvatar(self, avatarId, mind, *interfaces):
        return interfaces[0], avatarId, lambda: None


class Users(InMemoryUsernamePasswordDatabaseDontUse):
    def requestAvatarId(self, credentials):
        def refused(failure):
            say("refused")
            return failure
        return defer.maybeDeferred(super().requestAvatarId, credentials).addErrback(refused)


class Session(SMPPServerProtocol):
    def onPDURequest_unbind(self, request):
        say("unbound")
        super().onPDURequest_unbind(request)


class Factory(SMPPServerFactory):
    protocol = Session

    def addBoundConnection(self, connection):
        super().addBoundConnection(connection)
        say("bound", form=str(connection.bind_type.name).replace("bind_", ""))


def submitted(system_id, session, pdu):
    global submits
    if pdu.commandId != CommandId.submit_sm:
        return CommandStatus.ESME_RINVCMDID
    message = SMStringEncoder().decodeSM(pdu)
    parts = [e.data for e in message.udh or [] if isinstance(e.data, IEConcatenatedSM)]
    number = f"tw-{os.getpid()}-{submits}"
    submits += 1
    say(
        "submit", id=number, text=message.unicode,
        to=pdu.params["destination_addr"].decode(), **{"from": pdu.params["source_addr"].decode()},
        coding=next((n for n, name in CODINGS.items() if name == pdu.params["data_coding"].schemeData), -1),
        registered=int(pdu.params["registered_delivery"].receipt == ASKED),
        udh=list(parts[0]) if parts else None,
    )
    if held:
        return defer.Deferred()
    return DataHandlerResponse(status=CommandStatus.ESME_ROK, message_id=number.encode())


class Commands(LineOnlyReceiver):
    delimiter = b"\n"

    def lineReceived(self, line):
        command = json.loads(line)
        getattr(self, "do_" + command["do"])(command)

    def connectionLost(self, reason=protocol.connectionDone):
        os._exit(0)

    def do_hold(self, _):
        global held
        held = True

    def do_unbind(self, _):
        for session in list(factory.getBoundConnections("tracuu") or []):
            done = session.unbind()
            done.addCallback(lambda _: say("unbind_answered"))
            done.addBoth(lambda _, session=session: session.disconnect())

    def do_deliver(self, command):
        bound = factory.getBoundConnections("tracuu")
        session = bound.getNextBindingForDelivery() if bound else None
        if session is None:
            return say("untaken", n=command["n"])
        octets = command["text"].encode("utf-16-be" if command["coding"] == 8 else "ascii")
        features = []
        if command.get("udh"):
            octets = bytes([5, 0, 3, *command["udh"]]) + octets
            features = [EsmClassGsmFeatures.UDHI_INDICATOR_SET]
        kind = EsmClassType.SMSC_DELIVERY_RECEIPT if command["esm_class"] & 4 else EsmClassType.DEFAULT
        more = {}
        if command.get("receipted"):
            more = {"receipted_message_id": command["receipted"].encode(), "message_state": MessageState.DELIVERED}
        pdu = DeliverSM(
            source_addr_ton=AddrTon.INTERNATIONAL, source_addr_npi=AddrNpi.ISDN, source_addr=command["from"].encode(),
            destination_addr=command["to"].encode(), esm_class=EsmClass(EsmClassMode.DEFAULT, kind, features),
            data_coding=DataCoding(schemeData=CODINGS[command["coding"]]), short_message=octets, **more,
        )
        sent = session.sendDataRequest(pdu)
        sent.addCallback(lambda answer: say("taken", n=command["n"], status=0))
        sent.addErrback(lambda why: say("untaken", n=command["n"]))


users = Users()
users.addUser("tracuu", "secret")
config = SMPPServerConfig(msgHandler=submitted, systems={"tracuu": {"max_bindings": 4}})
factory = Factory(config, Portal(Realm(), [users]))
reactor.listenTCP(int(sys.argv[1]), factory, interface="127.0.0.1")
stdio.StandardIO(Commands())
say("listening")
reactor.run()
