//! The npm package smpp, 0.5.1: a server whose script decides everything. It answers nothing that the script does not
//! answer, and takes PDUs that others refuse.

use crate::{
    conversation::{self, Form},
    peer::{self, Program},
};

fn program() -> Option<Program> {
    let modules = peer::installed("node_smpp/node_modules")?;
    let (path, arguments) = ("node".into(), vec![peer::script("node_smpp/server.js")]);
    Some(Program { name: "npm smpp", path, arguments, variable: ("NODE_PATH", modules) })
}

#[test]
fn as_transceiver() {
    let Some(program) = program() else { return };
    conversation::have(program, Form::Transceiver, true);
}

#[test]
fn as_transmitter_and_receiver() {
    let Some(program) = program() else { return };
    conversation::have(program, Form::Pair, true);
}
