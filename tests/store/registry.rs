//! What the registry promises its callers, on whichever database it is given an empty one of.

use std::time::Duration;

use secrecy::{ExposeSecret as _, SecretString};
use sqlx::Connection as _;
use tracuu::{
    config::RegistrySettings,
    message::{Field, Fields, Msisdn, PersonStatus},
    registry::{Registry, RegistryError, cast, generate},
};

#[tokio::test]
async fn the_registry_keeps_its_contract_on_both_databases() {
    for database in crate::support::databases::databases().await {
        contract_checks(database.url.clone().into()).await;
    }
}

/// Writes a synthetic registry into an empty database and reads it back: the same people whatever the database.
async fn contract_checks(url: SecretString) {
    let settings = RegistrySettings { url: url.clone(), timeout: Duration::from_secs(10), readers: 2 };
    let empty = Registry::open(&settings).await;
    assert!(matches!(empty, Err(RegistryError::Contract { .. } | RegistryError::Unavailable { .. })), "{empty:?}");
    let mut told = 0;
    let summary = generate(&url, 5_000, 42, |people| told = people).await.unwrap();
    assert_eq!((summary.people, told), (5_000, 5_000));
    let again = generate(&url, 10, 1, |_| ()).await;
    assert!(matches!(again, Err(RegistryError::Occupied)), "{again:?}");

    let registry = Registry::open(&settings).await.unwrap();
    let mut phones: Vec<Msisdn> = cast::ALL.iter().map(|member| member.msisdn()).collect();
    phones.push(Msisdn::from_canonical(cast::NOBODYS_PHONE));
    let found = registry.people(&whole(&phones)).await.unwrap();
    assert_eq!(found.len(), 9, "one list a number, none for nobody's");
    assert_eq!(found[&cast::PARENT.msisdn()].len(), 3);
    for member in cast::ALL {
        let own = found[&member.msisdn()].iter().find(|person| person.personal_id.same(&member.personal()));
        let person = own.unwrap_or_else(|| panic!("{} is not there", member.name));
        let name = person.value(Field::FullName).map(|name| name.vi.expose());
        assert_eq!((name, person.old_id), (Some(member.name), member.old()));
    }
    let home = &found[&cast::OLD_PROVINCE.msisdn()][0].value(Field::Hometown).unwrap().vi;
    assert_eq!(home.expose(), "Phường Quang Trung, Thành phố Phủ Lý, Hà Nam");

    let alone = registry.phones(1_000).await.unwrap();
    assert_eq!(alone.len(), 1_000);
    for batch in alone.chunks(64) {
        let asked: Vec<Msisdn> = batch.iter().map(|(phone, _)| *phone).collect();
        let found = registry.people(&whole(&asked)).await.unwrap();
        for (phone, id) in batch {
            let [person] = found[phone].as_slice() else { panic!("a shared phone") };
            assert!(person.personal_id.same(id) && person.status == PersonStatus::Active);
            assert!(person.value(Field::PermanentResidence).is_some());
        }
    }
    if let Some(server) = url.expose_secret().starts_with("postgres").then_some(&url) {
        look_ups_outlive_connections(&registry, server, phones[0]).await;
    }
    registry.close().await;
}

/// Asks for everything of each.
fn whole(phones: &[Msisdn]) -> Vec<(Msisdn, Fields)> {
    phones.iter().map(|&phone| (phone, Fields::ALL)).collect()
}

/// Look-ups over connections that the server ended meanwhile.
async fn look_ups_outlive_connections(registry: &Registry, server: &SecretString, phone: Msisdn) {
    let mut owner = sqlx::PgConnection::connect(server.expose_secret()).await.unwrap();
    for _ in 0..3 {
        assert!(registry.people(&whole(&[phone])).await.unwrap().contains_key(&phone));
        let end = "select pg_terminate_backend(pid) from pg_stat_activity \
                   where datname = current_database() and pid <> pg_backend_pid()";
        let ended = sqlx::raw_sql(end).execute(&mut owner).await.unwrap().rows_affected();
        assert!(ended > 0, "there was no connection to end");
    }
    assert!(registry.people(&whole(&[phone])).await.unwrap().contains_key(&phone));
}
