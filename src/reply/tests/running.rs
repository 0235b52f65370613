//! Templates in a running service: exchanged whole, kept when the new ones are broken, replaced when they fail.

use std::{
    fs,
    sync::{Arc, mpsc},
    time::Duration,
};

use super::{broken::changed, settings};
use crate::{
    message::Lang,
    reply::{Facts, ReloadOutcome, ReplyRequest, Templates, watch::watch_and_tell},
    sms::WireForm,
};

const DEADLINE: Duration = Duration::from_secs(20);

fn refusal(templates: &Templates, lang: Lang) -> String {
    let request =
        ReplyRequest { lang, marks: false, form: WireForm::USUAL, short_code: "000000", facts: Facts::Refused };
    templates.compose(&request).text.expose().to_owned()
}

#[test]
fn a_reload_takes_a_good_set_and_keeps_the_last_good_one_otherwise() {
    let dir = changed(&[]);
    let path = dir.path().join("en/refused.txt");
    let templates = Templates::open(dir.path(), settings()).unwrap();
    let first = templates.current().version();
    assert_eq!(templates.reload(), Ok(ReloadOutcome::Unchanged));

    fs::write(&path, "Call {{ phone }}").unwrap();
    assert!(matches!(templates.reload(), Ok(ReloadOutcome::Accepted { version, .. }) if version != first));
    assert_eq!(refusal(&templates, Lang::En), "Call 0520000000");

    let good = templates.current().version();
    fs::write(&path, "Call {{ phnoe }}").unwrap();
    let faults = templates.reload().unwrap_err();
    assert_eq!(faults.0.len(), 1, "{faults}");
    assert_eq!(refusal(&templates, Lang::En), "Call 0520000000");
    assert_eq!(templates.current().version(), good);
}

#[test]
fn a_changed_file_is_picked_up_while_running_and_a_broken_one_is_told() {
    let dir = changed(&[]);
    let path = dir.path().join("en/refused.txt");
    let templates = Arc::new(Templates::open(dir.path(), settings()).unwrap());
    let (tell, told) = mpsc::sync_channel(16);
    let _watch = watch_and_tell(&templates, Duration::from_millis(40), move |result| {
        let _ = tell.try_send(result);
    })
    .unwrap();

    // A write may be seen in two halves: whatever comes before the awaited result is a step on the way.
    let awaited = |wanted: fn(&Result<ReloadOutcome, crate::reply::TemplateFaults>) -> bool| {
        std::iter::from_fn(|| told.recv_timeout(DEADLINE).ok()).find(wanted).is_some()
    };
    fs::write(&path, "Ring {{ phone }}").unwrap();
    assert!(awaited(|result| matches!(result, Ok(ReloadOutcome::Accepted { .. }))));
    assert_eq!(refusal(&templates, Lang::En), "Ring 0520000000");

    fs::write(&path, "Ring {{ phnoe }}").unwrap();
    assert!(awaited(|result| matches!(result, Err(faults) if faults.to_string().contains("phnoe"))));
    assert_eq!(refusal(&templates, Lang::En), "Ring 0520000000");

    // Editors write beside and rename; the folder is what is watched.
    let beside = dir.path().join("en/refused.txt.new");
    fs::write(&beside, "Phone {{ phone }}").unwrap();
    fs::rename(&beside, &path).unwrap();
    assert!(awaited(|result| matches!(result, Ok(ReloadOutcome::Accepted { .. }))));
    assert_eq!(refusal(&templates, Lang::En), "Phone 0520000000");
}

#[test]
fn a_text_that_fails_after_all_is_replaced_by_a_fixed_one_with_the_phone() {
    // A branch that no sample takes: the short code of samples is another.
    let dir = changed(&[(
        "vi/refused.txt",
        Some("{% if short_code == '111' %}{{ phone|nothing }}{% endif %}Gọi {{ phone }}".as_bytes()),
    )]);
    let templates = Templates::open(dir.path(), settings()).unwrap();
    let request =
        ReplyRequest { lang: Lang::Vi, marks: false, form: WireForm::USUAL, short_code: "111", facts: Facts::Refused };
    let reply = templates.compose(&request);
    assert_eq!(reply.text.expose(), "Chua tra loi duoc tin nhan nay. Vui long goi 0520000000 de duoc ho tro.");
    assert_eq!((reply.segments, templates.fallbacks()), (1, 1));
    assert_eq!(refusal(&templates, Lang::Vi), "Goi 0520000000");
    assert_eq!(templates.fallbacks(), 1);
}
