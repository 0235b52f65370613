// An SMSC on the npm package smpp, directed by tests/peers/peer.rs: commands as JSON lines on standard input, what it
// sees as JSON lines on standard output. Texts are coded and decoded by the package. Ends when standard input ends.
'use strict';
const smpp = require('smpp');

// The port is the last argument; before it, for TLS, the files of a key and of its certificate.
const port = Number(process.argv.pop());
const [key, cert] = process.argv.slice(2).map((file) => require('fs').readFileSync(file));
const say = (event, more) => process.stdout.write(JSON.stringify({ event, ...more }) + '\n');
const sessions = new Set();
let held = false;
let submits = 0;

function bind(session, form) {
  session.on(`bind_${form}`, (pdu) => {
    if (pdu.system_id !== 'tracuu' || pdu.password !== 'secret') {
      session.send(pdu.response({ command_status: smpp.ESME_RINVPASWD }), () => session.close());
      return say('refused');
    }
    session.receives = form !== 'transmitter';
    sessions.add(session);
    session.send(pdu.response({ system_id: 'Foreign' }));
    say('bound', { form });
  });
}

const server = smpp.createServer(cert ? { key, cert } : {}, (session) => {
  ['transceiver', 'transmitter', 'receiver'].forEach((form) => bind(session, form));
  session.on('submit_sm', (pdu) => {
    const id = `js-${process.pid}-${submits++}`;
    const udh = (pdu.short_message.udh || []).find((element) => element[0] === 0);
    say('submit', {
      id,
      from: pdu.source_addr,
      to: pdu.destination_addr,
      coding: pdu.data_coding,
      registered: pdu.registered_delivery,
      text: pdu.short_message.message,
      udh: udh ? [udh[2], udh[3], udh[4]] : null,
    });
    if (!held) session.send(pdu.response({ message_id: id }));
  });
  session.on('enquire_link', (pdu) => session.send(pdu.response()));
  session.on('unbind', (pdu) => {
    session.send(pdu.response(), () => session.close());
    say('unbound');
  });
  session.on('close', () => sessions.delete(session));
  session.on('error', () => sessions.delete(session));
});

function deliver(command) {
  const session = [...sessions].find((one) => one.receives);
  if (!session) return say('untaken', { n: command.n });
  const message = { message: command.text };
  if (command.udh) message.udh = Buffer.from([5, 0, 3, ...command.udh]);
  const options = {
    source_addr_ton: 1,
    source_addr_npi: 1,
    source_addr: command.from,
    destination_addr: command.to,
    esm_class: command.esm_class,
    data_coding: command.coding,
    short_message: message,
  };
  if (command.receipted) Object.assign(options, { receipted_message_id: command.receipted, message_state: 2 });
  session.deliver_sm(options, (answer) => say('taken', { n: command.n, status: answer.command_status }));
}

const commands = {
  deliver,
  hold: () => { held = true; },
  unbind: () => sessions.forEach((session) => session.unbind(() => {
    say('unbind_answered');
    session.close();
  })),
};

require('readline').createInterface({ input: process.stdin })
  .on('line', (line) => {
    const command = JSON.parse(line);
    commands[command.do](command);
  })
  .on('close', () => process.exit(0));

server.on('error', () => process.exit(1));
server.listen(port, '127.0.0.1', () => say('listening'));
