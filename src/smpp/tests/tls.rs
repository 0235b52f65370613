//! TLS and several addresses, over real sockets of this machine with certificates made for the test.

use std::{io, path::PathBuf, sync::Arc, time::Duration};

use rcgen::{CertifiedKey, KeyPair, generate_simple_self_signed};
use tempfile::TempDir;
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    net::TcpListener,
    time::timeout,
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        RootCertStore, ServerConfig,
        crypto::ring,
        pki_types::PrivateKeyDer,
        server::{NoClientAuth, WebPkiClientVerifier, danger::ClientCertVerifier},
    },
};

use super::{pdu, settings};
use crate::{
    config::{Line, Tls},
    smpp::{LineError, dial::Route, try_bind},
};

/// An SMSC with a certificate for one name, and what a line needs to know of it.
struct Carrier {
    files: TempDir,
    listener: TcpListener,
    own: CertifiedKey<KeyPair>,
    ours: CertifiedKey<KeyPair>,
}

impl Carrier {
    async fn with_name(name: &str) -> Self {
        let carrier = Self {
            files: TempDir::new().unwrap(),
            listener: TcpListener::bind("127.0.0.1:0").await.unwrap(),
            own: generate_simple_self_signed(vec![name.to_owned()]).unwrap(),
            ours: generate_simple_self_signed(vec!["tracuu.example".to_owned()]).unwrap(),
        };
        carrier.write("ca.pem", &carrier.own.cert.pem());
        carrier.write("ours.pem", &carrier.ours.cert.pem());
        carrier.write("ours.key", &carrier.ours.signing_key.serialize_pem());
        carrier
    }

    fn write(&self, name: &str, content: &str) {
        std::fs::write(self.path(name), content).unwrap();
    }

    fn path(&self, name: &str) -> PathBuf {
        self.files.path().join(name)
    }

    fn line(&self, tls: Tls) -> Line {
        let address = self.listener.local_addr().unwrap().to_string();
        Line { tls: Some(tls), bind_timeout: Duration::from_secs(10), ..settings(&address) }
    }

    fn pinned(&self) -> Tls {
        Tls { ca: Some(self.path("ca.pem")), name: None, client: None }
    }

    /// Takes one connection and shakes hands.
    async fn accept(
        &self,
        clients: Arc<dyn ClientCertVerifier>,
    ) -> io::Result<tokio_rustls::server::TlsStream<tokio::net::TcpStream>> {
        let (stream, _) = self.listener.accept().await?;
        let key = PrivateKeyDer::try_from(self.own.signing_key.serialize_der()).unwrap();
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_client_cert_verifier(clients)
            .with_single_cert(vec![self.own.cert.der().clone()], key)
            .unwrap();
        TlsAcceptor::from(Arc::new(config)).accept(stream).await
    }

    /// Only who shows this certificate may come in.
    fn only(certificate: &CertifiedKey<KeyPair>) -> Arc<dyn ClientCertVerifier> {
        let mut roots = RootCertStore::empty();
        roots.add(certificate.cert.der().clone()).unwrap();
        let provider = Arc::new(ring::default_provider());
        WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build().unwrap()
    }

    /// A trial bind of this line, and what the SMSC makes of one connection.
    async fn tried(&self, line: &Line, clients: Arc<dyn ClientCertVerifier>) -> Result<(), LineError> {
        let smsc = async {
            if let Ok(stream) = self.accept(clients).await {
                serve(stream).await;
            }
        };
        let (tried, ()) = tokio::join!(timeout(Duration::from_secs(20), try_bind(line)), smsc);
        tried.unwrap()
    }
}

/// Answers a bind and an unbind; a client that leaves is no failure.
async fn serve<S: AsyncRead + AsyncWrite + Unpin>(mut stream: S) {
    let mut octets = [0; 256];
    while let Ok(read @ 16..) = stream.read(&mut octets).await {
        let (id, sequence) = (octets[7], octets[15]);
        assert!(read < octets.len());
        if stream.write_all(&pdu(0x8000_0000 | u32::from(id), 0, u32::from(sequence), b"")).await.is_err() {
            return;
        }
    }
}

fn anybody() -> Arc<dyn ClientCertVerifier> {
    Arc::new(NoClientAuth)
}

#[tokio::test]
async fn t167_tls_name_differs() {
    let carrier = Carrier::with_name("smsc.example").await;
    let line = carrier.line(carrier.pinned());
    let error = carrier.tried(&line, anybody()).await.unwrap_err();
    assert!(matches!(error, LineError::Tls(_)), "{error}");
    let words = error.to_string();
    assert!(words.contains("smsc.example") && words.contains("127.0.0.1") && words.contains("tls_name"), "{words}");
    let named = carrier.line(Tls { name: Some("smsc.example".into()), ..carrier.pinned() });
    carrier.tried(&named, anybody()).await.unwrap();
    let other = Carrier::with_name("smsc.example").await;
    let pinned_elsewhere = Tls { ca: Some(other.path("ca.pem")), name: Some("smsc.example".into()), client: None };
    let error = carrier.tried(&carrier.line(pinned_elsewhere), anybody()).await.unwrap_err();
    assert!(error.to_string().contains("tls_ca"), "{error}");
}

#[tokio::test]
async fn an_end_without_close_notify_is_the_end_of_the_stream() {
    let carrier = Carrier::with_name("127.0.0.1").await;
    let route = Route::new(&carrier.line(carrier.pinned()));
    let (dialled, accepted) = tokio::join!(route.dial(true), carrier.accept(anybody()));
    let (mut link, stream) = (dialled.unwrap(), accepted.unwrap());
    drop(stream.into_inner().0);
    assert_eq!(link.read(&mut [0; 16]).await.unwrap(), 0, "the end of the stream, and no fault of the protocol");
}

#[tokio::test]
async fn t169_tls_renegotiation_or_old() {
    let carrier = Carrier::with_name("127.0.0.1").await;
    let line = carrier.line(carrier.pinned());
    // An alert protocol_version, and a ServerHello of TLS 1.0 with RSA key exchange.
    let alert = vec![0x15, 3, 1, 0, 2, 2, 70];
    let hello = [b"\x16\x03\x01\x00\x2a\x02\x00\x00\x26\x03\x01".to_vec(), vec![7; 32], vec![0, 0, 0x2f, 0]].concat();
    for old in [alert, hello] {
        let smsc = async {
            let (mut stream, _) = carrier.listener.accept().await.unwrap();
            assert!(stream.read(&mut [0; 4096]).await.unwrap() > 0);
            stream.write_all(&old).await.unwrap();
            // Whatever it still says, until it leaves.
            while let Ok(1..) = stream.read(&mut [0; 4096]).await {}
        };
        let (tried, ()) = tokio::join!(try_bind(&line), smsc);
        let error = tried.unwrap_err();
        let words = error.to_string();
        assert!(matches!(error, LineError::Tls(_)) && words.contains("TLS 1.1") && words.contains("tunnel"), "{words}");
    }
}

#[tokio::test]
async fn t170_tls_client_certificate() {
    let carrier = Carrier::with_name("127.0.0.1").await;
    let error = carrier.tried(&carrier.line(carrier.pinned()), Carrier::only(&carrier.ours)).await.unwrap_err();
    assert!(matches!(error, LineError::Tls(_)) && error.to_string().contains("tls_client_cert"), "{error}");
    let showing = Tls { client: Some((carrier.path("ours.pem"), carrier.path("ours.key"))), ..carrier.pinned() };
    carrier.tried(&carrier.line(showing.clone()), Carrier::only(&carrier.ours)).await.unwrap();
    let error = carrier.tried(&carrier.line(showing.clone()), Carrier::only(&carrier.own)).await.unwrap_err();
    assert!(matches!(error, LineError::Tls(_)), "{error}");
    for (name, content) in [("ours.pem", "no certificate"), ("ours.key", "no key"), ("ca.pem", "")] {
        carrier.write(name, content);
        let error = try_bind(&carrier.line(showing.clone())).await.unwrap_err();
        assert!(matches!(error, LineError::File { .. }) && error.to_string().contains(name), "{error}");
    }
}

#[tokio::test]
async fn a_plain_port_where_tls_is_wanted_is_said_in_words() {
    let carrier = Carrier::with_name("127.0.0.1").await;
    let line = carrier.line(carrier.pinned());
    let smsc = async {
        let (mut stream, _) = carrier.listener.accept().await.unwrap();
        assert!(stream.read(&mut [0; 4096]).await.unwrap() > 0);
        stream.write_all(&pdu(0x8000_0000, 2, 0, b"")).await.unwrap();
        while let Ok(1..) = stream.read(&mut [0; 4096]).await {}
    };
    let (tried, ()) = tokio::join!(try_bind(&line), smsc);
    assert!(tried.unwrap_err().to_string().contains("does not speak TLS"));
}

#[tokio::test]
async fn the_address_that_was_bound_last_comes_first_and_one_that_led_nowhere_last() {
    let mut listeners = Vec::new();
    let mut addresses = Vec::new();
    for _ in 0..3 {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        addresses.push(listener.local_addr().unwrap().to_string());
        listeners.push(listener);
    }
    let route = Route::new(&Line { addresses: addresses.clone(), ..settings("unused:1") });
    // Whether the connection before was bound, and where the next one arrives.
    for (was_bound, expected) in [(true, 0), (true, 0), (false, 1), (true, 1), (false, 2), (false, 0), (false, 1)] {
        drop(route.dial(was_bound).await.unwrap());
        let arrived = tokio::select! {
            _ = listeners[0].accept() => 0,
            _ = listeners[1].accept() => 1,
            _ = listeners[2].accept() => 2,
        };
        assert_eq!(arrived, expected);
    }
    drop(listeners.remove(1));
    drop(route.dial(true).await.unwrap());
    listeners[1].accept().await.unwrap();
    drop(listeners);
    let words = route.dial(false).await.unwrap_err().to_string();
    assert!(addresses.iter().all(|address| words.contains(address)), "{words}");
}
