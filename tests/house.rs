//! The house rules, kept by machine: who may name whom, and how files look. Each rule is tried on the project's own
//! files, and on a small wrong text, because a rule that cannot fail keeps nothing.

#[cfg(test)]
#[path = "house/form.rs"]
mod form;
#[cfg(test)]
#[path = "house/layers.rs"]
mod layers;
#[cfg(test)]
#[path = "house/paths.rs"]
mod paths;
#[cfg(test)]
#[path = "house/source.rs"]
mod source;
#[cfg(test)]
#[path = "house/traps.rs"]
mod traps;

#[cfg(test)]
mod the_project {
    use crate::{form, layers, source, traps};

    /// Reads the folders and fails with one sentence a fault.
    fn keeps(rule: fn(&[source::Source]) -> Vec<String>, folders: &[&str]) {
        let faults = rule(&source::files(folders));
        assert!(faults.is_empty(), "\n{}\n", faults.join("\n"));
    }

    #[test]
    fn is_read_at_all() {
        let files = source::files(&["src", "tests"]);
        for path in ["src/lib.rs", "src/main.rs", "src/message/mod.rs", "tests/house.rs", "tests/house/layers.rs"] {
            assert!(files.iter().any(|file| file.path == path && !file.text.is_empty()), "{path} was not read");
        }
    }

    #[test]
    fn names_only_what_lies_below() {
        keeps(layers::wrong_names, &["src"]);
    }

    #[test]
    fn has_no_circles() {
        keeps(layers::circles, &["src"]);
    }

    #[test]
    fn keeps_foreign_crates_behind_their_walls() {
        keeps(layers::crates_outside_their_walls, &["src", "tests", "benches"]);
    }

    #[test]
    fn has_short_files() {
        keeps(form::too_long, &["src", "tests"]);
    }

    #[test]
    fn says_what_each_file_is_for() {
        keeps(form::without_a_heading, &["src"]);
    }

    #[test]
    fn has_names_that_say_something() {
        keeps(form::empty_names, &["src", "tests"]);
    }

    #[test]
    fn knows_no_machine() {
        keeps(form::of_one_machine, &["src", "tests"]);
    }

    #[test]
    fn switches_no_lint_off_in_silence() {
        keeps(form::allowed_lints, &["src"]);
    }

    #[test]
    fn has_equal_migrations_for_both_databases() {
        keeps(form::unequal_migrations, &["migrations"]);
    }

    #[test]
    fn has_one_row_for_each_trap() {
        keeps(traps::without_a_row, &["src"]);
    }

    #[test]
    fn names_only_trap_tests_that_exist() {
        keeps(traps::with_tests_that_are_not_there, &["src", "tests"]);
    }

    #[test]
    fn plays_every_script_in_a_test() {
        keeps(traps::without_a_test, &["src", "tests"]);
    }

    #[test]
    fn says_something_of_every_trap() {
        keeps(traps::with_empty_cells, &["src"]);
    }
}

#[cfg(test)]
mod the_rules {
    use crate::{form, layers, source::Source, traps};

    type Rule = fn(&[Source]) -> Vec<String>;
    /// Files (path and text) and what the faults found in them must say, one piece of sentence each.
    type Case<'a> = (&'a [(&'a str, &'a str)], &'a [&'a str]);

    fn holds(rule: Rule, cases: &[Case]) {
        for (files, expected) in cases {
            let sources: Vec<Source> = files.iter().map(|(path, text)| Source::new(path, text)).collect();
            let faults = rule(&sources);
            let fits = faults.len() == expected.len() && faults.iter().zip(*expected).all(|(f, e)| f.contains(e));
            assert!(fits, "{files:?}\n   gave {faults:#?}\n   expected {expected:#?}");
        }
    }

    #[test]
    fn names_that_go_up_or_sideways_are_caught_however_they_are_written() {
        holds(
            layers::wrong_names,
            &[
                (&[("src/db/mod.rs", "\nuse crate::ledger::Row;")], &["src/db/mod.rs:2: db may not name ledger"]),
                (&[("src/query/mod.rs", "fn f() { crate::reply::x() }")], &["query may not name reply"]),
                (&[("src/smpp/mod.rs", "use crate::ledger::Row;")], &["smpp may not name ledger"]),
                (&[("src/clock.rs", "use crate::message::Part;")], &["clock may not name message"]),
                (&[("src/sim/mod.rs", "use crate::cli;")], &["sim may not name cli"]),
                (&[("src/answer.rs", "use crate::service as s;")], &["answer may not name service"]),
                (
                    &[(
                        "src/access/x.rs",
                        "use crate::{message::{Part, Query}, db::{self,\n ledger},\n service::S, r#reply::*};",
                    )],
                    &["src/access/x.rs:3: access may not name service", "x.rs:3: access may not name reply"],
                ),
                (&[("src/db/error.rs", "use super::super::ledger::Row;")], &["db may not name ledger"]),
                (&[("src/db/error.rs", "mod t { mod u { use super::super::super::super::sim; } }")], &["name sim"]),
                (&[("src/db/error.rs", "mod t { fn f() {} }\nuse super::super::sim;")], &[":2: db may not name sim"]),
                (&[("src/message/mod.rs", "macro_rules! m { () => { $crate::db::Db } }")], &["may not name db"]),
                (&[("src/message/mod.rs", "fn f(a: Vec<crate::db::Db>) -> <crate::sms::A as B>::C;")], &["db", "sms"]),
                (&[("src/query/mod.rs", "#[cfg(test)] mod tests { use crate::sim::Smsc; }")], &["may not name sim"]),
                (&[("src/reply/mod.rs", "use crate::*;"), ("src/audit.rs", "use crate as all;")], &["whole", "whole"]),
                (&[("src/answer.rs", "use super::*;")], &["the whole crate is taken in"]),
                (&[("src/reply/mod.rs", "use crate::Reexported;")], &["crate::Reexported is no module with a floor"]),
                (&[("src/attic/mod.rs", "")], &["module attic has no floor yet"]),
                // What is right stays unsaid.
                (&[("src/sms/mod.rs", "use crate::message::Part;"), ("src/sim/x.rs", "use crate::smpp::frame;")], &[]),
                (&[("src/main.rs", "use tracuu::cli;"), ("src/cli/mod.rs", "use crate::{admin, sim};")], &[]),
                (&[("src/message/a.rs", "// use crate::db;\n/* crate::db::X /* */ */ \"crate::db::X\"; 'c'")], &[]),
                (&[("src/message/a.rs", "r#\"\" crate::db::X \"# ; b\"\\\" crate::db::X\"; '\\'' ; f::<'a>()")], &[]),
                (
                    &[(
                        "src/reply/a.rs",
                        "mod tests { use super::*; use super::super::b; } use self::c; use super::{d};",
                    )],
                    &[],
                ),
            ],
        );
    }

    #[test]
    fn circles_are_caught_and_told_once() {
        let circle = [
            ("src/intake/mod.rs", "use crate::outbox::A;"),
            ("src/outbox/mod.rs", "\nuse crate::{message::B, access::B};"),
            ("src/access/mod.rs", "fn f() { crate::intake::c() }"),
            ("src/reply/mod.rs", "use crate::access::D;"),
        ];
        let told =
            "src/access/mod.rs:1 names intake, src/intake/mod.rs:1 names outbox, src/outbox/mod.rs:2 names access";
        holds(layers::circles, &[(&circle, &[told]), (&circle[1..], &[])]);
    }

    #[test]
    fn crates_outside_their_walls_are_caught() {
        holds(
            layers::crates_outside_their_walls,
            &[
                (
                    &[("src/intake/mod.rs", "\n\nuse rusmpp::Command;")],
                    &["src/intake/mod.rs:3: rusmpp may be named only"],
                ),
                (&[("tests/x.rs", "use rusmpp::Command; use sqlx::Row;")], &["rusmpp"]),
                (&[("src/query/mod.rs", "fn f() -> sqlx::Result<()>;")], &["sqlx may be named only in src/db/"]),
                (&[("src/service.rs", "#[derive(clap::Parser)] struct A { b: axum::Router }")], &["clap", "axum"]),
                (
                    &[("src/query/bookstore.rs", "use ::sqlx;"), ("src/dbs/x.rs", "extern crate sqlx;")],
                    &["sqlx", "sqlx"],
                ),
                (
                    &[
                        ("src/smpp/pdu.rs", "use rusmpp::Pdu;"),
                        ("src/sim/mod.rs", "use rusmpp::Pdu;"),
                        ("src/ledger/store.rs", "use sqlx::Row;"),
                        ("src/db/mod.rs", "use sqlx::Row; // clap"),
                        ("src/admin/mod.rs", "use axum::Router; const A: &str = \"rusmpp\";"),
                        ("src/cli/mod.rs", "use clap::Parser;"),
                        ("src/main.rs", "use clap::Parser;"),
                        ("src/intake/mod.rs", "fn from_sqlx() {}"),
                    ],
                    &[],
                ),
            ],
        );
    }

    #[test]
    fn long_files_are_caught() {
        let lines = |count: usize| "x\n".repeat(count);
        holds(
            form::too_long,
            &[
                (&[("src/a.rs", &lines(401)), ("tests/a.rs", &lines(402))], &["src/a.rs:401: 401 lines", "402 lines"]),
                (&[("src/main.rs", &lines(61))], &["src/main.rs:61: 61 lines, at most 60"]),
                (&[("src/a.rs", &lines(400)), ("src/main.rs", &lines(60)), ("src/registry/a.tsv", &lines(3_000))], &[]),
            ],
        );
    }

    #[test]
    fn files_without_a_heading_are_caught() {
        let headed = ("src/a.rs", "//! What it is for.\nuse b;");
        let bare = [("src/b.rs", "use b;\n//! Late."), ("src/c.rs", "//!\n"), ("src/d.rs", ""), ("src/e.rs", "// no")];
        holds(form::without_a_heading, &[(&[headed], &[]), (&bare, &["src/b.rs:1:", "src/c.rs:1", "d.rs", "e.rs"])]);
    }

    #[test]
    fn names_that_say_nothing_are_caught() {
        let wrong = [("src/db/common/a.rs", ""), ("src/util.rs", ""), ("tests/helpers/mod.rs", "")];
        let right = [("src/db/commons.rs", ""), ("src/utility/mod.rs", "")];
        let told =
            ["src/db/common/a.rs:1: \"common\"", "src/util.rs:1: \"util\"", "tests/helpers/mod.rs:1: \"helpers\""];
        holds(form::empty_names, &[(&wrong, &told), (&right, &[])]);
    }

    #[test]
    fn paths_of_one_machine_and_registry_hosts_are_caught() {
        let path = format!("let a = 1;\n// see {}{}notes", "/ho", "me/someone/");
        let url = format!("\"sqlite:{}{}a.db\"", "/t", "mp/");
        let host = format!("https://index.{}{}/", "crates", ".io");
        let wrong = [("src/a.rs", path.as_str()), ("tests/b/data.tsv", &url), ("tests/c.rs", &host)];
        let right = format!("\"templates{}{}x\" \"/dev/null\" \"https://docs.rs/a\"", "/ho", "me/");
        holds(
            form::of_one_machine,
            &[(&wrong, &["src/a.rs:2: ", "tests/b/data.tsv:1: ", "tests/c.rs:1: "]), (&[("src/a.rs", &right)], &[])],
        );
    }

    #[test]
    fn lints_switched_off_are_caught() {
        holds(
            form::allowed_lints,
            &[
                (&[("src/a.rs", "\n#[allow(dead_code)]\nfn f() {}")], &["src/a.rs:2: allow hides a lint"]),
                (&[("src/a.rs", "#![allow(unused)]")], &["src/a.rs:1:"]),
                (&[("src/a.rs", "#[cfg_attr(test, allow(unused))]")], &["src/a.rs:1:"]),
                (&[("src/a.rs", "#[derive(A)] #[expect(x, reason = \"allow\")] fn allow() { allow([b][0]) }")], &[]),
            ],
        );
    }

    #[test]
    fn migrations_of_one_database_alone_are_caught() {
        let both = [("migrations/sqlite/0001_a.sql", ""), ("migrations/postgres/0001_a.sql", "")];
        let renamed = [("migrations/sqlite/0001_a.sql", ""), ("migrations/postgres/0001_b.sql", "")];
        holds(
            form::unequal_migrations,
            &[
                (&[], &[]),
                (&both, &[]),
                (&both[..1], &["migrations/sqlite/0001_a.sql:1: migrations/postgres/ has no file of this name"]),
                (&renamed, &["migrations/sqlite/0001_a.sql", "migrations/postgres/0001_b.sql"]),
            ],
        );
    }

    #[test]
    fn gaps_in_the_table_of_traps_are_caught() {
        let table = |rows: &str| [(traps::TABLE, rows.to_owned())];
        let rows: Vec<String> =
            (1..=177).map(|n| format!("| T{n:02} name | does | does | `t{n:02}_name` |\n")).collect();
        let whole = rows.concat();
        let lost = whole.replace("| T09 name | does | does | `t09_name` |\n", "");
        let twice = whole.replace("| T10 name", "| T09 name");
        let open = whole.replace("| T100 name | does | does |", "| T100 name | does | - |");
        let misnamed = "| T09 name | does | does | `t09_other` |\n".to_owned();
        let holds = |rule: Rule, text: &str, tests: &str, expected: &[&str]| {
            let table = table(text);
            let files = [
                (table[0].0, table[0].1.as_str()),
                ("tests/traps/a.rs", tests),
                ("src/sim/script/b.rs", "fn t01_name("),
            ];
            holds(rule, &[(&files, expected)]);
        };
        holds(traps::without_a_row, &whole, "", &[]);
        holds(traps::without_a_row, &lost, "", &["T09 has 0 rows"]);
        holds(traps::without_a_row, &twice, "", &["T09 has 2 rows", "T10 has 0 rows"]);
        holds(traps::with_empty_cells, &open, "", &["T100 name has an empty cell"]);
        let first = "| T01 name | does | does | `t01_name` |";
        for there in ["    async fn t01_name() {}", "trap!(t01_name);", "    t01_name: (1, 2),"] {
            holds(traps::with_tests_that_are_not_there, first, there, &[]);
        }
        for absent in ["", "fn t01_name_two() {}", "// t01_name", "fn at01_name()"] {
            holds(traps::with_tests_that_are_not_there, first, absent, &["there is no test t01_name"]);
        }
        let script = [("src/sim/script/a.rs", "    script!(\n        t01_name, \"about\")")];
        super::the_rules::holds(traps::without_a_test, &[(&script, &["no test plays the script t01_name"])]);
        let played = [script[0], ("tests/traps/a.rs", "trap!(t01_name);")];
        super::the_rules::holds(traps::without_a_test, &[(&played, &[])]);
        holds(traps::with_tests_that_are_not_there, &misnamed, "", &["must be named t09_name"]);
    }
}
