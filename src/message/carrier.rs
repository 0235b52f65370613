//! Who sells the short code, and over which line.

use std::{fmt, sync::Arc};

/// A carrier's short name, as its section in the configuration is called (`[carriers.vtl]`): 1 to 16 of `a-z 0-9 -`.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CarrierId(Arc<str>);

impl CarrierId {
    /// Takes a name of 1 to 16 characters `a-z`, `0-9`, `-`; `None` for anything else.
    pub fn parse(name: &str) -> Option<Self> {
        let fits = (1..=16).contains(&name.len())
            && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        fits.then(|| Self(name.into()))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for CarrierId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for CarrierId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Which ways a session carries messages (SMPP 3.4, 2.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Role {
    /// Both.
    Transceiver,
    /// Replies out.
    Transmitter,
    /// Questions and receipts in.
    Receiver,
}

impl Role {
    /// Whether replies leave by it.
    pub fn sends(self) -> bool {
        matches!(self, Self::Transceiver | Self::Transmitter)
    }

    /// Whether questions and receipts come by it.
    pub fn receives(self) -> bool {
        matches!(self, Self::Transceiver | Self::Receiver)
    }

    /// What follows the line's number when it is shown.
    pub fn suffix(self) -> &'static str {
        match self {
            Self::Transceiver => "",
            Self::Transmitter => "tx",
            Self::Receiver => "rx",
        }
    }
}

/// One SMPP session slot with a carrier: shown as `vtl/1`, the two of a pair as `vtl/1tx` and `vtl/1rx`.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LineId {
    /// Whose line.
    pub carrier: CarrierId,
    /// Which of the carrier's lines, from 1.
    pub index: u16,
    /// Which ways it carries messages.
    pub role: Role,
}

/// Sessions that one line may consist of, and room for another kind.
const ROLES: u16 = 4;

impl LineId {
    /// The number in rows: it keeps its meaning while the configuration changes around it. Below 256 for 64 lines.
    pub fn row(&self) -> u16 {
        let role = match self.role {
            Role::Transceiver => 0,
            Role::Transmitter => 1,
            Role::Receiver => 2,
        };
        (self.index.saturating_sub(1)) * ROLES + role
    }

    /// Reads the number in a row.
    pub fn from_row(carrier: CarrierId, row: u16) -> Self {
        let role = match row % ROLES {
            1 => Role::Transmitter,
            2 => Role::Receiver,
            _ => Role::Transceiver,
        };
        Self { carrier, index: row / ROLES + 1, role }
    }
}

impl fmt::Debug for LineId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}{}", self.carrier, self.index, self.role.suffix())
    }
}

impl fmt::Display for LineId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

/// Whether a carrier's records are for money or for trying out. Numbered apart (GSMA TAP practice).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stream {
    /// Chargeable, `P` in files.
    Chargeable,
    /// Test, `T` in files.
    Test,
}

impl Stream {
    /// The letter in files and rows.
    pub fn letter(self) -> &'static str {
        match self {
            Self::Chargeable => "P",
            Self::Test => "T",
        }
    }

    /// Reads the letter.
    pub fn from_letter(letter: &str) -> Option<Self> {
        match letter {
            "P" => Some(Self::Chargeable),
            "T" => Some(Self::Test),
            _ => None,
        }
    }
}
