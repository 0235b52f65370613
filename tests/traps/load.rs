//! TLS, load, our own octets. What TLS complains of is shown beside its code (`smpp::tests::tls`).

use std::sync::Arc;

use rcgen::generate_simple_self_signed;
use tokio_rustls::{
    TlsAcceptor,
    rustls::{ServerConfig, crypto::ring, pki_types::PrivateKeyDer},
};

use crate::harness::{Around, play, trap};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn t168_tls_no_close_notify() {
    let smsc = generate_simple_self_signed(vec!["smsc.example".to_owned()]).unwrap();
    let key = PrivateKeyDer::try_from(smsc.signing_key.serialize_der()).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![smsc.cert.der().clone()], key)
        .unwrap();
    let around = Around {
        lines: "tls = true\ntls_ca = \"smsc.pem\"\ntls_name = \"smsc.example\"".to_owned(),
        files: vec![("smsc.pem", smsc.cert.pem())],
        tls: Some(TlsAcceptor::from(Arc::new(config))),
        ..Around::default()
    };
    Box::pin(play("t168_tls_no_close_notify", around, async |_, _| {}, async |_| {})).await;
}

trap!(t171_backlog_burst, async |run| {
    let (balance, _) = run.books().await;
    assert_eq!(balance.exchanges, 500);
});

trap!(t172_long_pause_then_all);

trap!(t173_answer_id_wanted);

trap!(t174_answer_must_have_body);

trap!(t175_answers_out_of_order);

trap!(t176_dlr_to_tx_only);

trap!(t177_unknown_optional_in_bind);
