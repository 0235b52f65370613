//! The npm package smpp, 0.5.1: a server whose script decides everything. It answers nothing that the script does not
//! answer, and takes PDUs that others refuse. It speaks TLS, too, with a library that is not ours.

use std::fs;

use crate::{
    conversation::{self, Form},
    peer::{self, Program},
};

/// Whom the certificate is for.
const NAME: &str = "smsc.example.invalid";

fn program() -> Option<Program> {
    let modules = peer::installed("node_smpp/node_modules")?;
    let (path, arguments) = ("node".into(), vec![peer::script("node_smpp/server.js")]);
    Some(Program { name: "npm smpp", path, arguments, variable: ("NODE_PATH", modules) })
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

#[test]
fn over_tls() {
    let Some(mut program) = program() else { return };
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: String| {
        let path = folder.path().join(name);
        fs::write(&path, text).unwrap();
        path
    };
    let made = rcgen::generate_simple_self_signed([NAME.to_owned()]).unwrap();
    let certificate = file("certificate.pem", made.cert.pem());
    program.arguments.extend([file("key.pem", made.signing_key.serialize_pem()), certificate.clone()]);
    let settings = [("TLS", "true"), ("TLS_NAME", NAME), ("TLS_CA", certificate.to_str().unwrap())];
    conversation::have(program, Form::Transceiver, true, &settings);
}
