//! Odd messages to us.

use crate::harness::trap;

trap!(t76_payload_only);
trap!(t77_payload_and_short);
trap!(t78_payload_with_udh, async |run| {
    let (mo, _) = run.records("sim").await;
    assert_eq!(mo.iter().map(|record| record.parts).collect::<Vec<_>>(), [1, 2]);
});
trap!(t79_empty_text, async |run| {
    let (balance, _) = run.books().await;
    assert_eq!((balance.exchanges, balance.with_reply), (2, 2));
});
trap!(t80_short_of_255);
trap!(t81_data_sm_message);
trap!(t82_source_forms_mix, async |run| {
    let (balance, _) = run.books().await;
    assert_eq!((balance.exchanges, balance.with_reply), (7, 7));
});
trap!(t84_source_not_ascii, async |run| {
    let (balance, _) = run.books().await;
    assert_eq!((balance.exchanges, balance.silences), (4, 3), "a name is an exchange without a reply");
});
trap!(t87_ussd_on_the_line, async |run| {
    let (balance, _) = run.books().await;
    assert_eq!(balance.exchanges, 1, "a dialogue is none");
});
trap!(t88_port_addressed);
