//! May this sender read this record. The people are those whom the registry knows by the sender's number (law 3); the
//! typed key only chooses among them, so no text reaches another person's record.

use crate::message::{Person, PersonStatus, Reason, TypedKey};

/// What was decided.
#[derive(Clone, Copy, Debug)]
pub enum Verdict<'a> {
    /// This person's record may be given.
    Granted(&'a Person),
    /// The key fits more than one person of this phone: the full number must be typed. The reply names nobody.
    FullNumberNeeded,
    /// Nothing may be given. The reason is one of `UnknownNumber`, `WrongKey`, `Locked` and `Deceased`, for the audit
    /// alone: all of them look alike outside (law 4).
    Refused(Reason),
}

/// Decides whom the key names among the sender's people.
///
/// Every person is compared, each in constant time, whatever was found before. Where it is doubtful, nothing is given:
/// - A key that fits an active person and any other person, even a locked or dead one, asks for the full number: only
///   that tells which of the two was meant.
/// - Two records with one personal number are one person; if either is closed, the person is.
/// - A key that fits several people of whom none is active is a refusal, `Locked` before `Deceased`: a lock is what an
///   officer can still act on.
pub fn verdict<'a>(sender_people: &'a [Person], key: &TypedKey) -> Verdict<'a> {
    let mut first: Option<&Person> = None;
    let (mut several, mut active, mut locked, mut deceased) = (false, false, false, false);
    for person in sender_people {
        let fits = key.names(&person.personal_id, person.old_id.as_ref());
        let another = first.is_some_and(|first| !first.personal_id.same(&person.personal_id));
        several |= fits && another;
        active |= fits && person.status == PersonStatus::Active;
        locked |= fits && person.status == PersonStatus::Locked;
        deceased |= fits && person.status == PersonStatus::Deceased;
        first = first.or(fits.then_some(person));
    }
    match first {
        None if sender_people.is_empty() => Verdict::Refused(Reason::UnknownNumber),
        None => Verdict::Refused(Reason::WrongKey),
        Some(_) if several && active => Verdict::FullNumberNeeded,
        Some(_) if locked => Verdict::Refused(Reason::Locked),
        Some(_) if deceased => Verdict::Refused(Reason::Deceased),
        Some(person) => Verdict::Granted(person),
    }
}

#[cfg(test)]
mod tests {
    use PersonStatus::{Active, Deceased, Locked};

    use super::*;
    use crate::message::{OldId, PersonalId};

    const MOTHER: &str = "901192012345";
    const CHILD: &str = "901215012345";
    const FATHER: &str = "901088777888";

    fn person(personal: &str, old: &str, status: PersonStatus) -> Person {
        Person {
            personal_id: PersonalId::parse(personal).unwrap(),
            old_id: OldId::parse(old),
            status,
            values: std::array::from_fn(|_| None),
        }
    }

    fn shown(verdict: Verdict) -> String {
        match verdict {
            Verdict::Granted(person) => person.personal_id.expose().to_owned(),
            Verdict::FullNumberNeeded => "full number".to_owned(),
            Verdict::Refused(reason) => reason.as_str().to_owned(),
        }
    }

    #[test]
    fn the_key_chooses_among_the_senders_people_and_doubt_gives_nothing() {
        let mother = |status| person(MOTHER, "990000001", status);
        let child = |status| person(CHILD, "", status);
        let father = |status| person(FATHER, "990000002", status);
        let twin_card = |status| person(FATHER, "990000001", status);
        let rows: Vec<(&str, Vec<Person>, &str, &str)> = vec![
            ("nobody has this phone", vec![], MOTHER, "unknown_number"),
            ("one person, full number", vec![mother(Active)], MOTHER, MOTHER),
            ("one person, last six", vec![mother(Active)], "012345", MOTHER),
            ("one person, old number", vec![mother(Active)], "990000001", MOTHER),
            ("another person's full number", vec![mother(Active)], FATHER, "wrong_key"),
            ("another person's last six", vec![mother(Active)], "777888", "wrong_key"),
            ("another person's old number", vec![mother(Active)], "990000002", "wrong_key"),
            ("an old number that the record lacks", vec![child(Active)], "990000001", "wrong_key"),
            ("the first six are no key", vec![mother(Active)], "901192", "wrong_key"),
            ("the last of three", vec![mother(Active), child(Active), father(Active)], "777888", FATHER),
            ("two active with one short key", vec![mother(Active), child(Active)], "012345", "full number"),
            ("those two, by full number", vec![mother(Active), child(Active)], CHILD, CHILD),
            ("those two, by old number", vec![mother(Active), child(Active)], "990000001", MOTHER),
            ("two active with one old number", vec![mother(Active), twin_card(Active)], "990000001", "full number"),
            ("locked", vec![mother(Locked)], MOTHER, "locked"),
            ("deceased", vec![mother(Deceased)], "012345", "deceased"),
            ("a locked person whom the key does not fit", vec![mother(Locked)], FATHER, "wrong_key"),
            ("active and locked, short key", vec![mother(Active), child(Locked)], "012345", "full number"),
            ("locked and active, short key", vec![mother(Locked), child(Active)], "012345", "full number"),
            ("active and deceased, short key", vec![mother(Deceased), child(Active)], "012345", "full number"),
            ("active and locked, the active one's number", vec![mother(Active), child(Locked)], MOTHER, MOTHER),
            ("active and locked, the locked one's number", vec![mother(Active), child(Locked)], CHILD, "locked"),
            ("locked and deceased, short key", vec![mother(Deceased), child(Locked)], "012345", "locked"),
            ("two deceased, short key", vec![mother(Deceased), child(Deceased)], "012345", "deceased"),
            ("beside a dead one whom the key does not fit", vec![father(Deceased), mother(Active)], "012345", MOTHER),
            ("one person twice", vec![mother(Active), mother(Active)], "012345", MOTHER),
            ("one person twice, once locked", vec![mother(Active), mother(Locked)], MOTHER, "locked"),
            ("one person twice, once dead", vec![mother(Deceased), mother(Active)], "012345", "deceased"),
            ("twice and another", vec![mother(Active), mother(Active), child(Active)], "012345", "full number"),
        ];
        for (label, people, key, expected) in rows {
            let key = TypedKey::parse(key).unwrap();
            assert_eq!(shown(verdict(&people, &key)), expected, "{label}");
        }
    }

    #[test]
    fn a_verdict_prints_no_number() {
        let people = [person(MOTHER, "990000001", Active)];
        let key = TypedKey::parse(MOTHER).unwrap();
        assert!(!format!("{:?}", verdict(&people, &key)).contains("012345"));
    }
}
