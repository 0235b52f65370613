//! The PyPI package smpp.twisted3, 0.8: the server layer of the gateway Jasmin. It names no version in its bind responses,
//! and ends the session over a PDU that it cannot read.

use crate::{
    conversation::{self, Form},
    peer::{self, Program},
};

fn program() -> Option<Program> {
    let path = peer::installed("twisted_smpp/bin/python")?;
    let arguments = vec![peer::script("twisted_smpp/server.py")];
    Some(Program { name: "smpp.twisted3", path, arguments, variable: ("PYTHONDONTWRITEBYTECODE", "1".into()) })
}

#[test]
fn as_transceiver() {
    let Some(program) = program() else { return };
    conversation::have(program, Form::Transceiver, true, &[]);
}

#[test]
fn as_two_transceivers() {
    let Some(program) = program() else { return };
    conversation::have(program, Form::TwoTransceivers, true, &[]);
}

#[test]
fn as_transmitter_and_receiver() {
    let Some(program) = program() else { return };
    conversation::have(program, Form::Pair, true, &[]);
}
