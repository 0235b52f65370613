//! The two views that a registry offers to this service, column by column.
//!
//! A registry's owner makes them once, over whatever tables there are, and grants the service's account the right to
//! select from them and nothing else. `schema.sqlite.sql` and `schema.postgres.sql` beside this file are one example.

/// The view of people: one row for each pair of phone number and person, so that one statement answers a whole batch
/// by the sender's number. It needs an index that serves `where msisdn in (...)`.
pub(super) const PERSON_VIEW: &str = "tracuu_person";

/// The view of the eleven shared catalogues, read once when the registry is opened.
pub(super) const CATALOGUE_VIEW: &str = "tracuu_catalogue";

/// The column by which people are found: the number as a bigint in the form 84xxxxxxxxx. Old 11-digit numbers may still
/// stand in the source; bringing them to the form in force (the change of 2018-09-15) is the view's part.
pub(super) const MSISDN: &str = "msisdn";

macro_rules! columns {
    ($(#[$doc:meta])* $list:ident, $name:ident { $($(#[$vdoc:meta])* $variant:ident = $column:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(super) enum $name { $($(#[$vdoc])* $variant,)+ }

        /// The names of the columns, in the order in which they are read.
        pub(super) const $list: [&str; [$($column,)+].len()] = [$($column,)+];

        impl $name {
            /// The column's name.
            pub(super) fn name(self) -> &'static str {
                $list[self as usize]
            }
        }
    };
}

columns! {
    /// The columns of the view of people beside the number. All are texts (or of a type whose text is as described) and
    /// may be null, but for the first and the status. Field numbers are those of Law 26/2023/QH15, article 9. A column
    /// whose name ends in `_unit` holds a place's code, see [`super::catalogue::Unit`]; its `_detail` what stands before
    /// it in an address (house and street, hamlet), or the whole place where it has no code. Fields 15 and 23, other
    /// people's data, have no column.
    PERSON_COLUMNS, Column {
        /// Field 3: 12 digits.
        PersonalId = "personal_id",
        /// Field 13: 9 digits.
        OldId = "old_id",
        /// 1 may be read, 2 locked, 3 dead or missing (field 24). Anything else is taken as locked.
        Status = "status",
        /// Field 1.
        FullName = "full_name",
        /// Field 2.
        OtherName = "other_name",
        /// Field 4: yyyy-mm-dd, yyyy-mm or yyyy.
        BirthDate = "birth_date",
        /// Field 5: catalogue `sex`.
        Sex = "sex",
        /// Field 6.
        BirthPlaceUnit = "birth_place_unit",
        /// Field 6.
        BirthPlaceDetail = "birth_place_detail",
        /// Field 7.
        RegistrationUnit = "registration_unit",
        /// Field 7.
        RegistrationDetail = "registration_detail",
        /// Field 8.
        HometownUnit = "hometown_unit",
        /// Field 8.
        HometownDetail = "hometown_detail",
        /// Field 9: catalogue `ethnicity`.
        Ethnicity = "ethnicity",
        /// Field 10: catalogue `religion`.
        Religion = "religion",
        /// Field 11: catalogue `nationality`.
        Nationality = "nationality",
        /// Field 12: catalogue `blood_group`.
        BloodGroup = "blood_group",
        /// Field 14: yyyy-mm-dd. The three columns of field 14 are of the card in force.
        CardIssuedOn = "card_issued_on",
        /// Field 14: the authority's name.
        CardIssuedBy = "card_issued_by",
        /// Field 14: yyyy-mm-dd; 9999-12-31 for a card without expiry.
        CardExpiresOn = "card_expires_on",
        /// Field 16.
        PermanentUnit = "permanent_unit",
        /// Field 16.
        PermanentDetail = "permanent_detail",
        /// Field 17.
        TemporaryUnit = "temporary_unit",
        /// Field 17.
        TemporaryDetail = "temporary_detail",
        /// Field 18.
        PresentUnit = "present_unit",
        /// Field 18.
        PresentDetail = "present_detail",
        /// Field 21: catalogue `marital_status`.
        MaritalStatus = "marital_status",
        /// Field 22: catalogue `relation_to_head`.
        RelationToHead = "relation_to_head",
    }
}

columns! {
    /// The columns of the view of catalogues, all of them texts.
    CATALOGUE_COLUMNS, CatalogueColumn {
        /// Which catalogue, by its word: see [`super::Catalogue::word`].
        Catalogue = "catalogue",
        /// The code that people's rows hold.
        Code = "code",
        /// The name shown in Vietnamese.
        NameVi = "name_vi",
        /// The name shown in English; null shows the Vietnamese one.
        NameEn = "name_en",
        /// Whose numbering the code is from: lists with equal codes and other meanings exist.
        CodeSystem = "code_system",
        /// Where the code was found.
        CodeSource = "code_source",
        /// The first day it was valid, yyyy-mm-dd; null when not known.
        ValidFrom = "valid_from",
        /// The last day it was valid, yyyy-mm-dd; null while it is in force.
        ValidTo = "valid_to",
        /// The code of the unit above: a province for a district, a district or province for a commune.
        Parent = "parent",
    }
}
