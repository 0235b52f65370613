//! Sealing of personal columns and keyed tokens (law 5). The keys live in a file outside the database.
//!
//! Each start of the process (epoch) has a random salt in its `writer` row; the sealing key of a table in an epoch is
//! HMAC-SHA-256(master key, salt, table). A row is sealed once, by AES-256-GCM, with its own key (epoch, n) as nonce
//! and associated data: within one sealing key no nonce can come twice, because no row key does.

use std::collections::BTreeMap;

use aes_gcm::{
    Aes256Gcm, Nonce,
    aead::{Aead as _, KeyInit as _, Payload},
};
use hmac::{Hmac, Mac as _};
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::message::{Msisdn, PersonalId, RowKey, TypedKey};

/// Octets of a token.
pub const TOKEN: usize = 16;

/// A keyed, truncated hash: the same value gives the same token, nobody without the key can try values.
pub type Token = [u8; TOKEN];

/// A table with a sealed column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Table {
    /// The sender's number.
    Exchange,
    /// The reply's destination and text.
    Outbox,
    /// A part's sender and octets.
    Part,
    /// A PDU that was put aside.
    Quarantine,
}

impl Table {
    fn label(self) -> &'static [u8] {
        match self {
            Self::Exchange => b"exchange",
            Self::Outbox => b"outbox",
            Self::Part => b"part",
            Self::Quarantine => b"quarantine",
        }
    }
}

/// Why keys or a sealed value cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SealError {
    /// The key file cannot be read or does not hold keys.
    #[error("key file \"{path}\": {why}")]
    KeyFile {
        /// The file.
        path: String,
        /// What is wrong.
        why: String,
    },
    /// A row was sealed with a key the key file does not hold.
    #[error("sealing key {0} is not in the key file; put it back")]
    UnknownKey(i64),
    /// A row of an epoch whose key the key file does not hold, or that is not there.
    #[error("the sealing key of epoch {0} is not in the key file; put it back")]
    UnknownEpoch(i64),
    /// A sealed value was changed, or belongs to another row.
    #[error("the sealed value of row {0} is damaged or was moved")]
    Damaged(i64),
    /// None of the newest rows opens: the key file belongs to another store.
    #[error("the key file is not the one this store was sealed with; put the right one back. Nothing was changed")]
    OtherStore,
}

/// The master keys of a store.
pub struct Keys {
    current: i64,
    seal: BTreeMap<i64, Zeroizing<[u8; 32]>>,
    token: Hmac<Sha256>,
}

impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Keys(current {}, {} kept)", self.current, self.seal.len())
    }
}

impl Keys {
    /// Reads a key file: lines `seal 1 = <64 hex digits>` (the greatest number seals, the others open) and
    /// `token = <64 hex digits>`; `#` begins a comment.
    ///
    /// # Errors
    /// [`SealError::KeyFile`] says which line is wrong, never what stands in it.
    pub fn read(path: &std::path::Path) -> Result<Self, SealError> {
        let fault = |why: String| SealError::KeyFile { path: path.display().to_string(), why };
        let text = Zeroizing::new(std::fs::read_to_string(path).map_err(|error| fault(error.to_string()))?);
        let (mut seal, mut token) = (BTreeMap::new(), None);
        for (at, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty() && !line.starts_with('#'))
        {
            let wrong =
                || fault(format!("line {} is not \"seal <number> = <64 hex digits>\" or \"token = ...\"", at + 1));
            let (name, value) = line.split_once('=').ok_or_else(wrong)?;
            let key = Zeroizing::new(from_hex(value.trim()).ok_or_else(wrong)?);
            match name.trim().split_once(' ') {
                Some(("seal", number)) => {
                    seal.insert(number.trim().parse().map_err(|_| wrong())?, key);
                }
                None if name.trim() == "token" => token = Some(hmac(key.as_slice())),
                _ => return Err(wrong()),
            }
        }
        let current = *seal.last_key_value().ok_or_else(|| fault("holds no \"seal\" key".to_owned()))?.0;
        let token = token.ok_or_else(|| fault("holds no \"token\" key".to_owned()))?;
        Ok(Self { current, seal, token })
    }

    /// The text of a new key file, from 64 random octets.
    pub fn new_file(random: &[u8; 64]) -> Zeroizing<String> {
        let (seal, token) = random.split_at(32);
        Zeroizing::new(format!(
            "# Keys of the tracuu store. Keep a copy apart from the database: without it numbers and texts cannot be read.\n\
             seal 1 = {}\ntoken = {}\n",
            hex(seal),
            hex(token)
        ))
    }

    /// The number of the key that seals.
    pub fn current(&self) -> i64 {
        self.current
    }

    /// The sealing keys of one epoch.
    ///
    /// # Errors
    /// [`SealError::UnknownKey`] when the key file no longer holds that key.
    pub fn epoch(&self, key_id: i64, salt: &[u8]) -> Result<EpochKeys, SealError> {
        let master = self.seal.get(&key_id).ok_or(SealError::UnknownKey(key_id))?;
        let derive = |table: Table| {
            let mut mac = hmac(master.as_slice());
            mac.update(salt);
            mac.update(table.label());
            Aes256Gcm::new(&mac.finalize().into_bytes())
        };
        Ok(EpochKeys {
            exchange: derive(Table::Exchange),
            outbox: derive(Table::Outbox),
            part: derive(Table::Part),
            quarantine: derive(Table::Quarantine),
        })
    }

    /// The token of a phone number.
    pub fn sender(&self, number: Msisdn) -> Token {
        self.token(b"sender", &[&number.expose().to_be_bytes()])
    }

    /// The token of a person.
    pub fn subject(&self, person: &PersonalId) -> Token {
        self.token(b"subject", &[person.expose().as_bytes()])
    }

    /// The token of a key as typed. A full number typed has the same token as the person it names.
    pub fn typed(&self, key: &TypedKey) -> Token {
        match key {
            TypedKey::Full(id) => self.subject(id),
            TypedKey::Old(_) | TypedKey::Short(_) => self.token(b"typed", &[key.expose().as_bytes()]),
        }
    }

    /// The token of several byte strings under a label; their lengths are part of it.
    pub fn token(&self, label: &[u8], pieces: &[&[u8]]) -> Token {
        let mut mac = self.token.clone();
        for piece in std::iter::once(&label).chain(pieces) {
            mac.update(&(piece.len() as u64).to_be_bytes());
            mac.update(piece);
        }
        let mut token = [0; TOKEN];
        token.copy_from_slice(&mac.finalize().into_bytes()[..TOKEN]);
        token
    }
}

/// The sealing keys of one epoch, one a table.
#[derive(Clone)]
pub struct EpochKeys {
    exchange: Aes256Gcm,
    outbox: Aes256Gcm,
    part: Aes256Gcm,
    quarantine: Aes256Gcm,
}

impl EpochKeys {
    fn cipher(&self, table: Table) -> &Aes256Gcm {
        match table {
            Table::Exchange => &self.exchange,
            Table::Outbox => &self.outbox,
            Table::Part => &self.part,
            Table::Quarantine => &self.quarantine,
        }
    }

    /// Seals the value of a row. To be called once for a row and table.
    pub fn seal(&self, table: Table, row: RowKey, value: &[u8]) -> Vec<u8> {
        let (nonce, aad) = nonce(row);
        // AES-GCM refuses only texts beyond 64 GiB; an empty value then fails to open, loudly.
        self.cipher(table).encrypt(&nonce, Payload { msg: value, aad: &aad }).unwrap_or_default()
    }

    /// Opens the value of a row.
    ///
    /// # Errors
    /// [`SealError::Damaged`] when it was changed or belongs to another row or table.
    pub fn open(&self, table: Table, row: RowKey, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, SealError> {
        let (nonce, aad) = nonce(row);
        let opened = self.cipher(table).decrypt(&nonce, Payload { msg: sealed, aad: &aad });
        opened.map(Zeroizing::new).map_err(|_| SealError::Damaged(row.0))
    }
}

fn nonce(row: RowKey) -> (Nonce<aes_gcm::aead::consts::U12>, [u8; 8]) {
    let key = row.0.to_be_bytes();
    let mut nonce = [0_u8; 12];
    nonce[4..].copy_from_slice(&key);
    (nonce.into(), key)
}

fn hmac(key: &[u8]) -> Hmac<Sha256> {
    #[expect(clippy::expect_used, reason = "HMAC takes keys of any length (RFC 2104)")]
    <Hmac<Sha256> as hmac::KeyInit>::new_from_slice(key).expect("any length")
}

/// HMAC-SHA-256 of a value under a key, truncated to 16 octets, in hex: the number token of a carrier's files.
pub fn contract_token(key: &[u8], value: &[u8]) -> String {
    let mut mac = hmac(key);
    mac.update(value);
    hex(&mac.finalize().into_bytes()[..16])
}

/// Lower-case hex.
pub fn hex(octets: &[u8]) -> String {
    octets
        .iter()
        .flat_map(|octet| [octet >> 4, octet & 15])
        .filter_map(|n| char::from_digit(u32::from(n), 16))
        .collect()
}

fn from_hex(text: &str) -> Option<[u8; 32]> {
    let mut key = [0; 32];
    let digits: Vec<u32> = text.chars().map(|c| c.to_digit(16)).collect::<Option<_>>()?;
    (digits.len() == 64).then(|| {
        for (at, pair) in digits.chunks(2).enumerate() {
            key[at] = (pair[0] * 16 + pair[1]) as u8;
        }
        key
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys() -> Keys {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), Keys::new_file(&[7; 64]).as_bytes()).unwrap();
        Keys::read(file.path()).unwrap()
    }

    #[test]
    fn a_sealed_value_opens_only_in_its_own_row_table_and_epoch() {
        let keys = keys();
        let epoch = keys.epoch(1, b"salt").unwrap();
        let sealed = epoch.seal(Table::Exchange, RowKey(5), b"84520000001");
        assert!(!sealed.windows(5).any(|w| w == b"84520"));
        assert_eq!(epoch.open(Table::Exchange, RowKey(5), &sealed).unwrap().as_slice(), b"84520000001");
        assert!(epoch.open(Table::Exchange, RowKey(6), &sealed).is_err());
        assert!(epoch.open(Table::Outbox, RowKey(5), &sealed).is_err());
        assert!(keys.epoch(1, b"other").unwrap().open(Table::Exchange, RowKey(5), &sealed).is_err());
        assert!(matches!(keys.epoch(2, b"salt"), Err(SealError::UnknownKey(2))));
    }

    #[test]
    fn tokens_are_keyed_and_tell_pieces_apart() {
        let keys = keys();
        assert_ne!(keys.token(b"x", &[b"ab", b"c"]), keys.token(b"x", &[b"a", b"bc"]));
        let person = PersonalId::parse("901098012345").unwrap();
        assert_eq!(keys.typed(&TypedKey::parse("901098012345").unwrap()), keys.subject(&person));
        assert_ne!(keys.typed(&TypedKey::parse("012345").unwrap()), keys.subject(&person));
    }

    #[test]
    fn a_bad_key_file_says_which_line_and_not_what_it_holds() {
        let file = tempfile::NamedTempFile::new().unwrap();
        for (text, expected) in [
            ("seal 1 = 00ff\ntoken = zz", "line 1"),
            ("# nothing\n", "no \"seal\" key"),
            (&*format!("seal 1 = {}\n", "ab".repeat(32)), "no \"token\" key"),
        ] {
            std::fs::write(file.path(), text).unwrap();
            let error = Keys::read(file.path()).unwrap_err().to_string();
            assert!(error.contains(expected) && !error.contains("00ff"), "{error}");
        }
    }
}
