//! `tracuu ask`: one text through the whole path, without an SMSC; each step is shown, nothing is stored.

use super::{ConfigFile, Failed, say};
use crate::{
    answer::{Conclusion, Decider},
    clock::Clock,
    intake::Text,
    ledger::Ledger,
    message::{Field, Fields, Lang, Masked, Msisdn, Query, Sender},
    registry::Registry,
    service, sms,
};

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    file: ConfigFile,
    /// The phone that asks, in any usual form
    #[arg(long, value_name = "NUMBER")]
    from: String,
    /// Which carrier's settings apply; the first one unless told
    #[arg(long, value_name = "NAME")]
    carrier: Option<String>,
    /// The text, as the citizen would type it
    #[arg(required = true)]
    text: Vec<String>,
}

/// Reads, looks up, decides, composes; the look-up is real, the store is one that is thrown away.
pub(super) async fn run(arguments: &Arguments) -> Result<(), Failed> {
    let config = arguments.file.load()?;
    let text = arguments.text.join(" ");
    let number = Msisdn::parse(&arguments.from, false);
    let number = number.ok_or_else(|| Failed::Wrong(format!("\"{}\" is not a phone number", arguments.from)))?;
    let carrier = match &arguments.carrier {
        Some(name) => config.carriers.values().find(|carrier| carrier.id.as_str() == name),
        None => config.carriers.values().next(),
    };
    let carrier = carrier.ok_or_else(|| Failed::Wrong("there is no such carrier in the configuration".to_owned()))?;
    let scratch = tempfile::tempdir().map_err(Failed::wrong)?;
    let decider = decider(&config, scratch.path()).await?;
    let measure = sms::measure(&text, &sms::WireForm::USUAL);
    say(format!(
        "1 text      {} characters, {} part(s) as {}",
        measure.chars,
        measure.segments,
        measure.alphabet.as_str()
    ));
    say(format!("            read as \"{}\"", sms::fold_for_reading(&text)));
    let read = decider.read(&Text::Read(Masked::new(text)));
    let sender = Sender::Phone(number);
    let wanted = read.as_ref().map_or(Fields::NONE, |query| decider.wanted(query));
    let people = decider.people(&[(number, wanted)]).await;
    let (query, done) = match read {
        Ok(query) => {
            say(format!("2 query     {}", shown(&query)));
            let done = decider.conclude(&sender, &query, people.as_ref());
            (Some(query), done)
        }
        Err(done) => {
            say(format!("2 query     none: {}; nearest form: {}", done.reason.as_str(), done.form));
            (None, done)
        }
    };
    let known = people.as_ref().and_then(|people| people.get(&number)).map_or(0, Vec::len);
    say(match &people {
        Some(_) => format!("3 registry  {known} record(s) belong to this number"),
        None => "3 registry  cannot be asked".to_owned(),
    });
    say(format!("4 decision  {} (reason for the audit: {})", done.outcome.as_str(), done.reason.as_str()));
    reply(&decider, &done, query.as_ref(), carrier);
    Ok(())
}

async fn decider(config: &crate::config::Config, scratch: &std::path::Path) -> Result<Decider, Failed> {
    let grammar = service::build_grammar(config)?;
    let templates = std::sync::Arc::new(service::open_templates(config).map_err(Failed::wrong)?);
    let registry = Registry::open(&config.registry).await.map_err(service::ServiceError::from)?;
    let keys = std::sync::Arc::new(crate::ledger::Keys::read(&config.store.key_file).map_err(Failed::wrong)?);
    let wait = config.store.wait;
    // A file, because connections to one database in memory lock one another out.
    let thrown_away = crate::db::OpenDb {
        name: "scratch store",
        url: format!("sqlite:{}", scratch.join("store.db").display()).into(),
        read_only: false,
        readers: 1,
        wait,
    };
    let db = crate::db::Db::open(&thrown_away).await.map_err(Failed::wrong)?;
    let (ledger, _writer) = Ledger::open(db, keys, "ask", Clock::System).await.map_err(Failed::wrong)?;
    let carriers = config.carriers.iter().map(|(id, carrier)| (id.clone(), std::sync::Arc::new(carrier.clone())));
    Ok(Decider {
        grammar,
        default_fields: config.reply.default_fields.clone(),
        registry: std::sync::Arc::new(registry),
        templates,
        ledger,
        carriers: carriers.collect(),
        clock: Clock::System,
    })
}

fn shown(query: &Query) -> String {
    let words = |fields: &[Field]| {
        let words: Vec<&str> = fields.iter().map(|field| field.word()).collect();
        if words.is_empty() { "the default fields".to_owned() } else { words.join(" ") }
    };
    let language = |lang: Lang| if lang == Lang::En { "English" } else { "Vietnamese" };
    match query {
        Query::Record { key, fields, lang } => {
            format!("own record by {} digits, {}, in {}", key.expose().len(), words(fields), language(*lang))
        }
        Query::OldCard { key, lang, .. } => {
            format!("old card number against a record named by {} digits, in {}", key.expose().len(), language(*lang))
        }
        Query::HowTo { lang } => format!("how to use, in {}", language(*lang)),
        Query::Contact { lang } => format!("whom to contact, in {}", language(*lang)),
    }
}

fn reply(decider: &Decider, done: &Conclusion<'_>, query: Option<&Query>, carrier: &crate::config::Carrier) {
    let code = carrier.short_codes.first().map_or("", |code| code.as_str());
    let Some(reply) = decider.reply(done, query, code, Some(carrier)) else {
        say("5 reply     none");
        return;
    };
    say(format!(
        "5 reply     {} segment(s) as {}, {} characters, template set {:016x}",
        reply.segments,
        reply.alphabet.as_str(),
        reply.chars,
        reply.template_version
    ));
    say(format!("            {}", reply.text.expose()));
    say(format!("6 billing   MO 1 record, class {}; MT 1 record, {} segment(s) planned", class(done), reply.segments));
}

fn class(done: &Conclusion<'_>) -> &'static str {
    crate::answer::charge_class(done.outcome).as_str()
}
