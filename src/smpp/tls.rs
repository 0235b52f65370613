//! TLS to an SMSC: what is trusted, what we show, and what went wrong, in words.

use std::{fmt::Write as _, io, path::Path, sync::Arc};

use tokio::net::TcpStream;
use tokio_rustls::{
    TlsConnector,
    rustls::{
        AlertDescription, CertificateError, ClientConfig, Error, RootCertStore,
        crypto::ring,
        pki_types::{CertificateDer, PrivateKeyDer, ServerName, pem::PemObject as _},
    },
};
use zeroize::Zeroizing;

use super::{error::LineError, link::Link};
use crate::config::Tls;

/// What TLS complained of, in words; stands inside an [`io::Error`].
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct Complaint(String);

/// Our side of TLS, its files read.
pub(super) struct Client {
    connector: TlsConnector,
    name: Option<String>,
    shows_certificate: bool,
}

/// Reads the files that the settings name, away from the threads that serve lines.
pub(super) async fn client(settings: Tls) -> Result<Client, LineError> {
    let read = tokio::task::spawn_blocking(move || read_client(settings)).await;
    read.unwrap_or(Err(LineError::Settings("the TLS files could not be read")))
}

fn read_client(settings: Tls) -> Result<Client, LineError> {
    let mut roots = RootCertStore::empty();
    if let Some(ca) = &settings.ca {
        for certificate in certificates(ca)? {
            roots.add(certificate).map_err(|why| unusable(ca, &why))?;
        }
    } else {
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        if roots.is_empty() {
            return Err(LineError::Settings(
                "this machine trusts no authority: set tls_ca to the carrier's certificate",
            ));
        }
    }
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|_| LineError::Settings("this build has no TLS"))?
        .with_root_certificates(roots);
    let shows_certificate = settings.client.is_some();
    let config = match &settings.client {
        Some((certificate, key)) => {
            let pem = Zeroizing::new(std::fs::read(key).map_err(|why| unusable(key, &why))?);
            let private = PrivateKeyDer::from_pem_slice(&pem).map_err(|why| unusable(key, &why))?;
            let chain = certificates(certificate)?;
            config.with_client_auth_cert(chain, private).map_err(|why| unusable(key, &why))?
        }
        None => config.with_no_client_auth(),
    };
    Ok(Client { connector: TlsConnector::from(Arc::new(config)), name: settings.name, shows_certificate })
}

/// The certificates of a PEM file, one at least.
fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, LineError> {
    let pem = std::fs::read(path).map_err(|why| unusable(path, &why))?;
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&pem).collect();
    let found = found.map_err(|why| unusable(path, &why))?;
    if found.is_empty() {
        return Err(unusable(path, &"it holds no certificate"));
    }
    Ok(found)
}

fn unusable(path: &Path, why: &dyn std::fmt::Display) -> LineError {
    LineError::File { path: path.to_owned(), why: why.to_string() }
}

impl Client {
    /// Shakes hands with the SMSC at `address`, which is `host:port`.
    pub(super) async fn connect(&self, address: &str, stream: TcpStream) -> io::Result<Link> {
        let host = address.rsplit_once(':').map_or(address, |(host, _)| host);
        let host = self.name.as_deref().unwrap_or_else(|| host.trim_start_matches('[').trim_end_matches(']'));
        let name = ServerName::try_from(host.to_owned())
            .map_err(|_| io::Error::other(Complaint(format!("\"{host}\" is no name a certificate can be for"))))?;
        match self.connector.connect(name, stream).await {
            Ok(stream) => Ok(Link::Tls(Box::new(stream))),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                Err(io::Error::new(error.kind(), "closed in the middle of the TLS handshake"))
            }
            Err(error) if self.shows_certificate => Err(said(error)),
            Err(error) => Err(or_no_certificate(said(error))),
        }
    }
}

/// What a server does that misses our certificate depends on its age: say both.
fn or_no_certificate(error: io::Error) -> io::Error {
    match error.get_ref().and_then(|inner| inner.downcast_ref::<Complaint>()) {
        Some(Complaint(words)) if words.starts_with(OLD) => {
            io::Error::other(Complaint(format!("{words}; or it wants a certificate of ours: see {CLIENT_SETTINGS}")))
        }
        _ => error,
    }
}

const OLD: &str = "no version or cipher of TLS in common";
const CLIENT_SETTINGS: &str = "tls_client_cert and tls_client_key";

/// Puts what TLS complains of in words; other errors stay as they are.
pub(super) fn said(error: io::Error) -> io::Error {
    match error.get_ref().and_then(|inner| inner.downcast_ref::<Error>()) {
        Some(complaint) => io::Error::other(Complaint(in_words(complaint))),
        None => error,
    }
}

#[expect(clippy::wildcard_enum_match_arm, reason = "the library may complain of more, in its own words")]
fn in_words(error: &Error) -> String {
    match error {
        Error::InvalidCertificate(why) => certificate_in_words(why),
        Error::AlertReceived(
            alert @ (AlertDescription::CertificateRequired
            | AlertDescription::BadCertificate
            | AlertDescription::UnsupportedCertificate
            | AlertDescription::CertificateRevoked
            | AlertDescription::CertificateExpired
            | AlertDescription::CertificateUnknown
            | AlertDescription::UnknownCA
            | AlertDescription::AccessDenied),
        ) => format!("it wants a certificate of ours that it accepts ({alert:?}): see {CLIENT_SETTINGS}"),
        Error::PeerIncompatible(_)
        | Error::AlertReceived(
            AlertDescription::ProtocolVersion
            | AlertDescription::HandshakeFailure
            | AlertDescription::InsufficientSecurity,
        ) => format!(
            "{OLD}: it may know nothing newer than TLS 1.1, or only RSA key exchange; \
             ask the carrier for TLS 1.2 or later, or put a tunnel in front"
        ),
        Error::InvalidMessage(_) => {
            "it does not speak TLS on this port: correct the port, or set tls to false".to_owned()
        }
        other => other.to_string(),
    }
}

#[expect(clippy::wildcard_enum_match_arm, reason = "the library may complain of more, in its own words")]
fn certificate_in_words(why: &CertificateError) -> String {
    match why {
        CertificateError::NotValidForName => {
            "its certificate is for another name: set tls_name to the name the carrier gave you".to_owned()
        }
        CertificateError::NotValidForNameContext { expected, presented } => {
            let mut names = String::new();
            for (place, name) in presented.iter().take(8).enumerate() {
                _ = write!(names, "{}{name}", if place == 0 { "" } else { ", " });
            }
            let names = if names.is_empty() { "no name at all" } else { &names };
            format!(
                "its certificate is for {names}, not for {}: correct the address, or set tls_name to the name the \
                 carrier gave you",
                expected.to_str()
            )
        }
        CertificateError::UnknownIssuer | CertificateError::BadSignature => {
            "its certificate is from an authority that is not trusted here: set tls_ca to the carrier's".to_owned()
        }
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            "its certificate has expired: the carrier must renew it".to_owned()
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "its certificate is not valid yet: compare the clocks".to_owned()
        }
        other => format!("its certificate cannot be used: {other}"),
    }
}
