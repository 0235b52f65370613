//! Writes the bind (SMPP 3.4, 4.1.5).

use bytes::{BufMut as _, BytesMut};
use rusmpp::{
    Command, CommandStatus,
    encode::{Encode as _, Length as _},
    pdus::BindTransceiver,
    types::COctetString,
    values::{InterfaceVersion, Npi, Ton},
};
use secrecy::ExposeSecret as _;

use super::{error::LineError, frame::HEADER};
use crate::config::Line;

/// Writes a bind_transceiver.
///
/// The codec holds passwords to the eight characters of the standard. Carriers give out longer ones, so the codec
/// writes the bind with an empty password and the real one is put in its place.
pub(super) fn write_bind(out: &mut BytesMut, settings: &Line, sequence: u32) -> Result<(), LineError> {
    let system_id = COctetString::from_string(settings.system_id.clone())
        .map_err(|_| LineError::Settings("system_id cannot be sent: at most 15 ASCII characters"))?;
    let system_type = COctetString::from_string(settings.system_type.clone())
        .map_err(|_| LineError::Settings("system_type cannot be sent: at most 12 ASCII characters"))?;
    let password = settings.password.expose_secret().as_bytes();
    if password.len() > 64 || password.contains(&0) {
        return Err(LineError::Settings("the password cannot be sent: at most 64 characters, none of them NUL"));
    }
    let password_at = HEADER - 4 + settings.system_id.len() + 1;
    let bind = BindTransceiver::new(
        system_id,
        COctetString::empty(),
        system_type,
        InterfaceVersion::from(settings.interface_version),
        Ton::from(0),
        Npi::from(0),
        COctetString::empty(),
    );
    let command = Command::new(CommandStatus::EsmeRok, sequence, bind);
    let mut octets = vec![0; command.length()];
    command.encode(&mut octets);
    out.put_u32((4 + octets.len() + password.len()) as u32);
    out.put_slice(&octets[..password_at]);
    out.put_slice(password);
    out.put_slice(&octets[password_at..]);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::smpp::tests::settings;

    fn bind(system_id: &str, password: &str) -> Result<BytesMut, LineError> {
        let mut out = BytesMut::new();
        let settings = Line {
            system_id: system_id.into(),
            password: password.into(),
            system_type: "VMA".into(),
            ..settings("127.0.0.1:1")
        };
        write_bind(&mut out, &settings, 1).map(|()| out)
    }

    #[test]
    fn the_bind_is_right_to_the_octet_whatever_the_length_of_the_password() {
        let at_most_64 = "p".repeat(64);
        for password in ["", "secret08", "twelve-chars", at_most_64.as_str()] {
            let mut body = Vec::<u8>::new();
            body.extend(b"tracuu\0");
            body.extend(password.as_bytes());
            body.extend(b"\0VMA\0\x34\0\0\0");
            let mut expected = (16 + body.len() as u32).to_be_bytes().to_vec();
            expected.extend([0, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0, 1]);
            expected.extend(body);
            assert_eq!(bind("tracuu", password).unwrap(), expected, "{} characters", password.len());
        }
    }

    #[test]
    fn what_cannot_be_sent_is_an_error_of_the_settings() {
        for (system_id, password) in
            [("sixteen-letters!", "x"), ("tên", "x"), ("a\0b", "x"), ("a", "x\0y"), ("a", &"p".repeat(65))]
        {
            let error = bind(system_id, password).unwrap_err();
            assert!(matches!(error, LineError::Settings(_)), "{error}");
            assert!(!error.to_string().contains("x\0y"));
        }
    }
}
