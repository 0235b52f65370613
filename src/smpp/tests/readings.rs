//! Two readings of one message: the codec's, and the lenient one that stands in when the codec refuses.

use proptest::prelude::*;

use super::{Body, pdu, tlv};
use crate::smpp::{
    deliver::{Deliver, Malformed},
    frame::next_frame,
    lenient,
};

fn read(body: &[u8]) -> Result<Deliver, Malformed> {
    Deliver::read(&next_frame(&mut pdu(5, 0, 1, body).as_slice().into()).unwrap().unwrap())
}

fn parameter() -> impl Strategy<Value = Vec<u8>> {
    let known = prop::sample::select(vec![
        0x0005_u16, 0x001E, 0x0204, 0x020A, 0x020C, 0x020E, 0x020F, 0x0381, 0x0423, 0x0424, 0x0427, 0x0501, 0x1400,
        0x3177,
    ]);
    (known, prop::collection::vec(any::<u8>(), 0..6)).prop_map(|(tag, value)| tlv(tag, &value))
}

prop_compose! {
    fn body()(
        source in "[0-9A-Za-z+]{0,20}",
        destination in "[0-9]{0,20}",
        addresses: [u8; 4],
        bytes: [u8; 8],
        time in prop::sample::select(vec!["", "000000001000000R"]),
        text in prop::collection::vec(any::<u8>(), 0..255),
        parameters in prop::collection::vec(parameter(), 0..5),
    ) -> Vec<u8> {
        let mut octets = b"CMT\0".to_vec();
        octets.extend(&addresses[..2]);
        octets.extend(source.as_bytes());
        octets.push(0);
        octets.extend(&addresses[2..]);
        octets.extend(destination.as_bytes());
        octets.push(0);
        octets.extend(&bytes[..3]);
        octets.push(0);
        octets.extend(time.as_bytes());
        octets.push(0);
        octets.extend(&bytes[3..7]);
        octets.push(text.len() as u8);
        octets.extend(text);
        octets.extend(parameters.concat());
        octets
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn what_the_codec_takes_both_read_alike(octets in body()) {
        let ours = lenient::deliver_sm(&octets).unwrap();
        let read = read(&octets).unwrap();
        prop_assert!(Deliver { repaired: read.repaired, ..ours } == read, "{octets:02x?}");
    }

    #[test]
    fn damage_makes_neither_panic_and_never_changes_what_the_codec_takes(
        mut octets in body(),
        cuts in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
        length: prop::sample::Index,
    ) {
        for (at, octet) in cuts {
            let at = at.index(octets.len());
            octets[at] = octet;
        }
        octets.truncate(length.index(octets.len() + 1));
        match (read(&octets), lenient::deliver_sm(&octets)) {
            (Ok(read), Ok(ours)) => prop_assert!(Deliver { repaired: read.repaired, ..ours } == read, "{octets:02x?}"),
            (Err(a), Err(b)) => prop_assert_eq!(a, b),
            (read, ours) => prop_assert!(false, "{} {} {octets:02x?}", read.is_ok(), ours.is_ok()),
        }
        _ = lenient::data_sm(&octets);
    }
}

#[test]
fn the_usual_message_is_read_by_the_codec() {
    let tail = [tlv(0x0424, b"p"), tlv(0x001E, b"4001\0"), tlv(0x020C, &[0, 9]), tlv(0x1401, b"v")].concat();
    let deliver = read(&Body { tail, ..Body::default() }.octets()).unwrap();
    assert!(!deliver.repaired);
    assert_eq!(deliver.text, b"p");
    assert_eq!(
        (deliver.options.receipt_id.as_deref(), deliver.options.sar_reference),
        (Some(b"4001".as_slice()), Some(9))
    );
}
