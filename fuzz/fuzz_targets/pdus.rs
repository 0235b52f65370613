//! PDUs of every kind with any body: each alone through the readings, and all in a row through a session.

#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use tracuu::{config::Line, smpp::fuzzing};

static USUAL: LazyLock<Line> = LazyLock::new(fuzzing::usual);

/// The command_ids that mean something to a session, and some that do not.
const IDS: [u32; 18] = [
    0x05,
    0x05,
    0x05,
    0x103,
    0x8000_0004,
    0x8000_0004,
    0x8000_0009,
    0x8000_0001,
    0x8000_0002,
    0x15,
    0x8000_0015,
    0x06,
    0x8000_0006,
    0x8000_0000,
    0x0B,
    0x102,
    0x77,
    0x8000_00AA,
];

fuzz_target!(|octets: &[u8]| {
    let Some((&[switches, more, pieces], mut rest)) = octets.split_first_chunk::<3>() else { return };
    let settings = fuzzing::switched(&USUAL, u16::from_be_bytes([switches, more]));
    let mut stream = Vec::new();
    while let Some((&[kind, status, sequence, length], behind)) = rest.split_first_chunk::<4>() {
        let (body, behind) = behind.split_at(behind.len().min(usize::from(length)));
        rest = behind;
        let id = IDS[usize::from(kind) % IDS.len()];
        fuzzing::body(id, body, &settings);
        stream.extend((16 + body.len() as u32).to_be_bytes());
        // Most PDUs carry status 0 and a small number, which is what a session meets.
        for word in [id, u32::from(status.saturating_sub(200)), u32::from(sequence)] {
            stream.extend(word.to_be_bytes());
        }
        stream.extend(body);
    }
    fuzzing::conversation(&settings, &stream, usize::from(pieces));
});
