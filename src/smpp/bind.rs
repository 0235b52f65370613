//! Writes the bind in its three forms (SMPP 3.4, 4.1.1, 4.1.3, 4.1.5) and reads the version in its response.

use bytes::{BufMut as _, BytesMut};
use rusmpp::{
    Command, CommandStatus,
    encode::{Encode as _, Length as _},
    pdus::BindTransceiver,
    types::COctetString,
    values::{InterfaceVersion, Npi, Ton},
};
use secrecy::ExposeSecret as _;

use super::{
    error::LineError,
    frame::HEADER,
    pdu::{behind_string, id, optional},
};
use crate::{
    config::{Line, Tlvs},
    message::Role,
};

/// sc_interface_version (SMPP 3.4, 5.3.2.25).
const INTERFACE_VERSION: u16 = 0x0210;
/// The first version that knows optional parameters.
pub(super) const V3_4: u8 = 0x34;
/// The version that knows billing_identification and congestion_state.
const V5_0: u8 = 0x50;

/// The command_id of the bind for a role.
pub(super) fn command_id(role: Role) -> u32 {
    match role {
        Role::Transceiver => id::BIND_TRANSCEIVER,
        Role::Transmitter => id::BIND_TRANSMITTER,
        Role::Receiver => id::BIND_RECEIVER,
    }
}

/// What the peer can read, as far as its bind response and our settings tell.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Abilities {
    /// Optional parameters of 3.4.
    pub(super) tlvs: bool,
    /// Those that came with 5.0.
    pub(super) v5: bool,
}

impl Abilities {
    /// A peer that names no version knows no optional parameters (SMPP 5.0, 2.11.2); one that answers a bind of 5.0
    /// with less has none of what came with 5.0. What a setting asks for on a line that was bound with 3.4 is meant.
    pub(super) fn of(settings: &Line, version: Option<u8>) -> Self {
        let tlvs = match settings.tlvs {
            Tlvs::Auto => version.is_some_and(|version| version >= V3_4),
            Tlvs::Always => true,
            Tlvs::Never => false,
        };
        let answered_lower = settings.interface_version >= V5_0 && version.is_none_or(|version| version < V5_0);
        Self { tlvs, v5: tlvs && (!answered_lower || settings.tlvs == Tlvs::Always) }
    }
}

/// interface_version of the SMSC, when the body of its bind response names one.
pub(super) fn version(body: &[u8]) -> Option<u8> {
    match optional(behind_string(body), INTERFACE_VERSION) {
        Some(&[version]) => Some(version),
        _ => None,
    }
}

/// Writes the bind for a role.
///
/// The codec holds passwords to the eight characters of the standard. Carriers give out longer ones, so the codec
/// writes the bind with an empty password and the real one is put in its place. The three forms differ by their
/// command_id alone, so one is written for all.
pub(super) fn write_bind(out: &mut BytesMut, settings: &Line, role: Role, sequence: u32) -> Result<(), LineError> {
    let system_id = COctetString::from_string(settings.system_id.clone())
        .map_err(|_| LineError::Settings("system_id cannot be sent: at most 15 ASCII characters"))?;
    let system_type = COctetString::from_string(settings.system_type.clone())
        .map_err(|_| LineError::Settings("system_type cannot be sent: at most 12 ASCII characters"))?;
    let password = settings.password.expose_secret().as_bytes();
    if password.len() > 64 || password.contains(&0) {
        return Err(LineError::Settings("the password cannot be sent: at most 64 characters, none of them NUL"));
    }
    let (ton, npi, range) = &settings.address_range;
    let range = COctetString::from_string(range.clone())
        .map_err(|_| LineError::Settings("address_range cannot be sent: at most 40 ASCII characters"))?;
    let password_at = HEADER - 4 + settings.system_id.len() + 1;
    let bind = BindTransceiver::new(
        system_id,
        COctetString::empty(),
        system_type,
        InterfaceVersion::from(settings.interface_version),
        Ton::from(*ton),
        Npi::from(*npi),
        range,
    );
    let command = Command::new(CommandStatus::EsmeRok, sequence, bind);
    let mut octets = vec![0; command.length()];
    command.encode(&mut octets);
    octets[..4].copy_from_slice(&command_id(role).to_be_bytes());
    out.put_u32((4 + octets.len() + password.len()) as u32);
    out.put_slice(&octets[..password_at]);
    out.put_slice(password);
    out.put_slice(&octets[password_at..]);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::smpp::tests::{settings, tlv};

    fn usual(system_id: &str, password: &str) -> Line {
        Line {
            system_id: system_id.into(),
            password: password.into(),
            system_type: "VMA".into(),
            ..settings("127.0.0.1:1")
        }
    }

    fn bind(settings: &Line, role: Role) -> Result<BytesMut, LineError> {
        let mut out = BytesMut::new();
        write_bind(&mut out, settings, role, 1).map(|()| out)
    }

    fn expected(command_id: u8, body: &[u8]) -> Vec<u8> {
        let mut octets = (16 + body.len() as u32).to_be_bytes().to_vec();
        octets.extend([0, 0, 0, command_id, 0, 0, 0, 0, 0, 0, 0, 1]);
        octets.extend(body);
        octets
    }

    #[test]
    fn t26_password_over_8() {
        let at_most_64 = "p".repeat(64);
        for password in ["", "secret08", "twelve-chars", at_most_64.as_str()] {
            let body = [b"tracuu\0", password.as_bytes(), b"\0VMA\0\x34\0\0\0"].concat();
            let written = bind(&usual("tracuu", password), Role::Transceiver).unwrap();
            assert_eq!(written, expected(9, &body), "{} characters", password.len());
        }
    }

    #[test]
    fn each_form_and_version_is_right_to_the_octet() {
        let settings = Line { address_range: (3, 9, "^997".into()), interface_version: 0x50, ..usual("tracuu", "x") };
        for (role, command_id) in [(Role::Transceiver, 9), (Role::Transmitter, 2), (Role::Receiver, 1)] {
            let written = bind(&settings, role).unwrap();
            assert_eq!(written, expected(command_id, b"tracuu\0x\0VMA\0\x50\x03\x09^997\0"));
        }
    }

    #[test]
    fn what_cannot_be_sent_is_an_error_of_the_settings() {
        for (system_id, password) in
            [("sixteen-letters!", "x"), ("tên", "x"), ("a\0b", "x"), ("a", "x\0y"), ("a", &"p".repeat(65))]
        {
            let error = bind(&usual(system_id, password), Role::Receiver).unwrap_err();
            assert!(matches!(error, LineError::Settings(_)), "{error}");
            assert!(!error.to_string().contains("x\0y"));
        }
        let range = Line { address_range: (0, 0, "9".repeat(41)), ..usual("tracuu", "x") };
        assert!(matches!(bind(&range, Role::Receiver), Err(LineError::Settings(_))));
    }

    #[test]
    fn the_version_is_read_wherever_it_stands_and_decides_what_may_be_sent() {
        let named = |version: u8| [b"SMSC\0".to_vec(), tlv(0x0210, &[version])].concat();
        for (body, expected) in [
            (named(0x34), Some(0x34)),
            ([b"SMSC\0".to_vec(), tlv(0x1401, b"ab"), tlv(0x0210, &[0x50])].concat(), Some(0x50)),
            (b"SMSC\0".to_vec(), None),
            (b"SMSC".to_vec(), None),
            (Vec::new(), None),
            ([b"\0".to_vec(), tlv(0x0210, &[3, 4])].concat(), None),
            (b"\0\x02\x10\x00\x01".to_vec(), None),
        ] {
            assert_eq!(version(&body), expected);
        }
        let can = |tlvs, v5| Abilities { tlvs, v5 };
        for (asked, tlvs, answered, expected) in [
            (0x34, Tlvs::Auto, Some(0x34), can(true, true)),
            (0x34, Tlvs::Auto, Some(0x33), can(false, false)),
            (0x34, Tlvs::Auto, None, can(false, false)),
            (0x50, Tlvs::Auto, Some(0x50), can(true, true)),
            (0x50, Tlvs::Auto, Some(0x34), can(true, false)),
            (0x50, Tlvs::Auto, Some(0x33), can(false, false)),
            (0x50, Tlvs::Always, None, can(true, true)),
            (0x50, Tlvs::Never, Some(0x50), can(false, false)),
        ] {
            let settings = Line { interface_version: asked, tlvs, ..usual("tracuu", "x") };
            assert_eq!(Abilities::of(&settings, answered), expected, "{asked:#x} {tlvs:?} {answered:?}");
        }
    }
}
