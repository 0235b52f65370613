-- The synthetic registry on SQLite: two tables of people and phones, one of catalogues, and the two views of the contract.
-- The service reads the views alone. A real registry offers views of the same names and columns over whatever tables it
-- has; the meaning of each column stands in src/registry/contract.rs.

-- One entry of one of the eleven shared catalogues, for as long as it is valid.
create table catalogue_entry (
    entry_id    integer primary key,
    catalogue   text not null, -- blood_group, sex, ethnicity, religion, marital_status, nationality, country, province, district, commune, relation_to_head
    code        text not null,
    name_vi     text not null,
    name_en     text,
    code_system text not null, -- whose numbering
    code_source text not null, -- where the code was found; "ours" when there is no official one
    valid_from  text,          -- yyyy-mm-dd; null when not known
    valid_to    text,          -- yyyy-mm-dd, the last day; null while in force
    parent      text           -- the code of the unit above, for districts and communes
) strict;

-- One synthetic person. Relatives are not recorded.
create table person (
    person_id              integer primary key,
    personal_id            text not null,
    old_id                 text,
    status                 integer not null,
    full_name              text not null,
    other_name             text,
    birth_date             text,
    sex                    text,
    birth_place_unit       text,
    birth_place_detail     text,
    registration_unit      text,
    registration_detail    text,
    hometown_unit          text,
    hometown_detail        text,
    ethnicity              text,
    religion               text,
    nationality            text,
    blood_group            text,
    card_issued_on         text,
    card_issued_by         text,
    card_expires_on        text,
    permanent_unit         text,
    permanent_detail       text,
    temporary_unit         text,
    temporary_detail       text,
    present_unit           text,
    present_detail         text,
    marital_status         text,
    relation_to_head       text
) strict;

-- Which numbers a person has, in the form 84xxxxxxxxx. Several people may share one, one person may have several.
create table phone (
    msisdn    integer not null,
    person_id integer not null,
    primary key (msisdn, person_id)
) without rowid, strict;

create view tracuu_person as
select phone.msisdn, personal_id, old_id, status, full_name, other_name, birth_date, sex,
       birth_place_unit, birth_place_detail, registration_unit, registration_detail, hometown_unit, hometown_detail,
       ethnicity, religion, nationality, blood_group, card_issued_on, card_issued_by, card_expires_on,
       permanent_unit, permanent_detail, temporary_unit, temporary_detail, present_unit, present_detail,
       marital_status, relation_to_head
from phone join person on person.person_id = phone.person_id;

create view tracuu_catalogue as
select catalogue, code, name_vi, name_en, code_system, code_source, valid_from, valid_to, parent
from catalogue_entry;
